"""Reading personal access tokens: one's own."""

from __future__ import annotations

from accounts.models import PersonalToken, User
from accounts.models.keys import PersonalTokenQuerySet
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm


class TokenNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "token_not_found"
    title = "Not found"


def visible(user: User) -> PersonalTokenQuerySet:
    """The tokens of `user`, newest first, those that have expired included."""
    return PersonalToken.objects.visible_to(user, Perm.SELF).order_by("-created_at", "-pk")


def get_for(user: User, pk: int) -> PersonalToken:
    """Raises TokenNotFound."""
    token = visible(user).filter(pk=pk).first()
    if token is None:
        raise TokenNotFound("There is no such token of yours.")
    return token
