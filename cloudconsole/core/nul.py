"""No NUL gets in by an address: PostgreSQL has none in text and fails when it is asked for one; nothing here is called so."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from django.core.exceptions import BadRequest
from django.http import HttpRequest, UnreadablePostError
from django.http.response import HttpResponseBase

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class NulMiddleware:
    """Answers 400 before anything reads the parameters, or the form of a page. (Serializers refuse a NUL by themselves.)"""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path_info or b"\0" in unquote_to_bytes(request.META.get("QUERY_STRING", "")):
            raise BadRequest("The address holds a NUL.")
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: object, args: object, kwargs: object) -> None:
        # What is sent to the API may be for another service, and is not ours to read.
        if request.content_type not in _FORMS or request.path_info.startswith("/api/"):
            return
        with suppress(UnreadablePostError):  # it broke off: whoever reads it next tells
            if any("\0" in text for name, given in request.POST.lists() for text in (name, *given)):
                raise BadRequest("The form holds a NUL.")
