"""Schedules and what they decided, as people read them: the days ahead, the instances meant, the reasons."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Count, Max, Q, QuerySet

from accounts.models import User
from accounts.selectors.aws_accounts import NotAllowedHere
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Decision, Instance, Schedule, Slot
from resources.models.automation import ScheduleQuerySet
from resources.rules import schedules as rules
from resources.rules.automation import Outcome
from resources.rules.schedules import Deed, Edge, Hours
from resources.selectors import fleets

AHEAD = 14
_DAY = timedelta(days=1)
_MINUTES = 24 * 60


class ScheduleNotFound(CloudconsoleError):
    """There is none, or none that the reader may see: nobody can tell which."""

    kind = Kind.NOT_FOUND
    code = "schedule_not_found"
    title = "Not found"


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of running within one local day, in minutes of its clock."""

    start: int
    end: int

    @property
    def length(self) -> int:
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Point:
    """A lone start or stop, which no stretch of running shows; `minute` of the local clock."""

    minute: int
    deed: Deed


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the calendar, in the schedule's time zone."""

    day: date
    bars: tuple[Bar, ...]
    points: tuple[Point, ...]
    edges: tuple[Edge, ...]
    is_holiday: bool

    @property
    def text(self) -> str:
        """The day in words."""
        told = [f"{_clock(bar.start)} to {_clock(bar.end)}" for bar in self.bars]
        told += [f"{point.deed} at {_clock(point.minute)}" for point in self.points]
        return ", ".join(told) or "nothing"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def visible(user: User, permission: Perm = Perm.RESOURCES_VIEW) -> ScheduleQuerySet:
    """With who owns them and when they last acted."""
    acted = Max("slots__at", filter=Q(slots__status="done"))
    return Schedule.objects.visible_to(user, permission).select_related("owner").annotate(acted_at=acted).order_by("name", "pk")


def get_for(user: User, pk: int, permission: Perm) -> Schedule:
    """Raises ScheduleNotFound, or NotAllowedHere when it may only be seen."""
    found = visible(user).filter(pk=pk).first()
    if found is None:
        raise ScheduleNotFound("There is no such schedule, or none that you may see.")
    if permission != Perm.RESOURCES_VIEW and not may_change(user, found):
        raise NotAllowedHere("You may see this schedule, but not change it: that takes the role operator on all its accounts.")
    return found


def may_change(user: User, schedule: Schedule) -> bool:
    return Schedule.objects.visible_to(user, Perm.RESOURCES_OPERATE).filter(pk=schedule.pk).exists()


def ahead(schedule: Schedule, days: int = AHEAD) -> list[Day]:
    """The coming days, today first, in the schedule's time zone."""
    hours, now = schedule.hours, clock.now()
    first = now.astimezone(hours.zone).date()
    return [_day(hours, first + number * _DAY, schedule.holidays) for number in range(days)]


def _day(hours: Hours, day: date, holidays: Sequence[str]) -> Day:
    start, end = _midnight(day, hours.zone), _midnight(day + _DAY, hours.zone)
    found = rules.edges(hours, start, end)
    bars = _bars(hours, found, start)
    shown = {bar.start for bar in bars} | {bar.end for bar in bars}
    points = [Point(_minute(edge, hours.zone), edge.deed) for edge in found]
    lone = tuple(point for point in points if point.minute not in shown)
    return Day(day, tuple(bars), lone, tuple(found), day.isoformat() in holidays)


def _minute(edge: Edge, zone: ZoneInfo) -> int:
    local = edge.at.astimezone(zone)
    return local.hour * 60 + local.minute


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return rules.moment_of(day, time(), zone, last=False)


def _bars(hours: Hours, edges: Sequence[Edge], midnight: datetime) -> list[Bar]:
    bars: list[Bar] = []
    since: int | None = 0 if rules.is_on(hours, midnight) else None
    for edge in edges:
        minute = _minute(edge, hours.zone)
        if edge.deed is Deed.START:
            since = minute if rules.is_on(hours, edge.at) else None
        elif since is not None:
            bars.append(Bar(since, minute))
            since = None
    if since is not None:
        bars.append(Bar(since, _MINUTES))
    return [bar for bar in bars if bar.length > 0]


def next_edge(schedule: Schedule) -> Edge | None:
    return rules.next_edge(schedule.hours, clock.now())


def meant(user: User, schedule: Schedule) -> list[Instance]:
    """The instances that it would act on now, as far as `user` may see them."""
    chosen = [machine.pk for machine in fleets.meant_by(schedule)]
    seen = Instance.objects.visible_to(user, Perm.RESOURCES_VIEW).select_related("account")
    return list(seen.filter(pk__in=chosen).order_by("name", "instance_id"))


def slots_of(user: User, schedule: Schedule, limit: int = 20) -> list[Slot]:
    """Its newest moments, with how many instances were acted on, left alone and refused."""
    counts = {outcome.value: Count("decisions", filter=Q(decisions__outcome=outcome.value)) for outcome in Outcome}
    return list(Slot.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(schedule=schedule).annotate(**counts)[:limit])


def decisions(user: User) -> QuerySet[Decision]:
    """What was decided about instances of accounts that `user` may see, the newest first."""
    found = Decision.objects.visible_to(user, Perm.RESOURCES_VIEW)
    return found.select_related("slot__schedule", "slot__rule", "account", "operation").order_by("-pk")
