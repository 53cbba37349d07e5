"""What the scheduler's ring leads to: every schedule whose time has come is claimed once, whoever looks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

import audit.services
from accounts.models import User
from cloudconsole.core import clock, jobs
from resources import verbs
from resources.models import Schedule, ScheduleState, Slot, SlotStatus
from resources.rules import schedules as rules
from resources.rules.automation import Fleet, Machine, attend, why_left
from resources.rules.schedules import Deed, Edge, Missed
from resources.selectors import fleets
from resources.services.automation.schedules import next_look
from resources.services.automation.slots import LEASE, RUN

_AT_ONCE = 1_000
_SECOND = timedelta(seconds=1)


def tick() -> None:
    """Two at once are harmless: moving `next_at` is the claim, and a moment has one row."""
    now = clock.now()
    due = (
        Schedule.objects.exclude(state=ScheduleState.PAUSED).filter(next_at__lte=now).select_related("owner").order_by("next_at")
    )
    found = list(due[:_AT_ONCE])
    eyes = _Eyes([schedule for schedule in found if schedule.is_enforced or schedule.override])
    for schedule in found:
        _look(schedule, now, eyes)
    _take_up(now)


class _Eyes:
    """What the schedules that put things right see: read once for all of them."""

    def __init__(self, schedules: Sequence[Schedule]) -> None:
        owners = [schedule.owner for schedule in schedules if isinstance(schedule.owner, User)]
        self._may = fleets.operable(owners)
        self._named = fleets.accounts_of(schedules)
        seen = frozenset[int]().union(*self._may.values())
        self._fleet = Fleet(fleets.machines(seen) if schedules else [])

    def to_do(self, schedule: Schedule, deed: Deed) -> list[Machine]:
        may = self._may.get(schedule.owner_id or 0, frozenset())
        meant = fleets.meant(schedule, self._fleet, self._named, may)
        return [machine for machine in meant if why_left(deed, machine, retained=False) is None]


@transaction.atomic
def _look(schedule: Schedule, now: datetime, eyes: _Eyes) -> None:
    """Claim what is due of it. Who comes second finds `next_at` moved, and leaves."""
    expired = schedule.override_until is not None and schedule.override_until <= now
    changes: dict[str, object] = {"override": "", "override_until": None} if expired else {}
    if schedule.arms_at and schedule.arms_at <= now and schedule.state == ScheduleState.TRIAL:
        changes |= {"state": ScheduleState.ARMED, "arms_at": None}
    seen = schedule.next_at
    for name, value in changes.items():
        setattr(schedule, name, value)
    changes |= {"looked_until": now, "next_at": next_look(schedule, now)}
    if not Schedule.objects.filter(pk=schedule.pk, next_at=seen, updated_at=schedule.updated_at).update(**changes):
        return
    if changes.get("state") == ScheduleState.ARMED:
        detail = {"name": schedule.name}
        audit.services.record(verbs.SCHEDULE_TRIAL_OVER, actor=None, subject=str(schedule.pk), detail=detail)
    _claim(schedule, now, eyes, just_back=expired)


def _claim(schedule: Schedule, now: datetime, eyes: _Eyes, *, just_back: bool) -> None:
    if schedule.override:
        _put_right(schedule, Deed(schedule.override), now, eyes)
        return
    edges = rules.edges(schedule.hours, schedule.looked_until + _SECOND, now + _SECOND)
    attended = attend(edges, now, Missed(schedule.missed))
    for edge in attended.passed:
        _slot(schedule, edge, status=SlotStatus.MISSED, detail="Nobody looked in time.")
    if attended.acts:
        _ring(_slot(schedule, attended.acts))
    elif schedule.is_enforced or just_back:
        deed = Deed.START if rules.is_on(schedule.hours, now) else Deed.STOP
        _put_right(schedule, deed, now, eyes)


def _put_right(schedule: Schedule, deed: Deed, now: datetime, eyes: _Eyes) -> None:
    """A moment of its own, at whole minutes, if there is anything to do."""
    if eyes.to_do(schedule, deed):
        _ring(_slot(schedule, Edge(now.replace(second=0, microsecond=0), deed)))


def _slot(schedule: Schedule, edge: Edge, *, status: SlotStatus = SlotStatus.OPEN, detail: str = "") -> Slot | None:
    """The row of this moment; None where there is one already."""
    trial = schedule.state == ScheduleState.TRIAL
    told = {"deed": edge.deed.value, "trial": trial, "status": status, "detail": detail}
    slot, is_made = Slot.objects.get_or_create(schedule=schedule, at=edge.at, defaults=told)
    return slot if is_made else None


def _ring(slot: Slot | None) -> None:
    if slot is not None:
        jobs.enqueue(RUN, slot_id=slot.pk)


def _take_up(now: datetime) -> None:
    """Ring again for what nobody works on: its message was lost, or its worker is gone."""
    rung = Q(lease_until=None, created_at__lt=now - LEASE / 5)
    dropped = Slot.objects.filter(rung | Q(lease_until__lt=now), rule=None, status=SlotStatus.OPEN)
    for pk in dropped.values_list("pk", flat=True)[:_AT_ONCE]:
        jobs.enqueue(RUN, slot_id=pk)
