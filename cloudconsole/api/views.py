"""What every API view of the product is made from."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, cast

from django.http.response import HttpResponseBase
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from cloudconsole.api import idempotency, pagination
from cloudconsole.core.permissions import Perm


class ApiView(APIView):
    """Declares which right it needs: one `permission` for all methods, or one for each.

    `public = True` marks the few that answer anybody. A view that declares neither is refused to everybody.
    A POST or DELETE with an `Idempotency-Key` acts once and is answered the same way again, without the view's doing;
    `keeps_answers = False` where that header is meant for somebody else.
    """

    permission: ClassVar[Perm | Mapping[str, Perm] | None] = None
    public: ClassVar[bool] = False
    keeps_answers: ClassVar[bool] = True

    _claim: idempotency.Claim | None = None
    _may_have_acted = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # a request that is refused or throttled claims nothing
        if self.keeps_answers:
            self._claim = idempotency.claim(request)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, idempotency.Replay):
            return cast(Response, exc.as_http())
        self._may_have_acted = getattr(exc, "may_have_acted", False)
        try:
            return super().handle_exception(exc)
        except Exception:
            if not self._may_have_acted:  # else the key stays taken, and who comes with it again is told so
                self._release()
            raise

    def finalize_response(self, request: Request, response: HttpResponseBase, *args: Any, **kwargs: Any) -> Response:
        finished = super().finalize_response(request, cast(Response, response), *args, **kwargs)
        if self._claim is not None:
            if isinstance(finished, Response):
                finished.add_post_render_callback(partial(self._claim.settle, may_have_acted=self._may_have_acted))
            else:
                self._claim.settle(finished, may_have_acted=self._may_have_acted)
        return finished

    def _release(self) -> None:
        if self._claim is not None:
            self._claim.release()


class ListApiView(ApiView, generics.ListAPIView[Any]):
    """A list with numbered pages."""

    pagination_class = pagination.PageNumberPagination


class UnboundedListApiView(ApiView, generics.ListAPIView[Any]):
    """A list without end, read by a cursor; `ordering` of the pagination class must be unique and unchanging."""

    pagination_class = pagination.CursorPagination
