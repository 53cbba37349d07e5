"""What can be asked about costs, and what comes back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import EXACT, ZERO
from costs.rules import cubes
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange


class Granularity(StrEnum):
    """How time is cut. WHOLE is one result for the whole range."""

    DAILY = "daily"
    MONTHLY = "monthly"
    WHOLE = "whole"


@dataclass(frozen=True, slots=True)
class Question:
    """Costs of `days` in one metric. Empty filters let everything through; filters of one kind are alternatives.

    `tags` are keys and values. `currency` is needed only where several would be mixed. `beside`: dimensions by which the answer
    is told on the same page, so that it comes from the same rows. `told`: of the first grouping only these values are told apart;
    the rest is one group whose first key is empty.
    """

    days: DayRange
    granularity: Granularity = Granularity.DAILY
    group_by: tuple[Dimension, ...] = ()
    metric: Metric = Metric.UNBLENDED
    charge_types: frozenset[ChargeType] = frozenset()
    services: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()
    record_types: frozenset[str] = frozenset()
    usage_types: frozenset[str] = frozenset()
    tags: frozenset[tuple[str, str]] = frozenset()
    currency: str | None = None
    beside: frozenset[Dimension] = frozenset()
    told: frozenset[str] | None = None

    @property
    def filtered(self) -> frozenset[Dimension]:
        """The dimensions that its filters need told apart."""
        needed = {
            Dimension.SERVICE: bool(self.services),
            Dimension.REGION: bool(self.regions),
            Dimension.RECORD_TYPE: bool(self.record_types or self.charge_types),
            Dimension.USAGE_TYPE: bool(self.usage_types),
        }
        tags = (Dimension.tag(key) for key, _ in self.tags)
        return frozenset((*(dimension for dimension, used in needed.items() if used), *tags))

    @property
    def in_full(self) -> Question | None:
        """What has the whole total of a filtered question that tells accounts apart: AWS shares fees out among them and loses a
        part of that (boto/boto3#2140), which is a residual. None where the question's own groups have it.
        """
        if not self.filtered or Dimension.ACCOUNT not in (*self.group_by, *self.beside):
            return None
        return replace(self, group_by=(), beside=frozenset(), told=None)


class NotStored(CloudconsoleError):
    """The stored groupings cannot answer this. Cost Explorer tells at most two dimensions at a time."""

    code = "not_stored"
    title = "This combination is not stored"

    @classmethod
    def because(cls, dimensions: Iterable[Dimension], *, tags: Iterable[Cube] = (), attr: str = "group_by") -> NotStored:
        """`tags`: the cubes of tags that are stored."""
        asked = ", ".join(sorted(dimension.word for dimension in dimensions))
        pairs = "; ".join(" and ".join(dimension.word for dimension in pair) for pair in cubes.pairs(tags))
        return cls(f"Costs are not stored by {asked} at once. Groups and filters together can be one of: {pairs}.", attr=attr)


class MixedCurrencies(CloudconsoleError):
    """Amounts of different currencies are never added."""

    code = "mixed_currencies"
    title = "The costs are in several currencies"

    def __init__(self, currencies: Iterable[str]) -> None:
        self.currencies = tuple(sorted(currencies))
        found = ", ".join(self.currencies)
        super().__init__(f"The costs are in {found}, which are never added: choose one of them as the currency.", attr="currency")


class UnknownAccount(CloudconsoleError):
    code = "unknown_account"
    title = "The account is not known"


class UnknownValue(CloudconsoleError):
    """A misspelt name would otherwise read as "costs nothing"."""

    code = "unknown_value"
    title = "No cost carries this value"


@dataclass(frozen=True, slots=True)
class Group:
    """One combination of values: AWS's strings in `keys`, names for people in `labels`."""

    keys: tuple[str, ...]
    labels: tuple[str, ...]
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Period:
    """One cut of time. Groups and residual add up to `total`, which is None where nothing is stored.

    `complete`: every day of it had settled when fetched, for each account that AWS tells of. `estimated`: AWS has not closed
    the month. `residual`: what AWS told in total but not in groups.
    """

    start: date
    end: date
    estimated: bool
    complete: bool
    total: Decimal | None
    residual: Decimal
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Completeness:
    """How far one account's figures can be trusted. `missing_days`: days of the range of which nothing is stored."""

    account: int
    alias: str
    account_id: str
    status: str
    code: str
    detail: str
    remedy: str
    observed_at: datetime | None
    missing_days: int


@dataclass(frozen=True, slots=True)
class Answer:
    """`total` is None where nothing is stored; `as_of` is when the oldest of the figures was fetched, None if any never was."""

    question: Question
    currency: str | None
    periods: tuple[Period, ...]
    total: Decimal | None
    residual: Decimal
    as_of: datetime | None

    @property
    def amounts(self) -> dict[tuple[str, str], Decimal]:
        """Of each group over all periods; the second key is empty where there is one grouping. Nothing where there is none."""
        found: dict[tuple[str, str], Decimal] = {}
        for period in self.periods if self.question.group_by else ():
            for group in period.groups:
                place = (group.keys[0], group.keys[1] if len(group.keys) > 1 else "")
                found[place] = EXACT.add(found.get(place, ZERO), group.amount)
        return found

    @property
    def labels(self) -> dict[str, str]:
        """What AWS calls the values of the groups."""
        groups = (group for period in self.periods for group in period.groups)
        return {key: label for group in groups for key, label in zip(group.keys, group.labels, strict=True)}
