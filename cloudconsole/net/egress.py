"""Outbound HTTP to addresses that people typed: parsed once, resolved once, every answer judged, and connected to exactly
what was judged, with the name's own TLS. No redirects, no proxies of the environment, no second try; bounded in time and size.

`send` gives the whole answer, `stream` hands it over as it comes. Both raise Refused (nothing was connected to) or Unanswered.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from http.client import HTTPException
from typing import BinaryIO, Self, cast

import structlog
from django.conf import settings
from urllib3.connection import HTTPConnection
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

from cloudconsole.net import addresses, deadlines, heads, names, ranges
from cloudconsole.net.addresses import Address
from cloudconsole.net.ranges import IPAddress, IPNetwork
from cloudconsole.net.refusals import Cause, Refused, Unanswered

__all__ = [
    "Answer",
    "Cause",
    "Door",
    "Limits",
    "PlainHttp",
    "Refused",
    "Request",
    "Streamed",
    "Unanswered",
    "Upload",
    "door",
]

_MOST_ADDRESSES = 4  # of one name are tried, one after the other
_CHUNK = 65_536
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_FAILURES = (HTTPError, HTTPException, OSError)
_DEFAULTS = {"Accept-Encoding": "identity", "User-Agent": "Cloudconsole"}
_OWN_HEADERS = frozenset({"host", "content-length", "connection", "transfer-encoding"})

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Upload:
    """A body that is read while it is sent: `length` bytes from where `file` stands."""

    file: BinaryIO
    length: int


@dataclass(frozen=True)
class Request:
    """What is to be sent. Host, Content-Length and Connection are the door's own; `url` is read anew by the door."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | Upload = field(default=b"", repr=False)


@dataclass(frozen=True)
class Limits:
    """Seconds for connecting, for each wait, and for everything; bytes of the answer's body as it is on the wire.

    `read_s` is all the time that the head of an answer has as well, from the last byte of the request on.
    """

    connect_s: float = 5.0
    read_s: float = 30.0
    total_s: float = 60.0
    body_bytes: int = 1_048_576


class PlainHttp(StrEnum):
    """Where http without TLS is spoken: only to the operator's exceptions, or also to public hosts."""

    EXCEPTED = "excepted"
    ANYWHERE = "anywhere"


@dataclass(frozen=True)
class Answer:
    """The whole answer. `truncated`: its body was longer than the limit, and the rest was not read."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = field(repr=False)
    truncated: bool
    peer: str

    def header(self, name: str) -> str | None:
        """The first header of this name, in any case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True)
class Streamed:
    """An answer whose body is still coming: `chunks` yields it as it comes, each as soon as it is there, until its end.

    `is_ready` says whether the next chunk, or the end, is there within so many seconds.
    `abort` ends the connection from any thread, whoever is waiting for a chunk then.
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    chunks: Iterator[bytes]
    peer: str  # the address that was connected to, which is one that was judged
    abort: Callable[[], None]
    is_ready: Callable[[float], bool]


@dataclass(frozen=True)
class Checked:
    """An address with what its host means; every one of `targets` may be connected to."""

    address: Address
    targets: tuple[IPAddress, ...]


@dataclass(frozen=True)
class Door:
    """The rules of one installation. `own_names` are its own host names, which it does not call from outside."""

    allowed: tuple[IPNetwork, ...] = ()
    own_names: tuple[str, ...] = ()
    plain_http: PlainHttp = PlainHttp.EXCEPTED
    resolve: names.Resolver = names.system_resolver
    limits: Limits = Limits()

    def check(self, url: str) -> Checked:
        """Resolves the host and judges every answer. Raises Refused; connects to nothing."""
        try:
            return self._checked(addresses.parse(url))
        except Refused as refusal:
            log.info("egress_refused", cause=refusal.cause.value)
            raise

    def send(self, request: Request) -> Answer:
        """The whole answer, cut at the limit. Raises Refused, Unanswered."""
        with self.stream(request) as streamed:
            body, truncated = _collected(streamed.chunks, self.limits.body_bytes)
            return Answer(streamed.status, streamed.headers, body, truncated, streamed.peer)

    @contextmanager
    def stream(self, request: Request) -> Iterator[Streamed]:
        """The answer as it comes; the connection lives as long as the `with`. Raises Refused, Unanswered."""
        _refuse_smuggling(request)
        checked = self.check(request.url)
        with (
            _Deadline().within(self.limits.total_s) as deadline,
            closing(self._connected(checked, deadline)) as connection,
            closing(_asked(connection, checked.address, request, self.limits, deadline)) as answer,
        ):
            if deadline.is_over:
                raise _no_answer(deadline)
            headers = tuple((str(key), str(value)) for key, value in answer.headers.iteritems())
            is_ready = cast(heads.Headed, answer._fp).is_ready  # type: ignore[attr-defined]  # of urllib3, which hides it
            yield Streamed(answer.status, headers, _chunks(answer, deadline), deadline.peer, deadline.shut, is_ready)

    def _checked(self, address: Address) -> Checked:
        literal = address.literal
        if literal is None:
            self._refuse_name(address.host)
        targets = tuple(self.resolve(address.host, address.port)) if literal is None else (literal,)
        if not targets:
            raise Refused(Cause.UNRESOLVED)
        for target in targets:
            if cause := ranges.denied(target, address.port, self.allowed):
                raise Refused(cause)
        excepted = all(ranges.is_excepted(target, self.allowed) for target in targets)
        if literal is None and names.is_near(address.host) and not excepted:
            raise Refused(Cause.NAME_DENIED)
        if address.scheme == "http" and self.plain_http is PlainHttp.EXCEPTED and not excepted:
            raise Refused(Cause.PLAIN_HTTP)
        return Checked(address, targets)

    def _refuse_name(self, host: str) -> None:
        if names.is_metadata(host):
            raise Refused(Cause.METADATA)
        if names.is_own(host, self.own_names):
            raise Refused(Cause.OWN_NAME)

    def _connected(self, checked: Checked, deadline: _Deadline) -> HTTPConnection:
        """A connection to the first of the checked addresses that takes one. Raises Unanswered."""
        failure = Unanswered("The host has no address.", may_have_acted=False)
        for target in checked.targets[:_MOST_ADDRESSES]:
            try:
                return _connection(checked.address, target, self.limits.connect_s, deadline)
            except (OSError, UnicodeError) as error:
                failure = _no_connection(error)
        raise failure


def door(*, plain_http: PlainHttp = PlainHttp.EXCEPTED, limits: Limits = Limits()) -> Door:
    """The door of this installation, as its settings say."""
    own = tuple(name.lower() for name in settings.ALLOWED_HOSTS if name != "*" and name.strip(".").count(".") and "[" not in name)
    return Door(tuple(settings.EGRESS_ALLOW_CIDRS), own, plain_http, names.system_resolver, limits)


class _Deadline:
    """Ends the connection when the time for everything is over, whatever it is waiting for then."""

    def __init__(self) -> None:
        self.is_over = False
        self.peer = ""
        self._socket: socket.socket | None = None

    @contextmanager
    def within(self, seconds: float) -> Iterator[Self]:
        """For everything; and for the head of an answer: who sends a byte of it at a time never lets a wait end."""
        with deadlines.within(seconds, self._end):
            yield self

    def watch(self, connected: socket.socket) -> None:
        """Raises OSError when the peer is gone or the time is over already."""
        if self.is_over:
            raise TimeoutError
        self._socket = connected
        self.peer = str(connected.getpeername()[0])

    def _end(self) -> None:
        self.is_over = True
        self.shut()

    def shut(self) -> None:
        """End the connection; whoever waits for it finds out at once."""
        if self._socket is not None:
            try:
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # TLS's own would wait for the peer's consent
            except OSError:
                log.debug("egress_connection_was_over")


def _connection(address: Address, target: IPAddress, timeout: float, deadline: _Deadline) -> HTTPConnection:
    """To the checked number, never to the name again; certificate and SNI are the name's."""
    connected = socket.create_connection((str(target), address.port), timeout=timeout)
    try:
        deadline.watch(connected)
        if address.scheme == "https":
            connected = _secured(connected, address.host, deadline)
    except BaseException:
        connected.close()
        raise
    connection = HTTPConnection(str(target), address.port)
    connection.response_class = heads.Headed
    connection.sock = connected  # it is open, so that it is not opened again
    return connection


def _secured(connected: socket.socket, host: str, deadline: _Deadline) -> ssl.SSLSocket:
    context = _trust(os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", ""))
    secured = context.wrap_socket(connected, server_hostname=host, do_handshake_on_connect=False)
    try:
        deadline.watch(secured)
        secured.do_handshake()
    except BaseException:
        secured.close()
        raise
    return secured


@lru_cache(maxsize=4)
def _trust(file: str, folder: str) -> ssl.SSLContext:
    """Whom certificates have to come from: the machine's authorities, or those that its environment names. Reading them takes
    longer than a handshake, so it happens once.
    """
    return ssl.create_default_context()


def _no_connection(error: Exception) -> Unanswered:
    if isinstance(error, (ssl.SSLError, UnicodeError)):
        words = "The host's certificate is not valid for its name, or it does not speak TLS."
    else:
        words = "The host does not take connections on this port."
    return Unanswered(words, may_have_acted=False)


def _refuse_smuggling(request: Request) -> None:
    """Raises Refused for a method or header that would be read as more than one line."""
    names_are_tokens = all(_TOKEN.fullmatch(name) for name in (request.method, *request.headers))
    if not names_are_tokens or not all(_FIELD_VALUE.fullmatch(value) for value in request.headers.values()):
        raise Refused(Cause.CHARACTERS)


def _asked(
    connection: HTTPConnection, address: Address, request: Request, limits: Limits, deadline: _Deadline
) -> BaseHTTPResponse:
    """Send, and wait for the head of the answer. From the first byte on, the request may have arrived."""
    headers = {key: value for key, value in request.headers.items() if key.lower() not in _OWN_HEADERS}
    headers |= {"Host": address.netloc, "Connection": "close"}
    given = {name.lower() for name in headers}
    headers |= {name: value for name, value in _DEFAULTS.items() if name.lower() not in given}
    body: bytes | BinaryIO | None = request.body.file if isinstance(request.body, Upload) else request.body
    if isinstance(request.body, Upload):
        headers["Content-Length"] = str(request.body.length)
    elif not body and request.method not in ("POST", "PUT", "PATCH"):
        body = None
    connection.timeout = limits.read_s
    try:
        with suppress(ConnectionError, ssl.SSLEOFError):  # who does not want all of a body may say so, and hang up on the rest
            connection.request(request.method, address.target, body, headers, preload_content=False, decode_content=False)
        with deadline.within(limits.read_s):
            return connection.getresponse()
    except _FAILURES as error:
        raise _no_answer(deadline, error) from error


def _chunks(answer: BaseHTTPResponse, deadline: _Deadline) -> Iterator[bytes]:
    try:
        while chunk := answer.read1(_CHUNK, decode_content=False):
            yield chunk
    except _FAILURES as error:
        raise _no_answer(deadline) from error
    if deadline.is_over:  # an answer without a length ends where its connection does
        raise _no_answer(deadline)


def _no_answer(deadline: _Deadline, error: Exception | None = None) -> Unanswered:
    if deadline.is_over:
        words = "The answer took too long."
    elif isinstance(error, heads.Broken):
        words = str(error)
    elif type(error) is HTTPException:  # http.client's own, for more headers than it reads
        words = "The answer has more or longer headers than are read."
    else:
        words = "The connection ended, or nothing came, before the answer was whole."
    return Unanswered(words, may_have_acted=True)


def _collected(chunks: Iterator[bytes], limit: int) -> tuple[bytes, bool]:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > limit:
            return bytes(body[:limit]), True
    return bytes(body), False
