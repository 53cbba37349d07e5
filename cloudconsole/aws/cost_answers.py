"""Pages of GetCostAndUsage put together: exact, and the same however AWS cuts and orders them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from cloudconsole.core.money import EXACT, ZERO

if TYPE_CHECKING:
    from mypy_boto3_ce.type_defs import GetCostAndUsageResponseTypeDef, MetricValueTypeDef, ResultByTimeTypeDef

_ACCOUNT_ID = re.compile(r"\d{12}")


@dataclass(frozen=True, slots=True)
class Amounts:
    """One cost in the five ways AWS counts it; exact, signed, in the currency of the answer."""

    unblended: Decimal
    blended: Decimal
    amortized: Decimal
    net_unblended: Decimal
    net_amortized: Decimal

    def plus(self, other: Amounts) -> Amounts:
        return Amounts(
            EXACT.add(self.unblended, other.unblended),
            EXACT.add(self.blended, other.blended),
            EXACT.add(self.amortized, other.amortized),
            EXACT.add(self.net_unblended, other.net_unblended),
            EXACT.add(self.net_amortized, other.net_amortized),
        )

    def canonical(self) -> list[str]:
        """The amounts as text, the same for equal amounts however many zeros AWS wrote."""
        amounts = (self.unblended, self.blended, self.amortized, self.net_unblended, self.net_amortized)
        return [_canonical(amount) for amount in amounts]


# The field of Amounts for each metric, in the order of the fields.
METRIC_NAMES = ("UnblendedCost", "BlendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost")


@dataclass(frozen=True, slots=True)
class DayCosts:
    """One period (a day, or a month by its first day). Grouped answers have no `total`; absent groups cost nothing."""

    day: date
    estimated: bool
    total: Amounts | None
    groups: Mapping[tuple[str, ...], Amounts]


@dataclass(frozen=True, slots=True)
class CostAnswer:
    """All pages as one. `labels`: account id to account name. `payload_hash` changes only with the content."""

    days: tuple[DayCosts, ...]
    currency: str | None  # None when no amount was told
    pages: int
    request_ids: tuple[str, ...]
    labels: Mapping[str, str]
    payload_hash: str

    def keyed(self, keys_of: Callable[[tuple[str, ...]], tuple[str, ...]]) -> CostAnswer:
        """The same costs under other keys; groups whose new keys are the same are added up."""
        return replace(self, days=tuple(replace(day, groups=_keyed(day, keys_of)) for day in self.days))


def _keyed(day: DayCosts, keys_of: Callable[[tuple[str, ...]], tuple[str, ...]]) -> dict[tuple[str, ...], Amounts]:
    found: dict[tuple[str, ...], Amounts] = {}
    for old, amounts in day.groups.items():
        keys = keys_of(old)
        known = found.get(keys)
        found[keys] = amounts if known is None else known.plus(amounts)
    return found


class UnreadablePage(ValueError):
    """A page that is well-formed but not an answer to the question; the text says why."""


@dataclass(slots=True)
class _Day:
    estimated: bool = False
    total: Amounts | None = None
    groups: dict[tuple[str, ...], Amounts] = field(default_factory=dict)


class Merge:
    """Adds up pages. A period may be split between pages and a group may come twice: both are summed."""

    def __init__(self, *, start: date, end: date, keys_per_group: int) -> None:
        self._start, self._end = start, end
        self._keys_per_group = keys_per_group
        self._days: dict[date, _Day] = {}
        self._labels: dict[str, str] = {}
        self._currencies: set[str] = set()
        self._request_ids: list[str] = []

    def add(self, page: GetCostAndUsageResponseTypeDef) -> None:
        """Add a page. Raises UnreadablePage."""
        if not isinstance(page.get("ResultsByTime"), list):
            raise UnreadablePage("There is no list of results in it.")
        for result in page["ResultsByTime"]:
            self._add_period(result)
        for value in page.get("DimensionValueAttributes", ()):
            name = value.get("Attributes", {}).get("description")
            if name and _ACCOUNT_ID.fullmatch(value.get("Value", "")):
                self._labels[value["Value"]] = name
        self._request_ids.append(page["ResponseMetadata"].get("RequestId", ""))

    def answer(self) -> CostAnswer:
        """Everything added so far. Raises UnreadablePage when the amounts are in different currencies."""
        if len(self._currencies) > 1:
            raise UnreadablePage(f"It mixes the currencies {' and '.join(sorted(self._currencies))}.")
        days = tuple(
            DayCosts(day, sums.estimated, sums.total, dict(sorted(sums.groups.items())))
            for day, sums in sorted(self._days.items())
        )
        currency = next(iter(self._currencies), None)
        return CostAnswer(
            days=days,
            currency=currency,
            pages=len(self._request_ids),
            request_ids=tuple(self._request_ids),
            labels=dict(sorted(self._labels.items())),
            payload_hash=_hash(days, currency),
        )

    def _add_period(self, result: ResultByTimeTypeDef) -> None:
        sums = self._days.setdefault(self._day_of(result), _Day())
        sums.estimated = sums.estimated or bool(result.get("Estimated"))
        total = result.get("Total")
        if total:  # {} when the answer is grouped
            amounts = self._amounts(total)
            sums.total = amounts if sums.total is None else sums.total.plus(amounts)
        for group in result.get("Groups") or ():
            keys = tuple(group.get("Keys", ()))
            if len(keys) != self._keys_per_group:
                raise UnreadablePage(f"A group has {len(keys)} keys instead of {self._keys_per_group}.")
            amounts = self._amounts(group.get("Metrics", {}))
            known = sums.groups.get(keys)
            sums.groups[keys] = amounts if known is None else known.plus(amounts)

    def _day_of(self, result: ResultByTimeTypeDef) -> date:
        start = str(result.get("TimePeriod", {}).get("Start", ""))
        try:
            day = date.fromisoformat(start[:10])
        except ValueError as error:
            raise UnreadablePage("A period has no readable start.") from error
        if not self._start <= day < self._end:
            raise UnreadablePage(f"It tells about {day}, which was not asked for.")
        return day

    def _amounts(self, metrics: Mapping[str, MetricValueTypeDef]) -> Amounts:
        return Amounts(*(self._amount(metrics.get(name), name) for name in METRIC_NAMES))

    def _amount(self, value: MetricValueTypeDef | None, name: str) -> Decimal:
        try:
            amount = Decimal(value["Amount"]) if value else None
        except (InvalidOperation, KeyError, TypeError, ValueError) as error:
            raise UnreadablePage(f"{name} is not a number.") from error
        if value is None or amount is None or not amount.is_finite():
            raise UnreadablePage(f"{name} is missing or not a number.")
        unit = value.get("Unit", "")
        # A zero may come without a currency ("N/A"); any other amount must have one.
        if amount != ZERO or re.fullmatch(r"[A-Z]{3}", unit):
            self._currencies.add(unit)
        return amount


def _canonical(amount: Decimal) -> str:
    return "0" if amount == ZERO else format(EXACT.normalize(amount), "f")


def _hash(days: Sequence[DayCosts], currency: str | None) -> str:
    """SHA-256 over the content: periods, flags and amounts, not pages, labels or trailing zeros."""
    content = [
        [
            day.day.isoformat(),
            day.estimated,
            day.total.canonical() if day.total else None,
            [[list(keys), amounts.canonical()] for keys, amounts in day.groups.items()],
        ]
        for day in days
    ]
    text = json.dumps([currency, content], separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()
