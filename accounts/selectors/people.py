"""Reading people and what they are granted."""

from __future__ import annotations

from accounts.models import Grant, User
from accounts.models.people import UserQuerySet
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm


class PersonNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "user_not_found"
    title = "Not found"


def visible(user: User) -> UserQuerySet:
    """Everybody, for those who manage people; oneself for all others."""
    return User.objects.visible_to(user, Perm.PEOPLE_MANAGE).order_by("username")


def get_for(user: User, pk: int) -> User:
    """Raises PersonNotFound."""
    person = visible(user).filter(pk=pk).first()
    if person is None:
        raise PersonNotFound("There is no such person, or none that you may see.")
    return person


def grants_of(user: User) -> list[Grant]:
    """What `user` is granted on accounts that still exist; the one for all accounts first."""
    present = Grant.objects.filter(user=user, account__deleted_at=None)
    return list(present.select_related("account").order_by("account__alias"))


def token_count(user: User) -> int:
    """How many personal access tokens of `user` still work."""
    return user.personal_tokens.filter(expires_at__gt=clock.now()).count()
