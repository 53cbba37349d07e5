"""The base of every page: who may open it is declared on the class, and expected failures become pages for people."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, ClassVar

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views import View

from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm

STATUS_OF: dict[Kind, HTTPStatus] = {
    Kind.INVALID: HTTPStatus.BAD_REQUEST,
    Kind.FORBIDDEN: HTTPStatus.FORBIDDEN,
    Kind.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Kind.CONFLICT: HTTPStatus.CONFLICT,
    Kind.TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Kind.AWS_ACCOUNT: HTTPStatus.FAILED_DEPENDENCY,
    Kind.UPSTREAM: HTTPStatus.BAD_GATEWAY,
    Kind.LIMITED: HTTPStatus.TOO_MANY_REQUESTS,
    Kind.BUSY: HTTPStatus.SERVICE_UNAVAILABLE,
    Kind.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
}


class Page(View):
    """A page that people open. `permission` is the least that opening it takes; selectors decide what is seen there."""

    permission: ClassVar[Perm]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_anonymous or not request.user.may(self.permission):
            raise PermissionDenied("Your role does not allow this.")
        try:
            return super().dispatch(request, *args, **kwargs)
        except CloudconsoleError as error:
            if error.kind is Kind.NOT_FOUND:
                raise Http404(error.detail) from error
            if error.kind is Kind.FORBIDDEN:
                raise PermissionDenied(error.detail) from error
            return render(request, "trouble.html", {"error": error}, status=STATUS_OF[error.kind])
