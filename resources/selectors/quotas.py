"""Quotas as people read them: the list, one with its history, and where nothing could be read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.db.models import Count, QuerySet

from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Quota, QuotaHour, QuotaIncrease, QuotaPlace, QuotaSample
from resources.models.inventory import ResourceQuerySet
from resources.rules import quotas as rules
from resources.rules.quota_names import Measure
from resources.rules.quotas import HOUR, READ, Method, State
from resources.selectors import quota_minutes

EVERYTHING = "all"


class QuotaNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "quota_not_found"
    title = "Not found"


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks of the list; empty is every quota that was used lately or that AWS holds back; `state` "all" is all."""

    accounts: Sequence[AwsAccount] | None = None
    region: str = ""
    service: str = ""
    state: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """The highest use of a quota in one step of time; None where it is not known."""

    at: datetime
    usage: Decimal | None
    throttles: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A range of the history. `step`: the length of what one point stands for."""

    name: str
    title: str
    length: timedelta
    step: timedelta


SPANS = {
    span.name: span
    for span in (
        Span("1h", "1 hour", timedelta(hours=1), timedelta(minutes=1)),
        Span("24h", "24 hours", timedelta(hours=24), timedelta(minutes=15)),
        Span("30d", "30 days", timedelta(days=30), timedelta(hours=12)),
    )
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """Places of one account that do not answer for one reason."""

    account: AwsAccount
    regions: tuple[str, ...]
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Where quotas are read at all. `off`: accounts that do not allow it. `as_of`: the oldest of the places' answers."""

    places: int
    waiting: int
    off: tuple[AwsAccount, ...]
    troubles: tuple[Trouble, ...]
    as_of: datetime | None


def visible(user: User) -> ResourceQuerySet[Quota]:
    return Quota.objects.visible_to(user, Perm.RESOURCES_VIEW).select_related("account")


def found(user: User, question: Question) -> QuerySet[Quota]:
    """Those that are asked for, under most pressure first; what has no figure comes last."""
    rows = visible(user).present()
    if question.accounts is not None:
        rows = rows.filter(account__in=question.accounts)
    for column, value in (("region", question.region), ("service_code", question.service)):
        rows = rows.filter(**{column: value}) if value else rows
    if question.state == "":
        rows = rows.filter(rank__gte=rules.HELD)
    elif question.state != EVERYTHING:
        rows = rows.filter(state=question.state)
    for word in question.search.lower().split()[:8]:
        rows = rows.filter(searched__contains=word)
    return rows.order_by("-rank", "pk")


def get_for(user: User, pk: int) -> Quota:
    """Raises QuotaNotFound."""
    row = visible(user).filter(pk=pk).first()
    if row is None:
        raise QuotaNotFound("There is no such quota, or none that you may see.")
    return row


def may_operate(user: User, quota: Quota) -> bool:
    return aws_accounts.may(user, quota.account, Perm.RESOURCES_OPERATE)


def regions(user: User, accounts: Sequence[AwsAccount]) -> list[str]:
    rows = visible(user).present().filter(account__in=accounts)
    return sorted(rows.order_by().values_list("region", flat=True).distinct())


def services(user: User, accounts: Sequence[AwsAccount]) -> list[tuple[str, str]]:
    """Code and name of the services that any of these quotas is of."""
    rows = visible(user).present().filter(account__in=accounts).order_by()
    named = dict(rows.values_list("service_code", "service_name").distinct())
    return sorted(((code, name or code) for code, name in named.items()), key=lambda one: one[1].lower())


def counts(user: User, accounts: Sequence[AwsAccount]) -> dict[str, int]:
    """How many quotas are in which state."""
    rows = visible(user).present().filter(account__in=accounts).order_by()
    return dict(rows.values_list("state").annotate(number=Count("pk")))


def near_their_limit(user: User, accounts: Sequence[AwsAccount], count: int) -> list[Quota]:
    """For a card: those that warn or are critical, under most pressure first."""
    rows = found(user, Question(accounts)).filter(state__in=[State.WARNING.value, State.CRITICAL.value])
    return list(rows[:count])


def sparklines(quotas: Sequence[Quota]) -> dict[int, list[Decimal | None]]:
    """The highest use of each of the last 24 hours, oldest first; an hour without calls of a model is 0."""
    now = rules.hour_of(clock.now())
    first = now - 23 * HOUR
    lines: dict[int, list[Decimal | None]] = {
        quota.pk: [Decimal(0) if quota.is_bedrock and quota.usage is not None else None] * 24 for quota in quotas
    }
    for pk, hour, peak in QuotaHour.objects.filter(quota__in=quotas, hour__gte=first).values_list("quota_id", "hour", "peak"):
        at = int((hour - first) / HOUR)
        if 0 <= at < 24:
            lines[pk][at] = peak
    return lines


def history(quota: Quota, span: Span) -> list[Point]:
    """Every step of the span, oldest first, the present one last.

    In a step without any call a model used nothing, from when it was first seen on; everything else is then not known.
    What is allowed by day is told as the 24 hours up to the step, which is what its limit is of.
    """
    end = _step_of(clock.now(), span.step) + span.step
    start = end - span.length
    if quota.measure == Measure.TOKENS_PER_DAY:
        return _of_days(quota, span, start)
    found = _raw(quota, span, start, end)
    steps: dict[datetime, Point] = {}
    for point in found:
        at = _step_of(point.at, span.step)
        known = steps.get(at)
        if known is None or known.usage is None or (point.usage or 0) > known.usage:
            steps[at] = Point(at, point.usage, (known.throttles if known else 0) + point.throttles)
        else:
            steps[at] = Point(at, known.usage, known.throttles + point.throttles)
    since = _seen_since(quota)
    return [steps.get(at) or Point(at, _nothing(quota, at, span, since)) for at in _moments(start, span)]


def _moments(start: datetime, span: Span) -> list[datetime]:
    return [start + number * span.step for number in range(int(span.length / span.step))]


def _step_of(moment: datetime, step: timedelta) -> datetime:
    seconds = step.total_seconds()
    return datetime.fromtimestamp(moment.timestamp() // seconds * seconds, UTC)


def _seen_since(quota: Quota) -> datetime | None:
    first = QuotaHour.objects.filter(quota=quota).order_by("hour").first()
    return first.hour if first else None


def _nothing(quota: Quota, at: datetime, span: Span, since: datetime | None) -> Decimal | None:
    is_known = quota.is_bedrock and quota.usage is not None and since is not None and at + span.step > since
    return Decimal(0) if is_known else None


def _raw(quota: Quota, span: Span, start: datetime, end: datetime) -> list[Point]:
    if span.step >= HOUR:
        return _of_hours(quota, start)
    if quota.is_bedrock:
        return _of_minutes(quota, start, end)
    rows = QuotaSample.objects.filter(quota=quota, at__gte=start)
    return [Point(at, usage) for at, usage in rows.values_list("at", "usage")]


def _of_hours(quota: Quota, start: datetime) -> list[Point]:
    rows = QuotaHour.objects.filter(quota=quota, hour__gte=rules.hour_of(start))
    return [Point(*one) for one in rows.values_list("hour", "peak", "throttles")]


def _of_days(quota: Quota, span: Span, start: datetime) -> list[Point]:
    """At each step the 24 hours that end with its last hour; refusals are those of the step's own hours."""
    day, now = 24, rules.hour_of(clock.now())
    rows = QuotaHour.objects.filter(quota=quota, hour__gte=rules.hour_of(start) - day * HOUR)
    told = {hour: (total, throttles) for hour, total, throttles in rows.values_list("hour", "total", "throttles")}
    since = _seen_since(quota)
    points, counted = [], start
    for at in _moments(start, span):
        last = min(now, rules.hour_of(at + span.step - timedelta(microseconds=1)))
        if since is None or last < since:
            points.append(Point(at, None))
            continue
        hours = [last - number * HOUR for number in range(day)]
        refused = sum(told[hour][1] for hour in hours if hour in told and hour >= counted)
        counted = max(counted, last + HOUR)
        points.append(Point(at, sum((told[hour][0] for hour in hours if hour in told), Decimal(0)), refused))
    return points


def _of_minutes(quota: Quota, start: datetime, end: datetime) -> list[Point]:
    if not quota.model or quota.method == "":
        return []
    uses = quota_minutes.uses_of(quota, quota_minutes.between(quota.account_id, quota.region, start, end))
    return [Point(at, one.amount, one.throttles) for at, one in sorted(uses.items())]


def increases(quota: Quota) -> QuerySet[QuotaIncrease]:
    """The requests for more of it, newest first."""
    return QuotaIncrease.objects.filter(quota=quota).select_related("operation__requested_by").order_by("-created_at", "-pk")


def related(user: User, quota: Quota) -> list[Quota]:
    """The other quotas of the same model in the same place."""
    if not quota.model:
        return []
    rows = visible(user).present().filter(account=quota.account, region=quota.region, model=quota.model)
    return list(rows.exclude(pk=quota.pk).order_by("profile", "measure"))


def place_of(quota: Quota) -> QuotaPlace | None:
    return QuotaPlace.objects.filter(account=quota.account, region=quota.region).first()


def coverage(user: User, accounts: Sequence[AwsAccount]) -> Coverage:
    """What the list may lack, and why."""
    rows = QuotaPlace.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(account__in=accounts).select_related("account")
    groups: dict[tuple[int, str, str], list[QuotaPlace]] = defaultdict(list)
    waiting, oldest = 0, None
    known = list(rows.order_by("account__alias", "region"))
    for place in known:
        if place.limits_at is None and not place.limits_code:
            waiting += 1
        for kind in ("limits", "usage"):
            if getattr(place, f"{kind}_code"):
                groups[place.account_id, getattr(place, f"{kind}_detail"), getattr(place, f"{kind}_remedy")].append(place)
        if place.limits_at is not None:
            oldest = min(oldest or place.limits_at, place.limits_at)
    off = tuple(account for account in accounts if READ not in account.capabilities)
    troubles = tuple(
        Trouble(here[0].account, tuple(place.label for place in here), detail, remedy)
        for (_, detail, remedy), here in groups.items()
    )
    return Coverage(len(known), waiting, off, troubles, oldest)


def method_words(quota: Quota) -> str:
    """How the use was found, with the factor where one counts."""
    if not quota.method:
        return ""
    words = quota.get_method_display()
    if quota.method in (Method.TOKENS.value, Method.DAY_OF_TOKENS.value) and quota.burndown:
        return f"{words} (here {quota.burndown})"
    return words
