"""A pasted cURL command into a request, without its secrets, and a request back into one.

Only what says what is sent is understood; options that change how it is sent (--silent, --compressed, …) are passed over, and
what cannot be kept (files, client certificates, other protocols) is refused or named.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from gateway.rules import credentials, shell_words
from gateway.rules.shell_words import NotClosed

_LONGEST = 200_000
_FORM_TYPE = "application/x-www-form-urlencoded"
_JSON_TYPE = "application/json"
# Options with a value, by the long name that does the same.
_WITH_VALUE = {
    "-X": "--request",
    "-H": "--header",
    "-d": "--data",
    "-u": "--user",
    "-A": "--user-agent",
    "-e": "--referer",
    "-b": "--cookie",
    "-F": "--form",
    "-T": "--upload-file",
    "-o": "--output",
    "-m": "--max-time",
    "-x": "--proxy",
    "-E": "--cert",
    "-w": "--write-out",
    "-c": "--cookie-jar",
    "-D": "--dump-header",
    "-K": "--config",
    "-r": "--range",
    "-C": "--continue-at",
    "-P": "--ftp-port",
    "-Q": "--quote",
    "-t": "--telnet-option",
    "-U": "--proxy-user",
    "-y": "--speed-time",
    "-Y": "--speed-limit",
    "-z": "--time-cond",
}
_LONG_WITH_VALUE = {
    *_WITH_VALUE.values(),
    "--url",
    "--json",
    "--data-raw",
    "--data-binary",
    "--data-ascii",
    "--data-urlencode",
    "--oauth2-bearer",
    "--url-query",
    "--key",
    "--cacert",
    "--connect-timeout",
    "--retry",
    "--retry-delay",
    "--max-redirs",
    "--resolve",
    "--limit-rate",
    "--form-string",
    "--aws-sigv4",
    "--cert-type",
    "--key-type",
    "--pass",
    "--capath",
    "--ciphers",
    "--pinnedpubkey",
    "--connect-to",
    "--dns-servers",
    "--doh-url",
    "--interface",
    "--noproxy",
    "--preproxy",
    "--socks5",
    "--socks5-hostname",
    "--unix-socket",
    "--proto",
    "--proto-default",
    "--proto-redir",
    "--tls-max",
    "--max-filesize",
    "--retry-max-time",
    "--keepalive-time",
    "--expect100-timeout",
    "--rate",
    "--stderr",
    "--trace",
    "--trace-ascii",
}
_WITHOUT_VALUE = {"-G": "--get", "-I": "--head"}
# What changes where or as whom a request is sent, and is therefore told.
_NOT_TAKEN = frozenset(
    {"--cert", "--key", "--aws-sigv4", "--proxy", "--resolve", "--connect-to", "--unix-socket", "--insecure", "-k"}
)
_REFUSED = {
    "--form": "Forms with files (-F) cannot be taken over. Paste the body instead.",
    "--form-string": "Forms with several parts cannot be taken over. Paste the body instead.",
    "--upload-file": "A file (-T) cannot be taken over. Paste its contents as the body.",
    "--config": "A configuration file (-K) cannot be read from here.",
}


class NotCurl(ValueError):
    """The text is no cURL command that can be taken over; the message says why, for the person who pasted it."""


@dataclass(frozen=True, slots=True)
class Command:
    """A request as a person wrote it. `url` may be a path below a key's base address.

    `left_out` names the credentials that were in it and were not kept; `notes` says what else was not taken over.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass
class _Parts:
    urls: list[str] = field(default_factory=list)
    headers: list[tuple[str, str]] = field(default_factory=list)
    data: list[str] = field(default_factory=list)
    query: list[str] = field(default_factory=list)
    method: str = ""
    is_get: bool = False
    is_head: bool = False
    is_json: bool = False
    has_data: bool = False
    user: str | None = None
    notes: list[str] = field(default_factory=list)


def parse(text: str) -> Command:
    """What the command would send, without credentials. Raises NotCurl."""
    parts = _Parts()
    for name, value in _options(_words(text)):
        _take(parts, name, value)
    if not parts.urls:
        raise NotCurl("There is no address in it.")
    if len(parts.urls) > 1:
        parts.notes.append("Only the first of several addresses was taken over.")
    return without_secrets(_command(parts))


def _words(text: str) -> list[str]:
    if len(text) > _LONGEST:
        raise NotCurl("It is too long.")
    try:
        words = shell_words.words(text.strip().removeprefix("$"))
    except NotClosed as error:
        raise NotCurl("A quote in it is not closed.") from error
    if not words or words[0].rsplit("/", 1)[-1].removesuffix(".exe").lower() != "curl":
        raise NotCurl("It does not begin with “curl”.")
    return words[1:]


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Every option with its value; an address is the value of `--url`."""
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            yield from _long(word, rest)
        elif word.startswith("-") and len(word) > 1:
            yield from _short(word, rest)
        else:
            yield "--url", word


def _long(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    if word in _LONG_WITH_VALUE:
        yield word, _value(word, rest)
    else:
        yield word, ""


def _short(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """`-sXPOST` is -s and -X POST."""
    for place in range(1, len(word)):
        option = f"-{word[place]}"
        if option in _WITH_VALUE:
            yield _WITH_VALUE[option], word[place + 1 :] or _value(option, rest)
            return
        yield _WITHOUT_VALUE.get(option, option), ""


def _value(option: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise NotCurl(f"{option} has no value.")
    return value


def _take(parts: _Parts, name: str, value: str) -> None:
    if name in _REFUSED:
        raise NotCurl(_REFUSED[name])
    if taker := _TAKERS.get(name):
        taker(parts, value)
    elif name in _NOT_TAKEN:
        parts.notes.append(f"{name} was not taken over.")


def _take_header(parts: _Parts, value: str) -> None:
    name, colon, text = value.partition(":")
    if value.startswith("@"):
        raise NotCurl("A file of headers cannot be read from here.")
    if colon and text.strip():
        parts.headers.append((name.strip(), text.strip()))


def _take_data(parts: _Parts, value: str) -> None:
    if value.startswith("@"):
        raise NotCurl("A body from a file cannot be read from here. Paste its contents instead.")
    parts.has_data = True
    parts.data.append(value)


def _take_raw(parts: _Parts, value: str) -> None:
    parts.has_data = True
    parts.data.append(value)


def _take_json(parts: _Parts, value: str) -> None:
    _take_data(parts, value)
    parts.is_json = True


def _take_encoded(parts: _Parts, value: str) -> None:
    parts.has_data = True
    parts.data.append(_encoded(value))


def _encoded(value: str) -> str:
    name, equals, text = value.partition("=")
    if not equals:
        return quote(value, safe="")
    return f"{name}={quote(text, safe='')}" if name else quote(text, safe="")


def _take_method(parts: _Parts, value: str) -> None:
    parts.method = value.upper()


def _take_get(parts: _Parts, _: str) -> None:
    parts.is_get = True


def _take_head(parts: _Parts, _: str) -> None:
    parts.is_head = True


def _take_user(parts: _Parts, value: str) -> None:
    parts.user = value


def _header_taker(name: str, form: str = "{}") -> Callable[[_Parts, str], None]:
    def take(parts: _Parts, value: str) -> None:
        parts.headers.append((name, form.format(value)))

    return take


_TAKERS: dict[str, Callable[[_Parts, str], None]] = {
    "--url": lambda parts, value: parts.urls.append(value),
    "--request": _take_method,
    "--header": _take_header,
    "--data": _take_data,
    "--data-ascii": _take_data,
    "--data-binary": _take_data,
    "--data-raw": _take_raw,
    "--data-urlencode": _take_encoded,
    "--url-query": lambda parts, value: parts.query.append(_encoded(value)),
    "--json": _take_json,
    "--get": _take_get,
    "--head": _take_head,
    "--user": _take_user,
    "--user-agent": _header_taker("User-Agent"),
    "--referer": _header_taker("Referer"),
    "--cookie": _header_taker("Cookie"),
    "--range": _header_taker("Range", "bytes={}"),
    "--oauth2-bearer": _header_taker("Authorization", "Bearer {}"),
}


def _command(parts: _Parts) -> Command:
    joined = ("" if parts.is_json else "&").join(parts.data)
    body = "" if parts.is_get else joined
    query = [*parts.query, *([joined] if parts.is_get and joined else [])]
    headers = list(parts.headers)
    if parts.user is not None:
        headers.append(("Authorization", "Basic " + base64.b64encode(parts.user.encode()).decode()))
    if parts.has_data and not parts.is_get:
        headers += _types(parts, {name.lower() for name, _ in headers})
    return Command(_method(parts), _with_query(parts.urls[0], query), tuple(headers), body, notes=tuple(parts.notes))


def _types(parts: _Parts, given: set[str]) -> list[tuple[str, str]]:
    """What cURL adds by itself where nobody said otherwise."""
    kind = _JSON_TYPE if parts.is_json else _FORM_TYPE
    added = [("Content-Type", kind)] if "content-type" not in given else []
    return added + ([("Accept", kind)] if parts.is_json and "accept" not in given else [])


def _method(parts: _Parts) -> str:
    if parts.method:
        return parts.method
    if parts.is_head:
        return "HEAD"
    return "POST" if parts.has_data and not parts.is_get else "GET"


def _with_query(url: str, more: Sequence[str]) -> str:
    if not more:
        return url
    try:
        split = urlsplit(url)
    except ValueError as error:
        raise NotCurl("Its address cannot be read.") from error
    return urlunsplit(split._replace(query="&".join([*([split.query] if split.query else []), *more])))


# --- secrets


def without_secrets(command: Command) -> Command:
    """Nothing that looks like a credential is kept: the key that is chosen afterwards puts it in its place."""
    kept = tuple((name, value) for name, value in command.headers if not credentials.is_secret_header(name, value))
    dropped = [name for name, value in command.headers if credentials.is_secret_header(name, value)]
    url, from_url = _clean_url(command.url)
    return replace(command, url=url, headers=kept, left_out=(*dropped, *from_url))


def _clean_url(url: str) -> tuple[str, list[str]]:
    try:
        split = urlsplit(url if "://" in url or url.startswith("/") else f"https://{url}")
        pairs = parse_qsl(split.query, keep_blank_values=True)
        host = split.netloc.rpartition("@")[2]
    except ValueError as error:
        raise NotCurl("Its address cannot be read.") from error
    secret = [name for name, value in pairs if credentials.is_secret_parameter(name, value)]
    kept = [(name, value) for name, value in pairs if name not in secret]
    query = urlencode(kept) if secret else split.query
    named = [f"parameter {name}" for name in dict.fromkeys(secret)]
    if "@" in split.netloc:
        named.append("name and password in the address")
    return urlunsplit((split.scheme, host, split.path, query, "")), named
