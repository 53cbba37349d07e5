"""Everything the simulator does not answer itself goes to moto, as the account whose key signed the request."""

from __future__ import annotations

import os
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from cloudconsole.simulator.wire import Request, Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication


@cache
def _application() -> WSGIApplication:
    """moto's WSGI application, imported at the first call: a simulator that only tells costs starts without it."""
    # Without it each account and region costs 3.9 MiB and 48 ms at its first EC2 call.
    os.environ.setdefault("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    application: WSGIApplication = DomainDispatcherApplication(create_backend_app)
    return application


def answer(request: Request, account_id: str, host: str) -> Response:
    """moto's answer to `request` on behalf of `account_id`."""
    status, headers = "500 Internal Server Error", list[tuple[str, str]]()

    def start_response(line: str, found: list[tuple[str, str]], exc_info: object = None) -> Any:
        nonlocal status, headers
        status, headers = line, found

    body = b"".join(_application()(_environ(request, account_id, host), start_response))
    named = {name: value for name, value in headers if name.lower() not in ("content-type", "content-length")}
    content_type = next((value for name, value in headers if name.lower() == "content-type"), "text/xml")
    return Response(int(status.partition(" ")[0]), body, content_type, named)


def _environ(request: Request, account_id: str, host: str) -> dict[str, Any]:
    name, _, port = host.partition(":")
    target = request.path + (f"?{request.query}" if request.query else "")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "RAW_URI": target,
        "REQUEST_URI": target,
        "SERVER_NAME": name,
        "SERVER_PORT": port or "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": request.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_X_MOTO_ACCOUNT_ID": account_id,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for header, value in request.headers.items():
        environ.setdefault(f"HTTP_{header.upper().replace('-', '_')}", value)
    return environ
