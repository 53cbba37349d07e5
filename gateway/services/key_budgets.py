"""What a key may be used for at most. One statement takes a piece of the budget or does not: no two requests get the last one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, F, Q, Value, When
from django.db.models.expressions import Combinable

from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from gateway.models import ApiKey, KeyBudget

BLOCK = 1_048_576  # bytes of an answer are taken in advance by blocks, and what was not needed is given back


class BudgetUsedUp(CloudconsoleError):
    """`retry_after_s`: when the next period begins."""

    kind = Kind.LIMITED
    code = "budget_used_up"
    title = "The budget of the key is used up"

    def __init__(self, detail: str, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class _Moment:
    minute: datetime
    day: date

    @classmethod
    def now(cls) -> _Moment:
        now = clock.now()
        return cls(now.replace(second=0, microsecond=0), now.date())


def take_request(key: ApiKey, size: int) -> None:
    """One request with a body of `size` bytes. Raises BudgetUsedUp."""
    if key.budget.is_limited and not _taken(key, requests=1, size=size):
        raise _used_up(key, size)


def take_bytes(key: ApiKey, size: int) -> None:
    """`size` bytes of an answer that is coming. Raises BudgetUsedUp."""
    if key.budget.bytes_per_day is not None and not _taken(key, requests=0, size=size):
        raise _used_up(key, size)


def give_back(key: ApiKey, *, requests: int = 0, size: int = 0) -> None:
    """What was taken and not used: a request that never left, the rest of a block."""
    if not key.budget.is_limited or not (requests or size):
        return
    at = _Moment.now()
    row = KeyBudget.objects.filter(key=key)
    if requests:
        row.filter(minute=at.minute, minute_requests__gte=requests).update(minute_requests=F("minute_requests") - requests)
    today = row.filter(day=at.day, day_requests__gte=requests, day_bytes__gte=size)
    today.update(day_requests=F("day_requests") - requests, day_bytes=F("day_bytes") - size)


def _taken(key: ApiKey, *, requests: int, size: int) -> bool:
    """The one statement: it counts and compares in the same moment, whoever else does so."""
    at = _Moment.now()
    minute, day = _counted("minute", at.minute, "minute_requests"), _counted("day", at.day, "day_requests")
    volume = _counted("day", at.day, "day_bytes")
    fits = (
        (Q(requests_per_minute=None) | Q(requests_per_minute__gte=minute + requests))
        & (Q(requests_per_day=None) | Q(requests_per_day__gte=day + requests))
        & (Q(bytes_per_day=None) | Q(bytes_per_day__gte=volume + size))
    )
    taken = {"minute_requests": minute + requests, "day_requests": day + requests, "day_bytes": volume + size}
    return bool(KeyBudget.objects.filter(fits, key=key).update(minute=at.minute, day=at.day, **taken))


def _counted(period: str, now: date, name: str) -> Combinable:
    """What was counted in the period that is now; what is left of an older one counts as zero."""
    return Case(When(**{period: now}, then=F(name)), default=Value(0))


def _used_up(key: ApiKey, size: int) -> BudgetUsedUp:
    """Which limit it was, for the words alone: what decided was the statement."""
    now, at, budget = clock.now(), _Moment.now(), KeyBudget.objects.get(key=key)
    used = budget.minute_requests if budget.minute == at.minute else 0
    to_minute = max(1, 60 - now.second)
    to_day = int((datetime.combine(at.day, datetime.min.time(), now.tzinfo) + timedelta(days=1) - now).total_seconds()) + 1
    if budget.requests_per_minute is not None and used >= budget.requests_per_minute:
        return BudgetUsedUp(f"The key is limited to {budget.requests_per_minute} requests per minute.", to_minute)
    if budget.requests_per_day is not None and budget.day == at.day and budget.day_requests >= budget.requests_per_day:
        return BudgetUsedUp(f"The key is limited to {budget.requests_per_day} requests per day (UTC).", to_day)
    return BudgetUsedUp(f"The key is limited to {budget.bytes_per_day} bytes per day (UTC).", to_day)
