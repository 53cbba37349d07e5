"""An address that somebody typed, read once and written anew. What a client gets is made of the parts, never the raw text:
two readers of one text disagree about its host (`http://127.1.1.1:80\\@127.2.2.2/`), two readers of parts cannot."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import idna

from cloudconsole.net.ranges import IPAddress
from cloudconsole.net.refusals import Cause, Refused

LONGEST = 8192
LONGEST_HOST = 253
_DEFAULT_PORT = {"https": 443, "http": 80}
_FORM = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?(?P<fragment>#.*)?"
)
_HOST = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMERIC_LABEL = re.compile(r"(?:\d+|0x[0-9a-f]*)")
_TARGET = re.compile(r"[!-~]*", re.ASCII)  # printable ASCII without the space


@dataclass(frozen=True)
class Address:
    """`host` is a name in lower case (IDNA's ASCII form) or a canonical IP address; `target` the path with its query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def literal(self) -> IPAddress | None:
        """The host as an IP address, where it is one and no name."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def netloc(self) -> str:
        """Host and port as the Host header and a rebuilt address have them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _DEFAULT_PORT[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.netloc}{self.target}"


def parse(text: str) -> Address:
    """Raises Refused for whatever is not plainly an http or https address."""
    if len(text) > LONGEST:
        raise Refused(Cause.TOO_LONG)
    if any(ord(one) <= 0x20 or 0x7F <= ord(one) <= 0xA0 or one == "\\" for one in text):
        raise Refused(Cause.CHARACTERS)
    found = _FORM.fullmatch(text)
    if found is None:
        raise Refused(Cause.FORM)
    scheme = found["scheme"].lower()
    if scheme not in _DEFAULT_PORT:
        raise Refused(Cause.SCHEME)
    if found["fragment"] is not None:
        raise Refused(Cause.FRAGMENT)
    target = (found["path"] or "/") + (found["query"] or "")
    if not _TARGET.fullmatch(target):
        raise Refused(Cause.CHARACTERS)
    host, port = _authority(found["authority"])
    return Address(scheme, host, _DEFAULT_PORT[scheme] if port is None else port, target)


def _authority(text: str) -> tuple[str, int | None]:
    if "@" in text:
        raise Refused(Cause.USERINFO)
    if text.startswith("["):
        inner, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise Refused(Cause.FORM)
        return _v6(inner), _port(rest)
    host, colon, rest = text.partition(":")
    return _host(host), _port(colon + rest)


def _port(text: str) -> int | None:
    """The port behind its colon; None where none is said."""
    if not text:
        return None
    digits = text[1:]
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= 5 and 1 <= int(digits) <= 65535):
        raise Refused(Cause.PORT)
    return int(digits)


def _v6(text: str) -> str:
    if "%" in text:  # a zone names an interface of this machine
        raise Refused(Cause.HOST)
    try:
        return str(ipaddress.IPv6Address(text))
    except ValueError:
        raise Refused(Cause.HOST) from None


def _host(text: str) -> str:
    host = _ascii(text).lower()
    host = host.removesuffix(".")
    if not host or len(host) > LONGEST_HOST or not _HOST.fullmatch(host):
        raise Refused(Cause.HOST)
    if not _NUMERIC_LABEL.fullmatch(host.rpartition(".")[2]):
        return host
    # The C library reads 0x7f.1, 017700000001 and 2130706433 as addresses. Only the plain spelling is one here.
    try:
        return str(ipaddress.IPv4Address(host)) if text.isascii() else _refuse_numbers()
    except ValueError:
        return _refuse_numbers()


def _refuse_numbers() -> str:
    raise Refused(Cause.NUMERIC_HOST)


def _ascii(host: str) -> str:
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True, std3_rules=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        raise Refused(Cause.HOST) from None
