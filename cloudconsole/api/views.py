"""What every API view of the product is made from."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import generics
from rest_framework.views import APIView

from cloudconsole.core.permissions import Perm


class ApiView(APIView):
    """Declares which right it needs: one `permission` for all methods, or one for each.

    `public = True` marks the few that answer anybody. A view that declares neither is refused to everybody.
    """

    permission: ClassVar[Perm | dict[str, Perm] | None] = None
    public: ClassVar[bool] = False


class ListApiView(ApiView, generics.ListAPIView[Any]):
    """A list that a person pages through."""
