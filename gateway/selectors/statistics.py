"""What one's own requests came to: calls, successes, latency, bytes; in all, and for each key, each API and each day.

Latency is that of answered requests, and exact: how often each whole millisecond came is counted, and kept
for days that are summed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, NamedTuple, TypeVar

from django.db.models import CharField, Count, Q, QuerySet, Sum
from django.db.models.functions import Cast, Left

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from gateway.models import ApiKey, DaySum, RequestLog, SummedDay
from gateway.models.requests import FAILED
from gateway.rules import presets
from gateway.rules.latency import Latency, latency, packed, together

DAYS = 30
MOST_DAYS = 366
OUTCOMES = ("ok", "failed", "unanswered", "2xx", "3xx", "4xx", "5xx")
Name = TypeVar("Name")
Rows = TypeVar("Rows", QuerySet[RequestLog], QuerySet[DaySum])
SUCCESS = Q(status__lt=400, error="")


@dataclass(frozen=True, slots=True)
class LogFilter:
    """Empty fields let everything through. `outcome`: one of OUTCOMES."""

    days: int = DAYS
    key: int | None = None
    api_name: str = ""
    host: str = ""
    method: str = ""
    outcome: str = ""
    via: str = ""


@dataclass(frozen=True, slots=True)
class Sums:
    """Of some requests. `latency` is None where none was answered."""

    calls: int = 0
    succeeded: int = 0
    unanswered: int = 0
    request_bytes: int = 0
    response_bytes: int = 0
    latency: Latency | None = None

    @property
    def failed(self) -> int:
        return self.calls - self.succeeded

    @property
    def success_rate(self) -> float | None:
        """Percent; None where nothing was called."""
        return round(100 * self.succeeded / self.calls, 2) if self.calls else None


@dataclass(frozen=True, slots=True)
class OfKey:
    """`key_id` is None for requests without a key, or with one that is gone; then its name is what it was called."""

    key_id: int | None
    api_name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class OfApi:
    """An API is its host, whatever keys were used there. `name` is empty where the host is of no well-known service, and
    `host` where no address could be read.
    """

    host: str
    name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class OfDay:
    day: date
    sums: Sums


@dataclass(frozen=True, slots=True)
class OfPerson:
    username: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Statistics:
    days: int
    since: datetime
    keys: int
    total: Sums
    by_key: Sequence[OfKey] = field(default_factory=list)
    by_api: Sequence[OfApi] = field(default_factory=list)
    by_day: Sequence[OfDay] = field(default_factory=list)
    by_cause: Mapping[str, int] = field(default_factory=dict)


def logs(user: User, wanted: LogFilter = LogFilter()) -> QuerySet[RequestLog]:
    """One's own requests of the last days, newest first."""
    found = RequestLog.objects.visible_to(user, Perm.SELF).filter(at__gte=since(wanted.days)).order_by("-at", "-pk")
    return _narrowed(found, wanted)


def _narrowed(found: Rows, wanted: LogFilter) -> Rows:
    if wanted.key is not None:
        found = found.filter(key=wanted.key)
    if wanted.api_name:
        found = found.filter(api_name__iexact=wanted.api_name)
    if wanted.host:
        found = found.filter(host=wanted.host.lower())
    if wanted.method:
        found = found.filter(method=wanted.method)
    if wanted.via:
        found = found.filter(via=wanted.via)
    return found.filter(_outcome(wanted.outcome)) if wanted.outcome else found


def of_key(user: User, key: ApiKey) -> QuerySet[RequestLog]:
    """One's own requests with a key, newest first."""
    return RequestLog.objects.visible_to(user, Perm.SELF).filter(key=key).order_by("-at")


def since(days: int) -> datetime:
    """The first moment (UTC) of a span of days that ends with today."""
    return datetime.combine(clock.today() - timedelta(days=days - 1), time(), UTC)


def of(user: User, wanted: LogFilter = LogFilter()) -> Statistics:
    """Days that are summed are read from their sums, the others from the log; both count by day, key, host and outcome."""
    groups = _groups(_narrowed(DaySum.objects.visible_to(user, Perm.SELF), wanted), logs(user, wanted), since(wanted.days).date())
    parts = {name: _part(same) for name, same in _grouped(groups, _Place.of).items()}
    return Statistics(
        wanted.days,
        since(wanted.days),
        ApiKey.objects.visible_to(user, Perm.SELF).count(),
        _sums(list(parts.values())),
        _by_key(parts),
        _by_api(parts),
        _by_day(parts, wanted.days),
        _by_cause(groups),
    )


def of_people(user: User, days: int = DAYS) -> list[OfPerson]:
    """Sums of each person, for those who may read everybody's audit trail; empty for others."""
    if not user.may(Perm.AUDIT_VIEW_ALL):
        return []
    last, everybody = _last_summed(), RequestLog.objects.filter(at__gte=since(days)).order_by()
    parts: dict[int, list[_Part]] = {}
    for whose, same in _grouped(_of_rows(everybody, last), lambda one: one.user).items():
        parts.setdefault(whose, []).append(_part(same))
    for whose, part in _summed_parts(since(days).date(), last):
        parts.setdefault(whose, []).append(part)
    names = dict(User.objects.filter(pk__in=parts).values_list("pk", "username"))
    people = [OfPerson(names[whose], _sums(same)) for whose, same in parts.items()]
    return sorted(people, key=lambda one: (-one.sums.calls, one.username))


def _summed_parts(first: date, last: date | None) -> Iterator[tuple[int, _Part]]:
    """Of each person, what the summed days from `first` on came to. The database adds up all that it can."""
    if last is None:
        return
    sums = DaySum.objects.filter(day__gte=first, day__lte=last).order_by()
    durations: dict[int, list[bytes | memoryview]] = {}
    for whose, took in sums.values_list("user", "durations"):
        durations.setdefault(whose, []).append(took)
    counted = sums.values_list("user").annotate(
        all_calls=Sum("calls"),
        succeeded=Sum("calls", filter=SUCCESS, default=0),
        unanswered=Sum("calls", filter=Q(status=None), default=0),
        sent=Sum("request_bytes"),
        received=Sum("response_bytes"),
    )
    for whose, calls, succeeded, unanswered, sent, received in counted:
        yield whose, _Part(calls, succeeded, unanswered, sent, received, together(durations[whose]))


def _outcome(name: str) -> Q:
    if name in ("ok", "failed"):
        return SUCCESS if name == "ok" else FAILED
    if name == "unanswered":
        return Q(status=None)
    first = int(name[0]) * 100
    return Q(status__gte=first, status__lt=first + 100)


class _Group(NamedTuple):  # made thousands of times for a page, at a tenth of what a dataclass takes
    """How many requests of a person ended the same way, on one day with one key at one host."""

    day: date
    user: int
    key: int | None
    api_name: str
    host: str
    status: int | None
    error: str
    calls: int
    sent: int
    received: int
    durations: bytes | memoryview  # as the database hands it out

    @property
    def is_success(self) -> bool:
        return self.status is not None and self.status < 400 and not self.error


_SAME = ("key", "api_name", "host", "status", "error")


def _groups(sums: QuerySet[DaySum], rows: QuerySet[RequestLog], first: date) -> list[_Group]:
    """Of the days from `first` on. A day is in `sums` or in `rows`, by what was summed when this began."""
    last = _last_summed()
    found = _of_rows(rows.order_by(), last)
    if last is not None and last >= first:
        days = sums.filter(day__gte=first, day__lte=last)
        values = ("day", "user", *_SAME, "calls", "request_bytes", "response_bytes", "durations")
        found += map(_Group._make, days.values_list(*values))
    return found


def _last_summed() -> date | None:
    return SummedDay.objects.order_by("-day").values_list("day", flat=True).first()


def _of_rows(rows: QuerySet[RequestLog], last: date | None) -> list[_Group]:
    """One pass over what is not summed yet: how often each duration came, and the bytes of those requests."""
    if last is not None:
        rows = rows.filter(at__gte=datetime.combine(last + timedelta(days=1), time(), UTC))
    # Both databases write a moment of UTC with its day in front; SQLite would ask Python for the day of each row.
    rows = rows.annotate(day=Left(Cast("at", CharField()), 10))
    counts = {"calls": Count("pk"), "sent": Sum("request_bytes", default=0), "received": Sum("response_bytes", default=0)}
    found: dict[tuple[Any, ...], list[tuple[int, int, int, int]]] = {}
    for *name, duration, calls, sent, received in rows.values_list("day", "user", *_SAME, "duration_ms").annotate(**counts):
        found.setdefault(tuple(name), []).append((duration, calls, sent, received))
    return [_of_durations(name, durations) for name, durations in found.items()]


def _of_durations(name: tuple[Any, ...], durations: Sequence[tuple[int, int, int, int]]) -> _Group:
    day, user, key, api_name, host, status, error = name
    calls, sent, received = (sum(one[place] for one in durations) for place in (1, 2, 3))
    took = packed({one[0]: one[1] for one in durations}) if status is not None else b""
    return _Group(date.fromisoformat(day), user, key, api_name, host, status, error, calls, sent, received, took)


class _Place(NamedTuple):
    """What statistics are told along."""

    day: date
    key: int | None
    api_name: str
    host: str

    @classmethod
    def of(cls, group: _Group) -> _Place:
        return cls(group.day, group.key, group.api_name, group.host)


class _Part(NamedTuple):
    """What some groups come to. Sums of more are made of such parts, so that each row is looked at once."""

    calls: int
    succeeded: int
    unanswered: int
    sent: int
    received: int
    durations: bytes


def _grouped(groups: Iterable[_Group], name_of: Callable[[_Group], Name]) -> dict[Name, list[_Group]]:
    found: dict[Name, list[_Group]] = {}
    for one in groups:
        found.setdefault(name_of(one), []).append(one)
    return found


def _part(groups: Sequence[_Group]) -> _Part:
    return _Part(
        sum(one.calls for one in groups),
        sum(one.calls for one in groups if one.is_success),
        sum(one.calls for one in groups if one.status is None),
        sum(one.sent for one in groups),
        sum(one.received for one in groups),
        together(one.durations for one in groups),
    )


def _sums(parts: Sequence[_Part]) -> Sums:
    return Sums(
        sum(one.calls for one in parts),
        sum(one.succeeded for one in parts),
        sum(one.unanswered for one in parts),
        sum(one.sent for one in parts),
        sum(one.received for one in parts),
        latency(together(one.durations for one in parts)),
    )


def _along(parts: Mapping[_Place, _Part], name_of: Callable[[_Place], Name]) -> dict[Name, Sums]:
    found: dict[Name, list[_Part]] = {}
    for place, part in parts.items():
        found.setdefault(name_of(place), []).append(part)
    return {name: _sums(same) for name, same in found.items()}


def _by_key(parts: Mapping[_Place, _Part]) -> list[OfKey]:
    """The most used first."""
    keys = [OfKey(*name, sums) for name, sums in _along(parts, lambda place: (place.key, place.api_name)).items()]
    return sorted(keys, key=lambda one: (-one.sums.calls, one.api_name, one.key_id or 0))


def _by_api(parts: Mapping[_Place, _Part]) -> list[OfApi]:
    """The most used first."""
    apis = [OfApi(host, presets.name_of_host(host), sums) for host, sums in _along(parts, lambda place: place.host).items()]
    return sorted(apis, key=lambda one: (-one.sums.calls, one.host))


def _by_day(parts: Mapping[_Place, _Part], days: int) -> list[OfDay]:
    """Every day, also those on which nothing was sent."""
    found, first = _along(parts, lambda place: place.day), since(days).date()
    return [OfDay(day, found.get(day, Sums())) for day in (first + timedelta(days=n) for n in range(days))]


def _by_cause(groups: Iterable[_Group]) -> dict[str, int]:
    """Failed requests by status, or by why no answer came; the most frequent first."""
    found: Counter[str] = Counter()
    for one in groups:
        if not one.is_success:
            found[one.error or f"status_{one.status}"] += one.calls
    return dict(sorted(found.items(), key=lambda cause: (-cause[1], cause[0])))
