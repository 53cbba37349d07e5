"""An HTTP server on loopback that answers as AWS does, or as AWS does on a bad day, from a script given by the test."""

from __future__ import annotations

import json
import re
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any
from urllib.parse import parse_qs

_SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
_STS = "https://sts.amazonaws.com/doc/2011-06-15/"


@dataclass(frozen=True)
class Request:
    """What reached the server: whose signature, for which service, region and operation, with which parameters."""

    key_id: str
    region: str
    service: str
    operation: str
    params: Mapping[str, Any]
    token: str | None


@dataclass(frozen=True)
class Reply:
    status: int = 200
    body: bytes = b""
    content_type: str = "application/x-amz-json-1.1"
    headers: Mapping[str, str] = field(default_factory=dict)
    claimed_length: int | None = None  # a longer one than the body breaks the answer off


@dataclass(frozen=True)
class Reset:
    """The connection is reset instead of answered."""


@dataclass(frozen=True)
class Hang:
    """No answer until `released`."""

    released: Event


Script = Callable[[Request], Reply | Reset | Hang]


class Endpoint:
    """The server; `script` may be exchanged at any time. `requests` holds what arrived, in order."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.requests: list[Request] = []
        self.lock = Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.endpoint = self
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def operations(self) -> list[str]:
        return [request.operation for request in self.requests]

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    endpoint: Endpoint

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is part of the script."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        endpoint = self.server.endpoint
        request = self._parse()
        with endpoint.lock:
            endpoint.requests.append(request)
        match endpoint.script(request):
            case Reset():
                # Linger of zero seconds: closing sends RST instead of FIN.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.connection.close()
                self.close_connection = True
            case Hang(released=released):
                released.wait(30)
                self.close_connection = True
            case Reply() as reply:
                self._send(reply)

    def _parse(self) -> Request:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        scope = _SCOPE.search(self.headers.get("Authorization", ""))
        target = self.headers.get("X-Amz-Target")
        if target:
            params: dict[str, Any] = json.loads(raw)
            operation = target.rsplit(".", 1)[-1]
        else:
            params = {name: values[0] for name, values in parse_qs(raw.decode()).items()}
            operation = params.get("Action", "")
        key_id, region, service = (scope["key"], scope["region"], scope["service"]) if scope else ("", "", "")
        return Request(key_id, region, service, operation, params, self.headers.get("X-Amz-Security-Token"))

    def _send(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        headers = {"Date": format_datetime(datetime.now(UTC), usegmt=True), "Content-Type": reply.content_type}
        for name, value in {**headers, **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(reply.claimed_length or len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()
        if reply.claimed_length is not None:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
        """Quiet."""


def json_reply(body: Mapping[str, Any], **headers: str) -> Reply:
    return Reply(body=json.dumps(body).encode(), headers={"x-amzn-RequestId": "r-json", **headers})


def json_error(code: str, message: str = "", status: int = 400, **headers: str) -> Reply:
    body = json.dumps({"__type": f"com.amazonaws.example#{code}", "message": message}).encode()
    return Reply(status=status, body=body, headers={"x-amzn-RequestId": "r-refused", **headers})


def xml_error(code: str, message: str = "", status: int = 403, **headers: str) -> Reply:
    body = (
        f'<ErrorResponse xmlns="{_STS}"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>'
        f"</Error><RequestId>r-refused</RequestId></ErrorResponse>"
    )
    return Reply(status=status, body=body.encode(), content_type="text/xml", headers=headers)


def whoami_reply(request: Request) -> Reply:
    """GetCallerIdentity that echoes the access key id of the signature."""
    body = (
        f'<GetCallerIdentityResponse xmlns="{_STS}"><GetCallerIdentityResult>'
        f"<Arn>arn:aws:iam::111111111111:user/{request.key_id}</Arn><UserId>{request.region}</UserId>"
        f"<Account>111111111111</Account></GetCallerIdentityResult>"
        f"<ResponseMetadata><RequestId>r-whoami</RequestId></ResponseMetadata></GetCallerIdentityResponse>"
    )
    return Reply(body=body.encode(), content_type="text/xml")


def role_reply(key_id: str, *, lasts: timedelta = timedelta(hours=1), token: str = "session-token") -> Reply:
    """AssumeRole that grants `key_id`."""
    expiry = (datetime.now(UTC) + lasts).strftime("%Y-%m-%dT%H:%M:%SZ")
    body = (
        f'<AssumeRoleResponse xmlns="{_STS}"><AssumeRoleResult><Credentials><AccessKeyId>{key_id}</AccessKeyId>'
        f"<SecretAccessKey>secret-of-{key_id}</SecretAccessKey><SessionToken>{token}</SessionToken>"
        f"<Expiration>{expiry}</Expiration></Credentials></AssumeRoleResult>"
        f"<ResponseMetadata><RequestId>r-role</RequestId></ResponseMetadata></AssumeRoleResponse>"
    )
    return Reply(body=body.encode(), content_type="text/xml")


def in_turn(*replies: Reply | Reset | Hang) -> Script:
    """One reply after the other; the last one for ever."""
    lock, left = Lock(), list(replies)

    def script(_: Request) -> Reply | Reset | Hang:
        with lock:
            return left.pop(0) if len(left) > 1 else left[0]

    return script
