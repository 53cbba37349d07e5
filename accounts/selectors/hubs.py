"""Accounts whose credentials can assume roles in others."""

from __future__ import annotations

from django.db.models import Count, Q

from accounts.models import AuthMethod, AwsAccount, Status, User
from cloudconsole.core.permissions import Perm


def hubs_for(user: User) -> list[AwsAccount]:
    """The working accounts through which `user` may reach others; those that already are hubs first.

    A role that is assumed to assume another lasts an hour at most, so accounts with credentials of their own come into
    question, and whatever is a hub already.
    """
    working = AwsAccount.objects.visible_to(user, Perm.ACCOUNTS_MANAGE).exclude(status=Status.ERROR)
    counted = working.annotate(reached=Count("spokes"))
    return list(counted.filter(~Q(auth_method=AuthMethod.ASSUME_ROLE) | Q(reached__gt=0)).order_by("-reached", "alias"))
