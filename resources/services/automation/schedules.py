"""Making schedules, changing them, and switching them on and off. Whoever changes one becomes its owner: it acts as they may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import available_timezones

from django.db import transaction

import audit.services
from accounts.models import AwsAccount, Environment, User
from accounts.selectors import aws_accounts
from accounts.services.inputs import InvalidInput, region_names
from audit.verbs import Verb
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources import verbs
from resources.models import Schedule, ScheduleState, Slot, SlotStatus
from resources.rules import schedules as rules
from resources.rules.schedules import Days, Deed, Missed, Mode, Period
from resources.services.operations.refusals import NotConfirmed

TRIAL = timedelta(days=7)
NAME_LENGTH = 80
_MOST = 200  # of periods, holidays, tags and instances each
_LONGEST_OVERRIDE = timedelta(days=90)


class InvalidSchedule(CloudconsoleError):
    code = "invalid_schedule"
    title = "The schedule cannot be kept"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A schedule as somebody wants it. Empty conditions mean all; without accounts, all that its owner may operate."""

    name: str
    zone: str
    periods: Sequence[Period]
    holidays: Sequence[date] = ()
    mode: Mode = Mode.EDGES
    missed: Missed = Missed.RUN_ONCE
    accounts: Sequence[AwsAccount] = ()
    environments: Sequence[str] = ()
    regions: Sequence[str] = ()
    tags: Sequence[tuple[str, str]] = ()
    instances: Sequence[str] = field(default=())


@transaction.atomic
def create(*, wanted: Wanted, by: User) -> Schedule:
    """Make it, on trial for a week. Raises InvalidSchedule, NotAllowedHere."""
    columns = _columns(wanted, by)
    now = clock.now()
    schedule = Schedule(owner=by, arms_at=now + TRIAL, looked_until=now, **columns)
    schedule.next_at = next_look(schedule, now)
    schedule.save()
    schedule.accounts.set(wanted.accounts)
    return _told(schedule, verbs.SCHEDULE_CREATED, by)


@transaction.atomic
def edit(*, plan: Schedule, wanted: Wanted, by: User) -> Schedule:
    """Other hours from now on; its moments until now stay as they were. Raises InvalidSchedule, NotAllowedHere."""
    _check_may(plan, by)
    now = clock.now()
    for name, value in _columns(wanted, by).items():
        setattr(plan, name, value)
    plan.owner, plan.looked_until, plan.next_at = by, now, next_look(plan, now)
    plan.save()
    plan.accounts.set(wanted.accounts)
    _close_open(plan, "The schedule was changed before it was acted on.")
    return _told(plan, verbs.SCHEDULE_CHANGED, by)


@transaction.atomic
def arm(*, plan: Schedule, by: User) -> Schedule:
    """From now on it acts, as `by` may."""
    return _switched(plan, ScheduleState.ARMED, verbs.SCHEDULE_ARMED, by)


@transaction.atomic
def try_out(*, plan: Schedule, by: User) -> Schedule:
    """From now on, and for a week, it tells what it would do and does nothing."""
    return _switched(plan, ScheduleState.TRIAL, verbs.SCHEDULE_TRIED, by, arms_at=clock.now() + TRIAL)


@transaction.atomic
def pause(*, plan: Schedule, by: User) -> Schedule:
    return _switched(plan, ScheduleState.PAUSED, verbs.SCHEDULE_PAUSED, by, state_reason=f"Paused by {by.get_username()}.")


def _switched(schedule: Schedule, state: ScheduleState, verb: Verb, by: User, **changes: object) -> Schedule:
    """What passed while it did not act is over. Whoever switches it on becomes its owner."""
    _check_may(schedule, by)
    now = clock.now()
    schedule.state, schedule.state_reason, schedule.arms_at, schedule.failures = state, "", None, 0
    schedule.looked_until, schedule.next_at = now, next_look(schedule, now)
    if state != ScheduleState.PAUSED:
        schedule.owner = by
    for name, value in changes.items():
        setattr(schedule, name, value)
    schedule.save()
    _close_open(schedule, "The schedule was switched before it was acted on.")
    return _told(schedule, verb, by)


def _close_open(schedule: Schedule, why: str) -> None:
    """What no worker has begun with belongs to the plan of before."""
    waiting = Slot.objects.filter(schedule=schedule, status=SlotStatus.OPEN, lease_until=None)
    waiting.update(status=SlotStatus.DONE, matched=0, detail=why)


@transaction.atomic
def override(*, schedule: Schedule, deed: Deed | None, until: datetime | None, by: User) -> Schedule:
    """Keep its instances running, or stopped, until then; with None, back to its hours. Raises InvalidSchedule.

    An override acts as soon as it is made, and the hours act when it ends.
    """
    _check_may(schedule, by)
    now = clock.now()
    if deed and (until is None or not now < until <= now + _LONGEST_OVERRIDE):
        raise InvalidSchedule(f"Say until when, within {_LONGEST_OVERRIDE.days} days.", attr="until")
    schedule.override, schedule.override_until = (deed.value, until) if deed else ("", None)
    schedule.owner = by
    schedule.looked_until, schedule.next_at = now, now if deed else next_look(schedule, now)
    schedule.save()
    return _told(schedule, verbs.SCHEDULE_OVERRIDDEN, by, what=deed.value if deed else "its hours")


@transaction.atomic
def delete(*, plan: Schedule, confirm: str, by: User) -> None:
    """It acts no more, and its decisions go with it; what it asked for stays among the operations. Raises NotConfirmed."""
    _check_may(plan, by)
    if confirm.strip() != plan.name:
        raise NotConfirmed(f"Confirm by typing “{plan.name}”.", attr="confirm")
    _told(plan, verbs.SCHEDULE_DELETED, by)
    plan.delete()


def next_look(schedule: Schedule, after: datetime) -> datetime | None:
    """When the schedule has something to do or to put right; None when never."""
    moments = [schedule.override_until] if schedule.override_until and schedule.override_until > after else []
    if schedule.arms_at and schedule.arms_at > after:
        moments.append(schedule.arms_at)
    if edge := rules.next_edge(schedule.hours, after):
        moments.append(edge.at)
    if schedule.is_enforced:
        moments.append(after + LOOKS_EVERY)
    return min(moments, default=None)


LOOKS_EVERY = timedelta(minutes=5)  # how soon an enforced schedule puts things right


def _check_may(schedule: Schedule, by: User) -> None:
    """Raises NotAllowedHere for who may see it and may not operate everything it names."""
    if schedule.owner_id == by.pk or by.is_admin:
        return
    for account in schedule.accounts.all():
        aws_accounts.require(by, account, Perm.RESOURCES_OPERATE)


def _columns(wanted: Wanted, by: User) -> dict[str, object]:
    for account in wanted.accounts:
        aws_accounts.require(by, account, Perm.RESOURCES_OPERATE)
    name = " ".join(wanted.name.split())
    if not 0 < len(name) <= NAME_LENGTH:
        raise InvalidSchedule(f"Give it a name of at most {NAME_LENGTH} characters.", attr="name")
    if wanted.zone not in available_timezones():
        raise InvalidSchedule(f"“{wanted.zone[:64]}” is no time zone. Write one such as Europe/Berlin.", attr="zone")
    _check_periods(wanted)
    _check_conditions(wanted)
    return {
        "name": name,
        "zone": wanted.zone,
        "periods": [_stored(period) for period in wanted.periods],
        "holidays": sorted(day.isoformat() for day in set(wanted.holidays)),
        "mode": wanted.mode.value,
        "missed": wanted.missed.value,
        "environments": sorted(set(wanted.environments)),
        "regions": sorted(set(wanted.regions)),
        "tags": sorted(set(wanted.tags)),
        "instances": sorted(set(wanted.instances)),
    }


def _check_periods(wanted: Wanted) -> None:
    if not 0 < len(wanted.periods) <= _MOST:
        raise InvalidSchedule("Say at least one period.", attr="periods")
    if any(not period.days.names for period in wanted.periods):
        raise InvalidSchedule("Say on which days.", attr="periods")
    if wanted.mode is Mode.ENFORCED and any(period.begin is None or period.end is None for period in wanted.periods):
        raise InvalidSchedule("To be put right always, every period needs a begin and an end.", attr="mode")
    if len(wanted.holidays) > _MOST:
        raise InvalidSchedule(f"At most {_MOST} holidays.", attr="holidays")


def _check_conditions(wanted: Wanted) -> None:
    if not (wanted.accounts or wanted.environments or wanted.tags or wanted.instances):
        raise InvalidSchedule("Say which instances: by account, environment, tag or id.", attr="accounts")
    if unknown := set(wanted.environments) - set(Environment.values):
        raise InvalidSchedule(f"There is no environment “{sorted(unknown)[0][:32]}”.", attr="environments")
    if any(not key for key, _ in wanted.tags) or len(wanted.tags) > _MOST:
        raise InvalidSchedule("A tag has a key, and perhaps a value: team=web.", attr="tags")
    if len(wanted.instances) > _MOST:
        raise InvalidSchedule(f"At most {_MOST} instances by id; more are told by a tag.", attr="instances")
    try:
        region_names(list(wanted.regions))
    except InvalidInput as error:
        raise InvalidSchedule(error.detail, attr="regions") from error


def _stored(period: Period) -> dict[str, object]:
    return {"days": list(period.days.names), "begin": _text(period.begin), "end": _text(period.end)}


def _text(moment: time | None) -> str | None:
    return f"{moment:%H:%M}" if moment else None


def period_of(days: Sequence[str], begin: time | None, end: time | None) -> Period:
    """Raises InvalidSchedule for what names no day or no time."""
    try:
        return Period(Days(tuple(days)), begin, end)
    except ValueError as error:
        raise InvalidSchedule(str(error), attr="periods") from error


def _told(schedule: Schedule, verb: Verb, by: User | None, **detail: str) -> Schedule:
    audit.services.record(verb, actor=by, subject=str(schedule.pk), detail={"name": schedule.name, **detail})
    return schedule
