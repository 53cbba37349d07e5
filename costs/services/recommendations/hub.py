"""Asking AWS's Cost Optimization Hub what it recommends: twice a day, all of it, and what it no longer says is forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from accounts.models import AwsAccount, Status
from accounts.services import credentials
from cloudconsole.aws import cost_optimization_hub
from cloudconsole.aws.cost_optimization_hub import HubDetail, HubRecommendation
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from costs.models import HubItem, HubStatus, SavingsSource

READ = "costs.read_optimization_hub"
CAPABILITY = "savings.hub"
EVERY = timedelta(hours=12)
AFTER_FAILURE = timedelta(hours=1)
_BATCH = 500
_EXPLAINED = 100  # the largest savings; each is a request

# Pairs of what was looked at and what it showed.
Evidence = list[list[str]]

log = structlog.get_logger(__name__)


def due(now: datetime) -> list[int]:
    """The sources whose time has come, each claimed by moving its next time: of two schedulers one gets it."""
    has_come = Q(next_hub_at=None) | Q(next_hub_at__lte=now)
    asked = Q(account__deleted_at=None, account__status__in=(Status.OK, Status.DEGRADED))
    waiting = SavingsSource.objects.filter(has_come & asked).order_by("pk").values_list("pk", flat=True)
    return [pk for pk in waiting if SavingsSource.objects.filter(has_come, pk=pk).update(next_hub_at=now + EVERY)]


def read(*, source_id: int) -> None:
    """Ask, and store what was told: everything or nothing. Safe to call at any time."""
    source = SavingsSource.objects.select_related("account__hub").filter(pk=source_id, account__deleted_at=None).first()
    if source is None:
        return
    if CAPABILITY not in source.account.capabilities:
        detail = "Reading Cost Optimization Hub is switched off for the account."
        _note(source, HubStatus.OFF, detail, "Switch it on at the account (Edit → Capabilities).")
        return
    try:
        found = _asked(source.account)
    except CloudconsoleError as error:
        _fell_short(source, error)
    else:
        _store(source, found, _details(source, found))


def _asked(account: AwsAccount) -> list[HubRecommendation]:
    access = credentials.access_for(account, None)
    cost_optimization_hub.require_enrolled(access)
    return [one for page in cost_optimization_hub.recommendations(access) for one in page]


def _details(source: SavingsSource, found: list[HubRecommendation]) -> dict[str, Evidence]:
    """What AWS's figures rest on, of the largest ones: asked once for each time that AWS reckoned.

    Whoever may not ask for it still has what the list told.
    """
    rows = HubItem.objects.filter(source=source).exclude(detail=[]).values_list("aws_id", "refreshed_at", "detail")
    known = {(aws_id, refreshed_at): detail for aws_id, refreshed_at, detail in rows}
    told = {one.recommendation_id: known.get((one.recommendation_id, one.refreshed_at), []) for one in found}
    largest = sorted(found, key=lambda one: -one.saving)[:_EXPLAINED]
    access = credentials.access_for(source.account, None)
    try:
        for one in largest:
            if not told[one.recommendation_id]:
                told[one.recommendation_id] = _evidence(cost_optimization_hub.detail(access, one.recommendation_id), one)
    except AwsError as error:
        log.info("hub_details_not_read", code=error.code)
    return told


def _evidence(detail: HubDetail, one: HubRecommendation) -> Evidence:
    days = f"{detail.days} days" if detail.days else "the days it looked back"
    costs = {"Cost now": detail.cost_now, "Cost then": detail.cost_then}
    pairs = [[f"{name}, over {days}", f"{amount} {one.currency}"] for name, amount in costs.items() if amount is not None]
    pairs += [["Saved", f"{detail.saved_percent} %"]] if detail.saved_percent is not None else []
    return pairs + [["Usage", usage] for usage in detail.usages]


def _fell_short(source: SavingsSource, error: CloudconsoleError) -> None:
    """What was told before stays, with its age; where nobody has enrolled there is nothing to stay."""
    is_closed = isinstance(error, AwsError) and error.cause is AwsErrorKind.NOT_ENABLED
    _note(source, HubStatus.NOT_ENROLLED if is_closed else HubStatus.FAILED, error.detail, getattr(error, "remedy", ""))
    if not is_closed:
        _set(source, next_hub_at=clock.now() + AFTER_FAILURE)


@transaction.atomic
def _store(source: SavingsSource, found: list[HubRecommendation], details: dict[str, Evidence]) -> None:
    now = clock.now()
    connected = {row.account_id: row for row in AwsAccount.objects.filter(deleted_at=None).exclude(account_id="")}
    items = {one.recommendation_id: _item(source, connected.get(one.account_id, source.account), one, now) for one in found}
    for key, item in items.items():
        item.detail = details.get(key, [])
    HubItem.objects.filter(source=source).delete()
    HubItem.objects.bulk_create(items.values(), batch_size=_BATCH)
    _set(source, hub_status=HubStatus.OK, hub_detail="", hub_remedy="", hub_read_at=now)
    # What it says of others changes theirs, and what it no longer says may end some.
    SavingsSource.objects.update(judged_at=None)


def _item(source: SavingsSource, account: AwsAccount, one: HubRecommendation, now: datetime) -> HubItem:
    return HubItem(
        source=source,
        account=account,
        number=one.account_id[:12],
        aws_id=one.recommendation_id[:128],
        region=one.region[:32],
        resource_id=(one.resource_id or one.recommendation_id)[:512],
        resource_type=one.resource_type[:64],
        action=one.action[:64],
        current=one.current,
        recommended=one.recommended,
        saving=one.saving,
        currency=one.currency[:3],
        effort=one.effort[:32],
        restart_needed=one.restart_needed,
        rollback_possible=one.rollback_possible,
        lookback_days=one.lookback_days,
        refreshed_at=one.refreshed_at,
        read_at=now,
    )


def _note(source: SavingsSource, status: HubStatus, detail: str, remedy: str) -> None:
    _set(source, hub_status=status, hub_detail=detail, hub_remedy=remedy)


def _set(source: SavingsSource, **columns: object) -> None:
    SavingsSource.objects.filter(pk=source.pk).update(**columns)
