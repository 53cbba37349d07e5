"""Accounts whose credentials can assume roles in others."""

from __future__ import annotations

from django.db.models import Count

from accounts.models import AwsAccount, Status, User
from cloudconsole.core.permissions import Perm


def hubs_for(user: User) -> list[AwsAccount]:
    """The working accounts through which `user` may reach others; those that already are hubs first."""
    working = AwsAccount.objects.visible_to(user, Perm.ACCOUNTS_MANAGE).exclude(status=Status.ERROR)
    return list(working.annotate(reached=Count("spokes")).order_by("-reached", "alias"))
