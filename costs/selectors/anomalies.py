"""Unusual costs as people look at them: the list, what drove an episode, mutes, and what other settings would have found."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When

from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.money import ExactSum
from cloudconsole.core.permissions import Perm
from costs.models import (
    AnomalyFeedback,
    AnomalyMute,
    AnomalyStatus,
    AwsAnomaly,
    CostAnomaly,
    CostAnomalyDay,
    CostMonthSlice,
    CostSource,
    Cube,
    DimensionValue,
)
from costs.models.anomalies import AnomalyMuteQuerySet, CostAnomalyQuerySet
from costs.rules import baselines, detection, episodes, settle
from costs.rules.baselines import Limits, Series
from costs.rules.cubes import Dimension
from costs.rules.drivers import Driver
from costs.rules.spans import Pair
from costs.rules.windows import DayRange
from costs.selectors import anomaly_rules, changes, filed, usage
from costs.selectors.costs import Reader

PREVIEW_DAYS = 90
DRIVERS_SHOWN = 5
_DAY = timedelta(days=1)
_OPEN_FIRST = Case(When(status=AnomalyStatus.OPEN, then=Value(0)), default=Value(1), output_field=IntegerField())


class AnomalyNotFound(CloudconsoleError):
    """There is none, or none that the reader may see."""

    kind = Kind.NOT_FOUND
    code = "anomaly_not_found"
    title = "Not found"


class MuteNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "mute_not_found"
    title = "Not found"


def visible(user: User | AnonymousUser) -> CostAnomalyQuerySet:
    """The open ones first, then the newest, each with its account and `is_muted`."""
    found = CostAnomaly.objects.visible_to(user, Perm.COSTS_VIEW).select_related("source__account")
    return found.with_mutes(clock.today()).order_by(_OPEN_FIRST, "-last_day", "-pk")


def get_for(user: User | AnonymousUser, pk: int, permission: Perm) -> CostAnomaly:
    """One episode. Raises AnomalyNotFound, or NotAllowedHere when it may only be seen."""
    found = visible(user).filter(pk=pk).first()
    if found is None:
        raise AnomalyNotFound("There is no such anomaly, or none that you may see.")
    if not may(user, found, permission):
        raise aws_accounts.not_allowed(found.source.account.alias)
    return found


def may(user: User | AnonymousUser, anomaly: CostAnomaly, permission: Perm) -> bool:
    return CostAnomaly.objects.visible_to(user, permission).filter(pk=anomaly.pk).exists()


def of_accounts(found: CostAnomalyQuerySet, accounts: Sequence[AwsAccount]) -> CostAnomalyQuerySet:
    """Those of these accounts' own costs, and of regions in their bills."""
    numbers = [account.account_id for account in accounts if account.account_id]
    return found.filter(Q(account_number__in=numbers) | Q(account_number="", source__account__in=accounts))


def days_of(anomalies: Iterable[CostAnomaly]) -> dict[int, list[CostAnomalyDay]]:
    """The days of each, in order."""
    found: dict[int, list[CostAnomalyDay]] = {one.pk: [] for one in anomalies}
    for row in CostAnomalyDay.objects.filter(anomaly__in=list(found)).order_by("day"):
        found[row.anomaly_id].append(row)
    return found


def feedback_on(anomaly: CostAnomaly) -> QuerySet[AnomalyFeedback]:
    """The newest first."""
    return anomaly.feedback.select_related("by")


def aws_of(anomaly: CostAnomaly) -> list[AwsAnomaly]:
    """What AWS itself says of it."""
    return list(AwsAnomaly.objects.filter(episode=anomaly))


@dataclass(frozen=True, slots=True)
class AtStake:
    """The impact of open episodes that are not muted, in one currency."""

    currency: str
    episodes: int
    impact: Decimal


def at_stake(found: CostAnomalyQuerySet) -> list[AtStake]:
    loud = found.filter(status=AnomalyStatus.OPEN).unmuted(clock.today()).order_by()
    summed = loud.values("currency").annotate(count=Count("pk"), sum=ExactSum("impact")).order_by("currency")
    return [AtStake(row["currency"], row["count"], row["sum"]) for row in summed]


# --- what drove it


@dataclass(frozen=True, slots=True)
class Drivers:
    """What moved within the episode's service: those of its own account or region first."""

    compared: Pair
    found: tuple[Driver, ...]


def drivers_of(reader: Reader, anomaly: CostAnomaly) -> Drivers:
    """The episode's days against the same weekdays before it. Raises what questions about costs raise."""
    days = DayRange(anomaly.started_on, anomaly.last_day + _DAY)
    weeks = -(-days.days // 7)
    pair = Pair(DayRange(days.start - _DAY * 7 * weeks, days.end - _DAY * 7 * weeks), days)
    told = changes.changes(reader, pair, clock.today(), currency=anomaly.currency, services=frozenset({anomaly.service}))
    own = sorted(told.drivers, key=lambda one: not is_own(one, anomaly))
    return Drivers(told.compared, tuple(own[:DRIVERS_SHOWN]))


def is_own(driver: Driver, anomaly: CostAnomaly) -> bool:
    """Whether it moved in the episode's own account or region."""
    return driver.region == anomaly.region if anomaly.region else driver.account == anomaly.account_number


# --- mutes


def mutes(user: User | AnonymousUser) -> AnomalyMuteQuerySet:
    """Those in force that the reader may see, the newest first."""
    found = AnomalyMute.objects.visible_to(user, Perm.COSTS_VIEW).in_force(clock.today())
    return found.select_related("created_by").order_by("-pk")


def mute_for(user: User | AnonymousUser, pk: int) -> AnomalyMute:
    """In force or not. Raises MuteNotFound."""
    found = AnomalyMute.objects.visible_to(user, Perm.COSTS_VIEW).filter(pk=pk).first()
    if found is None:
        raise MuteNotFound("There is no such mute, or none that you may see.")
    return found


# --- what other settings would have found


@dataclass(frozen=True, slots=True)
class Preview:
    """How many episodes the last complete days would have had; `days` is how many of them could be judged."""

    currency: str
    days: int
    episodes: int
    open_now: int


def preview(reader: Reader, limits: Limits, currency: str, today: date) -> Preview:
    """With `limits` for all accounts of the reader, and as if nobody had said anything of any episode."""
    end = settle.last_complete_day(today) + _DAY
    days = DayRange(end - _DAY * PREVIEW_DAYS, end)
    told = [one for one in usage.of_reader(reader, DayRange(days.start - baselines.REACH, end)) if one.currency == currency]
    dates = [days.start + _DAY * number for number in range(days.days)]
    found = [episode for one in told for episode in _episodes(one, dates, limits)]
    judged = {day for one in told for day in dates if Series(one.complete_by_account, {}).judge(day, limits)}
    return Preview(currency, len(judged), len(found), sum(episode.is_open for episode in found))


def _episodes(told: usage.Usage, dates: Sequence[date], limits: Limits) -> Iterable[episodes.Episode]:
    series = {
        (key.account_number, key.region, key.service): Series(told.complete_for(key), amounts)
        for key, amounts in told.amounts.items()
    }
    for key, verdicts in detection.unusual(series, dates, lambda account: limits).items():
        judged = [day for day in dates if day > max(verdicts) and day in series[key].complete]
        yield from episodes.episodes(verdicts, judged)


def limits_for(currency: str) -> Limits:
    """What holds for accounts without limits of their own."""
    return anomaly_rules.limits(currency)(anomaly_rules.ALL)


# --- names and choices of the pages


def account_names(user: User, numbers: Collection[str]) -> dict[str, str]:
    """What accounts are called: by their alias where the reader may see them, else by AWS's own name."""
    told = DimensionValue.objects.filter(dimension=Dimension.ACCOUNT, value__in=numbers).exclude(label="")
    names = dict(told.values_list("value", "label"))
    seen = AwsAccount.objects.visible_to(user, Perm.COSTS_VIEW).exclude(account_id="")
    return names | dict(seen.values_list("account_id", "alias"))


def manageable(user: User) -> dict[str, str]:
    """The accounts of which the reader decides what is unusual: alias by number."""
    found = AwsAccount.objects.visible_to(user, Perm.ANOMALIES_MANAGE).exclude(account_id="").order_by("alias")
    return dict(found.values_list("account_id", "alias"))


def currencies(user: User) -> list[str]:
    """Those that the reader's costs are in, whether in an account's own bill or in its payer's."""
    seen = CostSource.objects.visible_to(user, Perm.COSTS_VIEW)
    bills = Q(source__in=seen) | Q(source__in=seen.values("covered_by"))
    slices = CostMonthSlice.objects.filter(bills, cube=Cube.TOTAL)
    return sorted(set(slices.order_by().values_list("currency", flat=True).distinct()))


@dataclass(frozen=True, slots=True)
class Watched:
    """How many bills that go on were judged, and through which day the one furthest behind was.

    `unjudged`: too little is known of them.
    """

    bills: int
    judged_through: date | None
    unjudged: int


def watched(user: User) -> Watched:
    seen = CostSource.objects.visible_to(user, Perm.COSTS_VIEW)
    # A member is judged in its payer's bill, whether or not the reader sees that as a whole.
    found = CostSource.objects.counted().filter(Q(pk__in=seen.values("pk")) | Q(pk__in=seen.values("covered_by")))
    sources = list(found.annotate(through=F("anomaly_watch__judged_through")))
    over = filed.among(sources).ended
    through = [vars(source)["through"] for source in sources if source.pk not in over]
    judged = [day for day in through if day is not None]
    return Watched(len(through), min(judged, default=None), len(through) - len(judged))
