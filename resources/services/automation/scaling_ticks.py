"""What the scheduler's ring leads to for scaling rules: each whose time has come gets one row, whoever looks."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

import audit.services
from cloudconsole.core import clock, jobs
from resources import verbs
from resources.models import ScalingRule, ScheduleState, Slot, SlotStatus
from resources.rules import scaling as rules
from resources.services.automation.slots import LEASE

RUN = "resources.run_scaling_rules"
KEEPS_QUIET = timedelta(days=7)  # for so long it can be seen what a rule saw and did nothing about
_AT_ONCE = 1_000


def tick() -> None:
    """Two at once are harmless: moving `next_at` is the claim, and a moment has one row. A worker reads all of one place."""
    now = clock.now()
    due = ScalingRule.objects.exclude(state=ScheduleState.PAUSED).filter(next_at__lte=now, account__deleted_at=None)
    places = {(rule.account_id, rule.region) for rule in due.order_by("next_at")[:_AT_ONCE] if _claim(rule, now)}
    for account, region in sorted(places | _dropped(now)):
        jobs.enqueue(RUN, account_id=account, region=region)
    _forget(now)


@transaction.atomic
def _claim(rule: ScalingRule, now: datetime) -> bool:
    """Whether this one made the row of the moment. Who comes second finds `next_at` moved, and leaves."""
    changes: dict[str, object] = {"next_at": rules.next_time(now, rule.period)}
    if over := bool(rule.arms_at and rule.arms_at <= now and rule.state == ScheduleState.TRIAL):
        changes |= {"state": ScheduleState.ARMED, "arms_at": None, "since": now}
    if not ScalingRule.objects.filter(pk=rule.pk, next_at=rule.next_at, updated_at=rule.updated_at).update(**changes):
        return False
    if over:
        detail = {"name": rule.name}
        audit.services.record(verbs.SCALING_RULE_TRIAL_OVER, actor=None, subject=str(rule.pk), detail=detail)
    trial = rule.state == ScheduleState.TRIAL and not over
    at = rules.latest_end(now, rule.period)
    return Slot.objects.get_or_create(rule=rule, at=at, defaults={"trial": trial})[1]


def _dropped(now: datetime) -> set[tuple[int, str]]:
    """Places with rows that nobody works on: their message was lost, or their worker is gone."""
    rung = Q(lease_until=None, created_at__lt=now - LEASE / 5)
    waiting = Slot.objects.filter(rung | Q(lease_until__lt=now), status=SlotStatus.OPEN, rule__isnull=False)
    rows = waiting.select_related("rule")[:_AT_ONCE]
    return {(slot.rule.account_id, slot.rule.region) for slot in rows if slot.rule is not None}


def _forget(now: datetime) -> None:
    """What was acted on is kept; the rest goes, some at each ring."""
    old = Slot.objects.filter(rule__isnull=False, matched=None, at__lt=now - KEEPS_QUIET).exclude(status=SlotStatus.OPEN)
    Slot.objects.filter(pk__in=list(old.order_by("at").values_list("pk", flat=True)[:_AT_ONCE])).delete()
