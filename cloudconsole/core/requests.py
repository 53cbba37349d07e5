"""What is known about the request being served, for logs, audit rows and problems: id, address, how the caller signed in."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, replace

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

_SANE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{7,63}")


@dataclass(frozen=True)
class RequestContext:
    """`auth` is how the caller proved who they are: session, jwt, token, or empty before that is known."""

    request_id: str
    ip: str | None = None
    auth: str = ""


_current: ContextVar[RequestContext | None] = ContextVar("request_context", default=None)


def current() -> RequestContext | None:
    """The request being served here, or None in a worker or a command."""
    return _current.get()


def signed_in_by(auth: str) -> None:
    """Note how the caller of the current request signed in."""
    context = _current.get()
    if context is not None:
        _current.set(replace(context, auth=auth))


class RequestContextMiddleware:
    """Gives every request an id (the caller's own, if it sent a sane one) and returns it as X-Request-ID."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        request_id = given if _SANE_ID.fullmatch(given) else uuid.uuid4().hex
        token = _current.set(RequestContext(request_id=request_id, ip=_address(request)))
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                response = self.get_response(request)
            finally:
                _current.reset(token)
        response["X-Request-ID"] = request_id
        return response


def _address(request: HttpRequest) -> str | None:
    forwarded = request.headers.get("X-Forwarded-For", "") if settings.SECURE_PROXY_SSL_HEADER else ""
    # The right-most entry is the one our own proxy wrote; those before it are the caller's claim.
    return _normalised(forwarded.rsplit(",", 1)[-1].strip()) or _normalised(request.META.get("REMOTE_ADDR", ""))


def _normalised(text: str) -> str | None:
    """One spelling for each address, so that rows and counters of one caller belong together; None for what is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)
