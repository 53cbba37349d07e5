"""Lets a request through when its view declares who may make it. A view that declares nothing is closed to everybody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import ACCOUNT_SCOPED, ROLE_PERMISSIONS, Perm, Role

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which imports this module by its name in the settings

_READING = ("GET", "HEAD", "OPTIONS")


def declared(view: APIView, method: str) -> Perm | None:
    """The permission that `view` declares for `method`: `permission = Perm.X` or `{"GET": Perm.X, "POST": Perm.Y}`."""
    declaration: Perm | Mapping[str, Perm] | None = getattr(view, "permission", None)
    if declaration is None or isinstance(declaration, Perm):
        return declaration
    return declaration.get("GET" if method in _READING else method)


class DeclaredPermission(BasePermission):
    """Reads `public = True` or `permission` from the view.

    Which objects a caller sees is decided by `visible_to`. A view whose lookup of its object tells 404 from 403 by
    itself (`selectors.aws_accounts.get_for`) says `object_decides = True`.
    """

    message = "Your role does not allow this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if getattr(view, "public", False):
            return True
        method = request.method or ""
        permission = declared(view, method)
        if permission is None or not isinstance(request.user, User):
            return False
        return bool(getattr(view, "object_decides", False)) or _may(request.user, permission, method)


def _may(user: User, permission: Perm, method: str) -> bool:
    if permission not in ACCOUNT_SCOPED or method in _READING:
        # Reading what is scoped: the role decides here, `visible_to` decides which rows there are to see.
        return user.is_active and permission in ROLE_PERMISSIONS[Role(user.role)]
    return user.is_admin or AwsAccount.objects.visible_to(user, permission).exists()
