"""Asking for the inventory to be read again. The work itself is done by `resources.services.inventory.runs`."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

import audit.services
from accounts.models import AwsAccount, User
from cloudconsole import realtime
from cloudconsole.core import jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources import verbs
from resources.models import InventorySync, Service, SyncStatus, SyncTrigger
from resources.services.inventory import runs

RUN = "resources.run_sync"


class NothingToAsk(CloudconsoleError):
    """No account in the scope may be asked by this person."""

    kind = Kind.CONFLICT
    code = "nothing_to_refresh"
    title = "There is nothing to refresh"


@transaction.atomic
def request(
    *, accounts: Sequence[AwsAccount], services: Sequence[Service], trigger: SyncTrigger, by: User | None
) -> InventorySync:
    """Record the wish and wake a worker. The same wish of a person while one is open gets that one. Raises NothingToAsk."""
    if not accounts:
        raise NothingToAsk("There is no account in this scope whose inventory you may refresh.")
    wanted = sorted(service.value for service in services)
    if by is not None and (same := _open(accounts, wanted)) is not None:
        return same
    sync = _create(accounts, wanted, trigger, by)
    jobs.enqueue(RUN, sync_id=sync.pk)
    return sync


def at_once(*, accounts: Sequence[AwsAccount], services: Sequence[Service], by: User, within_s: float) -> InventorySync:
    """Ask AWS here and now; what has not answered after `within_s` seconds is left to a worker. Raises NothingToAsk."""
    with transaction.atomic():
        if not accounts:
            raise NothingToAsk("There is no account in this scope whose inventory you may refresh.")
        wanted = sorted(service.value for service in services)
        # Nobody is rung for: this is the worker, and the scheduler's tick finds the run should it die.
        sync = _open(accounts, wanted) or _create(accounts, wanted, SyncTrigger.MANUAL, by)
    runs.begin(sync_id=sync.pk, within_s=within_s)
    sync.refresh_from_db()
    if sync.status == SyncStatus.QUEUED:
        jobs.enqueue(RUN, sync_id=sync.pk)
    return sync


def _create(accounts: Sequence[AwsAccount], services: list[str], trigger: SyncTrigger, by: User | None) -> InventorySync:
    sync = InventorySync.objects.create(trigger=trigger, services=services, requested_by=by)
    sync.accounts.set(accounts)
    for account in accounts:
        realtime.publish("sync", sync.pk, account.pk)
    if by is not None:
        audit.services.record(
            verbs.INVENTORY_REFRESHED,
            actor=by,
            subject=str(sync.pk),
            account=accounts[0] if len(accounts) == 1 else None,
            detail={"accounts": ", ".join(account.alias for account in accounts), "services": ", ".join(services)},
        )
    return sync


def _open(accounts: Sequence[AwsAccount], services: list[str]) -> InventorySync | None:
    wanted = {account.pk for account in accounts}
    for sync in InventorySync.objects.open().filter(trigger=SyncTrigger.MANUAL).prefetch_related("accounts"):
        if sync.services == services and {account.pk for account in sync.accounts.all()} == wanted:
            return sync
    return None
