"""How much of a quota is used, and what that means. Pure arithmetic over what AWS told."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import IntEnum, StrEnum

from resources.rules.quota_names import Claude, Measure, Profile

HOUR, DAY, MINUTE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
# The capability without which nothing is asked.
READ = "quotas.read"
# Documented for Claude 3.7 Sonnet, Opus 4, Sonnet 4 and newer (Bedrock user guide, "Token burndown rates").
_BURNS_SINCE, _BURNDOWN = 3.7, 5
_FEWEST_DAYS = 3  # with fewer there is no trend


class Kind(StrEnum):
    """Where the figure comes from."""

    BEDROCK = "bedrock"
    METRIC = "metric"
    COUNTED = "counted"


class Method(StrEnum):
    """How the usage was found."""

    ESTIMATE = "estimated_tpm_quota_usage"
    TOKENS = "counted_tokens"
    INVOCATIONS = "invocations"
    DAY_OF_TOKENS = "tokens_of_24_hours"
    METRIC = "usage_metric"
    RATE = "usage_metric_rate"
    INVENTORY = "inventory"


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    CRITICAL = "critical"
    NOT_ENABLED = "not_enabled"
    UNKNOWN = "unknown"


class Level(IntEnum):
    """What was told to people last. An alert is an edge: a step up."""

    NONE = 0
    WARNING = 1
    CRITICAL = 2


@dataclass(frozen=True, slots=True)
class Minute:
    """What CloudWatch told of one model in one minute. A series without data counts 0 as long as another has some.

    `estimate_sum` and `estimate_max`: EstimatedTPMQuotaUsage by both statistics; None where AWS does not publish it.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_write_tokens: int = 0
    invocations: int = 0
    throttles: int = 0
    estimate_sum: int | None = None
    estimate_max: int | None = None


@dataclass(frozen=True, slots=True)
class Burned:
    """Tokens that a minute took from the quota, and whether AWS itself says so."""

    tokens: int
    by_aws: bool


def burndown(model: Claude, factors: Mapping[str, int]) -> int:
    """How many tokens of the quota one output token takes. `factors`: what the operator knows better, by the model's key."""
    if model.key in factors:
        return factors[model.key]
    return _BURNDOWN if model.number >= _BURNS_SINCE else 1


def counted(minute: Minute, factor: int) -> int:
    """Input, what is written to the cache, and output by its factor; what is read from the cache takes nothing."""
    return minute.input_tokens + minute.cache_write_tokens + minute.output_tokens * factor


def burned(minute: Minute, factor: int) -> Burned:
    """What a minute took. AWS's own estimate goes first.

    Where its two statistics differ, AWS has sent several values in the minute, and does not say whether they add up: the
    one nearer to the tokens that were counted is taken.
    """
    own = counted(minute, factor)
    told = [value for value in (minute.estimate_sum, minute.estimate_max) if value is not None]
    if not told:
        return Burned(own, by_aws=False)
    return Burned(min(told, key=lambda value: (abs(value - own), -value)), by_aws=True)


@dataclass(frozen=True, slots=True)
class Use:
    """What a quota's measure was in one minute."""

    amount: Decimal
    throttles: int
    by_aws: bool


def use(measure: Measure, quota_profile: Profile, minutes: Iterable[tuple[Profile, Minute]], factor: int) -> Use:
    """One minute of a quota, from all ids by which its model was called in it.

    A daily quota of the region is doubled for cross-region calls, so their tokens count half against it.
    """
    amount, throttles, by_aws = Decimal(0), 0, True
    for profile, minute in minutes:
        throttles += minute.throttles
        if measure is Measure.REQUESTS_PER_MINUTE:
            amount += minute.invocations
            continue
        found = burned(minute, factor)
        half = quota_profile is Profile.REGIONAL and profile is Profile.CROSS_REGION
        amount += Decimal(found.tokens) / 2 if half else found.tokens
        by_aws = by_aws and found.by_aws
    return Use(amount, throttles, by_aws and measure is not Measure.REQUESTS_PER_MINUTE)


def covers(quota_profile: Profile, profile: Profile) -> bool:
    """Whether calls by `profile` take from a quota of `quota_profile`."""
    if quota_profile is Profile.REGIONAL:
        return profile is not Profile.GLOBAL
    return quota_profile is profile


# --- what it means


@dataclass(frozen=True, slots=True)
class Limits:
    """What AWS allows. `applied` None: AWS never set a value of its own for the account."""

    applied: Decimal | None
    default: Decimal | None

    @property
    def in_force(self) -> Decimal | None:
        return self.default if self.applied is None else self.applied


@dataclass(frozen=True, slots=True)
class Thresholds:
    """In percent of the limit."""

    warning: int
    critical: int


def percent(amount: Decimal | None, limit: Decimal | None) -> float | None:
    """None where either is unknown, or the limit is 0."""
    if amount is None or limit is None or limit <= 0:
        return None
    return float(amount / limit * 100)


def state(limits: Limits, pressure: float | None, thresholds: Thresholds) -> State:
    """`pressure`: percent of the limit. A limit of 0 is no full quota: nobody may use it."""
    if limits.in_force == 0:
        return State.NOT_ENABLED
    if pressure is None:
        return State.UNKNOWN
    return {Level.NONE: State.OK, Level.WARNING: State.WARNING, Level.CRITICAL: State.CRITICAL}[_level(pressure, thresholds)]


def level(limits: Limits, pressure: float | None, thresholds: Thresholds, before: Level) -> Level:
    """The level to remember: what is not known changes nothing, so that finding it again is no news."""
    if limits.in_force is None or pressure is None:
        return before
    return _level(pressure, thresholds)


def _level(pressure: float, thresholds: Thresholds) -> Level:
    if pressure >= thresholds.critical:
        return Level.CRITICAL
    return Level.WARNING if pressure >= thresholds.warning else Level.NONE


# In what order a list shows what has no pressure; from HELD on it is worth a look.
HELD, UNUSED, OFF, UNKNOWN = -0.25, -0.5, -1.0, -2.0


def rank(limits: Limits, pressure: float | None, *, used: bool) -> float:
    """The pressure of what was `used` lately, and below 0 for everything else."""
    if limits.in_force == 0:
        return HELD if (limits.default or 0) > 0 else OFF
    if used:
        return pressure or 0.0
    return UNKNOWN if pressure is None else UNUSED


# --- where it goes


@dataclass(frozen=True, slots=True)
class Trend:
    """The straight line through the highest value of each day. `per_day` None: too few days."""

    per_day: float | None
    days_to_limit: int | None


def trend(days: Sequence[tuple[int, float]], limit: float | None) -> Trend:
    """`days`: number of the day and its highest value, oldest first. Days to the limit only where it grows towards it.

    A slope that would take more than ten years is none.
    """
    if len({day for day, _ in days}) < _FEWEST_DAYS:
        return Trend(None, None)
    slope = _slope(days)
    if limit is None or slope <= 0:
        return Trend(slope, None)
    left = limit - days[-1][1]
    if left <= 0:
        return Trend(slope, 0)
    needed = left / slope
    return Trend(slope, math.ceil(needed) if needed <= 3650 else None)


def _slope(days: Sequence[tuple[int, float]]) -> float:
    count = len(days)
    middle = sum(day for day, _ in days) / count
    level_of = sum(value for _, value in days) / count
    spread = sum((day - middle) ** 2 for day, _ in days)
    return sum((day - middle) * (value - level_of) for day, value in days) / spread


# --- moments


def minute_of(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


# --- what the inventory counts


class Countable(StrEnum):
    """What a quota may be compared with that no metric tells."""

    BUCKETS = "buckets"
    CODE_STORAGE = "code_storage"
    ADDRESSES = "addresses"
    SNAPSHOTS = "snapshots"
    APPLICATION_BALANCERS = "application_balancers"
    NETWORK_BALANCERS = "network_balancers"
    CLASSIC_BALANCERS = "classic_balancers"


_COUNTED = {
    ("s3", "buckets"): Countable.BUCKETS,
    ("s3", "general purpose buckets"): Countable.BUCKETS,
    ("lambda", "function and layer storage"): Countable.CODE_STORAGE,
    ("ec2", "ec2 vpc elastic ips"): Countable.ADDRESSES,
    ("ebs", "snapshots per region"): Countable.SNAPSHOTS,
    ("elasticloadbalancing", "application load balancers per region"): Countable.APPLICATION_BALANCERS,
    ("elasticloadbalancing", "network load balancers per region"): Countable.NETWORK_BALANCERS,
    ("elasticloadbalancing", "classic load balancers per region"): Countable.CLASSIC_BALANCERS,
}


def countable(service_code: str, name: str) -> Countable | None:
    """What the inventory holds that this quota limits; None for every other name."""
    words = "".join(letter if letter.isalnum() else " " for letter in name.lower()).split()
    return _COUNTED.get((service_code, " ".join(words)))
