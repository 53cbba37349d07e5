"""No NUL gets in by an address: PostgreSQL has none in text and fails when it is asked for one; nothing here is called so."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class NulMiddleware:
    """Answers 400 before anything reads the parameters. (Forms and serializers refuse a NUL in a body by themselves.)"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path_info or b"\0" in unquote_to_bytes(request.META.get("QUERY_STRING", "")):
            raise BadRequest("The address holds a NUL.")
        return self.get_response(request)
