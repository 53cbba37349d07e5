"""HTTP/1.1 with keep-alive around the simulated AWS: a thread per connection."""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from threading import Event

from cloudconsole.simulator import control
from cloudconsole.simulator.app import ConnectionBroken, SimulatedAws
from cloudconsole.simulator.hosted_ui import HostedUi
from cloudconsole.simulator.wire import Request, Response

# SO_LINGER with no time: closing sends a reset instead of an orderly end.
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class SimulatorServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, host: str, port: int, aws: SimulatedAws) -> None:
        super().__init__((host, port), _Handler)
        self.aws = aws
        self.hosted_ui = HostedUi()
        self.closing = Event()

    def server_bind(self) -> None:
        """Without the base class's look-up of the host's name, which can hang where there is no DNS."""
        TCPServer.server_bind(self)
        host, port = self.socket.getsockname()[:2]
        self.server_name, self.server_port = str(host), int(port)

    @property
    def url(self) -> str:
        host, port = self.socket.getsockname()[:2]
        return f"http://{host}:{port}"

    def server_close(self) -> None:
        self.closing.set()
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away in the middle is no news; anything else is printed."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "AmazonSimulated"
    sys_version = ""
    disable_nagle_algorithm = True
    server: SimulatorServer

    def _handle(self) -> None:
        request = self._read()
        try:
            response = self._route(request)
        except ConnectionBroken as broken:
            self._break(broken.seconds)
            return
        self._write(response)

    # The base class asks for one method per verb.
    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = do_OPTIONS = _handle  # noqa: N815 - its names

    def _read(self) -> Request:
        path, _, query = self.path.partition("?")
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        return Request(self.command, path, query, headers, body)

    def _route(self, request: Request) -> Response:
        if self.server.hosted_ui.answers(request):
            return self.server.hosted_ui.handle(request, self.server.url)
        if not request.path.startswith(control.PREFIX):
            return self.server.aws.handle(request)
        if not ipaddress.ip_address(self.client_address[0]).is_loopback:
            return Response(403, b'{"error": "only from this machine"}', "application/json")
        return control.handle(self.server.aws, request)

    def _write(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body) if response.length is None else response.length))
        self.end_headers()
        if self.command != "HEAD":
            for piece in response.stream or (response.body,):
                self.wfile.write(piece)

    def _break(self, seconds: float) -> None:
        self.server.closing.wait(seconds)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self.close_connection = True
        self.connection.close()

    def log_message(self, *args: object) -> None:
        """Nothing on the terminal: GET /_simulator/calls tells what was asked."""
