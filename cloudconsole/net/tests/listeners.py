"""Real listeners on loopback: what they were asked, and a certificate authority that only tests trust."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Asked:
    """One request as it arrived. `server_name` is what TLS asked for, empty without TLS."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    server_name: str


@dataclass
class Reply:
    """What a listener answers next; `more` are headers of which there may be several of one name."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"ok"
    more: tuple[tuple[str, str], ...] = ()


Answering = Callable[[Asked], Reply]


@dataclass
class Listener:
    """`asked` in the order of arrival; `answer` may be changed at any time."""

    port: int
    asked: list[Asked] = field(default_factory=list)
    answer: Answering = field(default=lambda asked: Reply())

    def url(self, host: str = "127.0.0.1", scheme: str = "http", path: str = "/hook") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@contextmanager
def http_listener(answer: Answering | None = None, *, tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """An HTTP server on a free port of 127.0.0.1."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.listener = Listener(server.server_address[1])
    if answer is not None:
        server.listener.answer = answer
    if tls is not None:
        tls.sni_callback = lambda connected, name, context: server.names.append(name or "")
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.listener
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Untouched:
    """A listener that nobody may connect to. `touches` counts those who did."""

    port: int
    touches: int = 0


@contextmanager
def untouched_listener(host: str = "127.0.0.1") -> Iterator[Untouched]:
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        found = Untouched(server.getsockname()[1])
        yield found
        server.settimeout(0)
        while True:
            try:
                server.accept()[0].close()
            except BlockingIOError:
                return
            found.touches += 1


@contextmanager
def raw_listener(script: Callable[[socket.socket], None]) -> Iterator[int]:
    """A listener that speaks to its first caller as `script` says; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)  # for its caller to come; a busy machine takes its time

        def serve() -> None:
            try:
                caller, _ = server.accept()
            except OSError:
                return
            with caller:
                try:
                    script(caller)
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(timeout=10)


@dataclass(frozen=True)
class Authority:
    """A certificate authority in a folder: `file` is what a client trusts."""

    file: Path
    folder: Path
    _key: ec.EllipticCurvePrivateKey
    _name: x509.Name

    @classmethod
    def made(cls, folder: Path) -> Authority:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tests")])
        file = folder / "ca.pem"
        authority = cls(file, folder, key, name)
        file.write_bytes(authority._signed(name, key, ca=True).public_bytes(serialization.Encoding.PEM))
        return authority

    def server_context(self, name: str) -> ssl.SSLContext:
        """TLS with a certificate for `name`."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._signed(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), key, ca=False, host=name)
        file = self.folder / f"{name}.pem"
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _signed(self, name: x509.Name, key: ec.EllipticCurvePrivateKey, *, ca: bool, host: str = "") -> x509.Certificate:
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if host:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        return builder.sign(self._key, hashes.SHA256())


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    listener: Listener

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.names: list[str] = []

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that hangs up is nothing to print."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        name = self.server.names[-1] if self.server.names else ""
        asked = Asked(self.command, self.path, dict(self.headers.items()), body, name)
        self.server.listener.asked.append(asked)
        reply = self.server.listener.answer(asked)
        self.send_response(reply.status)
        for key, value in [*{"Content-Length": str(len(reply.body)), **reply.headers}.items(), *reply.more]:
            self.send_header(key, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    do_GET = do_HEAD = do_OPTIONS = do_POST = do_PUT = do_PATCH = do_DELETE = _serve  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that http.server uses
        """Quiet."""
