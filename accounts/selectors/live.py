"""Which live news a person hears."""

from __future__ import annotations

from accounts.models import AwsAccount, Grant, User
from cloudconsole.core.permissions import Perm
from cloudconsole.realtime import groups


def live_groups(user: User) -> list[str]:
    """The channel groups of `user`. Someone in several would hear everything several times, so only the widest counts."""
    if not user.is_active:
        return []
    if user.is_admin:
        return [groups.ADMINS]
    if Grant.carrying(user, Perm.ACCOUNTS_VIEW).filter(account=None).exists():
        return [groups.EVERY_ACCOUNT]
    visible = AwsAccount.objects.visible_to(user, Perm.ACCOUNTS_VIEW)
    return [groups.account(pk) for pk in visible.values_list("pk", flat=True)]
