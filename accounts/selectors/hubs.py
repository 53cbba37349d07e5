"""Accounts whose credentials can assume roles in others."""

from __future__ import annotations

from accounts.models import AwsAccount, Status, User
from cloudconsole.core.permissions import Perm


def hubs_for(user: User) -> list[AwsAccount]:
    """The working accounts through which `user` may reach others, by alias."""
    return list(AwsAccount.objects.visible_to(user, Perm.ACCOUNTS_MANAGE).exclude(status=Status.ERROR).order_by("alias"))
