"""Which accounts are asked what runs in them, and when."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

import audit.services
from accounts.models import AwsAccount, Status, User
from resources import verbs
from resources.models import InventorySource

# Without credentials that work there is nothing to ask; the account's own check tells when they do again.
_ASKED = (Status.OK, Status.DEGRADED)
BILLED_EVERY = timedelta(hours=6)


def ensure() -> int:
    """Make the missing source of every account; the number of new ones."""
    without = AwsAccount.objects.filter(deleted_at=None, inventory_source=None).exclude(account_id="")
    new = [InventorySource(account=account) for account in without]
    InventorySource.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def claim_due(now: datetime) -> list[AwsAccount]:
    """The accounts whose time has come, each claimed by moving its next time: of two schedulers one gets it."""
    has_come = Q(next_sync_at=None) | Q(next_sync_at__lte=now)
    connected = InventorySource.objects.filter(has_come, account__deleted_at=None, account__status__in=_ASKED)
    return [source.account for source in connected.select_related("account").order_by("account__alias") if _claimed(source, now)]


def claim_billed(now: datetime) -> list[AwsAccount]:
    """The same for what is billed, which is asked every BILLED_EVERY."""
    has_come = Q(next_billed_at=None) | Q(next_billed_at__lte=now)
    connected = InventorySource.objects.filter(has_come, account__deleted_at=None, account__status__in=_ASKED)
    due = connected.select_related("account").order_by("account__alias")
    return [
        source.account
        for source in due
        if InventorySource.objects.filter(has_come, pk=source.pk).update(next_billed_at=now + BILLED_EVERY)
    ]


@transaction.atomic
def set_interval(*, source: InventorySource, seconds: int, by: User) -> None:
    """Change how often the account is asked, from its next time on."""
    InventorySource.objects.filter(pk=source.pk).update(interval_s=seconds)
    audit.services.record(
        verbs.INVENTORY_INTERVAL_CHANGED,
        actor=by,
        subject=source.account.alias,
        account=source.account,
        detail={"seconds": seconds},
    )


def _claimed(source: InventorySource, now: datetime) -> bool:
    same = Q(next_sync_at=source.next_sync_at) if source.next_sync_at else Q(next_sync_at=None)
    following = now + timedelta(seconds=source.interval_s)
    return bool(InventorySource.objects.filter(same, pk=source.pk).update(next_sync_at=following))
