"""Expenses in groups: count, sum, average and median for each currency, held against the period before.

An expense is in exactly one group, so any grouping adds up to the whole. By tag, that group is the combination of its tags.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any, Final, Protocol, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, Max, QuerySet, Window
from django.db.models.functions import Coalesce, RowNumber

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import ZERO, total
from cloudconsole.core.periods import MonthOf, WeekdayOf, WeekOf
from expenses.models import Category, Expense, ExpenseQuerySet, PaymentMethod
from expenses.models.sums import CostSum
from expenses.rules import currencies, grouping
from expenses.rules.grouping import IN_ORDER, PERIODS, Days, GroupBy
from expenses.selectors import expenses
from expenses.selectors.expenses import ExpenseFilter

MAX_GROUPS: Final = 20_000
WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# One column for each grouping; what it is called for people is looked up afterwards, or read with it.
_KEYS: Final[Mapping[GroupBy, Any]] = {
    GroupBy.CATEGORY: Coalesce("category__parent_id", "category_id"),
    GroupBy.SUBCATEGORY: F("category_id"),
    GroupBy.MONTH: MonthOf("date"),
    GroupBy.WEEK: WeekOf("date"),
    GroupBy.WEEKDAY: WeekdayOf("date"),
    GroupBy.DAY: F("date"),
    GroupBy.PAYMENT_METHOD: F("payment_method_id"),
    GroupBy.LOCATION: F("location"),
    GroupBy.PAYEE: F("payee_key"),
    GroupBy.TAG: F("tags"),
    GroupBy.USER: F("owner_id"),
}
_LABELS: Final = {GroupBy.PAYEE: "payee", GroupBy.USER: "owner_name"}

Key = int | str | date | tuple[str, ...] | None


class TooManyGroups(CloudconsoleError):
    code = "too_many_groups"
    title = "There are too many groups"


@dataclass(frozen=True)
class Group:
    """`previous`: the sum of the same group in the period before, None where groups are periods or there is none before."""

    keys: tuple[Key, ...]
    labels: tuple[str, ...]
    currency: str
    count: int
    amount: Decimal
    average: Decimal
    median: Decimal | None = None
    previous: Decimal | None = None


@dataclass(frozen=True)
class Whole:
    """All expenses of one currency; `previous` is None where the question has no beginning."""

    currency: str
    count: int
    amount: Decimal
    average: Decimal
    previous: Decimal | None


@dataclass(frozen=True)
class Report:
    group_by: tuple[GroupBy, ...]
    days: Days | None
    previous: Days | None
    totals: tuple[Whole, ...]
    groups: tuple[Group, ...] = field(default=())


def report(user: User | AnonymousUser, wanted: ExpenseFilter, group_by: Sequence[GroupBy], *, medians_of: int = 0) -> Report:
    """What `user` asks for, the largest sums first and periods in their order. Raises TooManyGroups.

    Medians have to put every expense in order: they come where there are no more than `medians_of` expenses.
    """
    found = expenses.listed(user, wanted)
    days = Days(wanted.start, wanted.end) if wanted.start and wanted.end else None
    previous = grouping.previous(days) if days else None
    earlier = expenses.listed(user, replace(wanted, start=previous.start, end=previous.end)) if previous else None
    groups = _groups(found, tuple(group_by))
    if earlier is not None and not set(group_by) & set(PERIODS):
        groups = _compared(groups, _groups(earlier, tuple(group_by)))
    if 0 < sum(one.count for one in groups) <= medians_of:
        groups = _with_medians(groups, _medians(found, tuple(group_by)))
    return Report(tuple(group_by), days, previous, _totals(groups, earlier), tuple(_ordered(groups, group_by)))


def keyed(found: ExpenseQuerySet, group_by: Sequence[GroupBy]) -> tuple[QuerySet[Expense, Any], list[str]]:
    """Each expense with the keys of its group, and what those columns are called."""
    names = [f"key_{at}" for at in range(len(group_by))]
    return found.order_by().annotate(**{name: _KEYS[one] for name, one in zip(names, group_by, strict=True)}), names


def summed(by_key: QuerySet[Expense, Any], names: Sequence[str]) -> QuerySet[Expense, Any]:
    """A row of `names`, `currency`, `rows` and `amount` for each group."""
    grouped: QuerySet[Expense, Any] = by_key.values(*names, "currency").annotate(rows=Count("*"), amount=CostSum("cost"))
    return grouped


def _groups(found: ExpenseQuerySet, group_by: tuple[GroupBy, ...]) -> list[Group]:
    by_key, names = keyed(found, group_by)
    told = {f"label_{at}": Max(_LABELS[one]) for at, one in enumerate(group_by) if one in _LABELS}
    rows = list(summed(by_key, names).annotate(**told)[: MAX_GROUPS + 1])
    if len(rows) > MAX_GROUPS:
        raise TooManyGroups(f"There are more than {MAX_GROUPS:,} groups: narrow the filter, or group by something coarser.")
    labels = [
        _labels(one, {row[name] for row in rows}) if one in _LOOKED_UP else {} for one, name in zip(group_by, names, strict=True)
    ]
    return [_group(row, group_by, labels) for row in rows]


def _group(row: Mapping[str, Any], group_by: Sequence[GroupBy], labels: Sequence[Mapping[Any, str]]) -> Group:
    keys = tuple(_key(row[f"key_{at}"]) for at in range(len(group_by)))
    shown = tuple(
        labels[at].get(key, "") or _label(one, key, row.get(f"label_{at}") or "")
        for at, (one, key) in enumerate(zip(group_by, keys, strict=True))
    )
    count, amount, currency = row["rows"], row["amount"], row["currency"]
    return Group(keys, shown, currency, count, amount, currencies.rounded(amount / count, currency))


def _key(value: Any) -> Key:
    return tuple(value) if isinstance(value, list) else value


_LOOKED_UP: Final = (GroupBy.CATEGORY, GroupBy.SUBCATEGORY, GroupBy.PAYMENT_METHOD)


def _labels(group: GroupBy, keys: Iterable[Any]) -> dict[Any, str]:
    wanted = [key for key in keys if key is not None]
    if group is GroupBy.PAYMENT_METHOD:
        return dict(PaymentMethod.objects.filter(pk__in=wanted).values_list("pk", "name"))
    return {one.pk: str(one) for one in Category.objects.filter(pk__in=wanted).select_related("parent")}


_NOTHING: Final = {
    GroupBy.CATEGORY: "Uncategorised",
    GroupBy.SUBCATEGORY: "Uncategorised",
    GroupBy.PAYMENT_METHOD: "No payment method",
    GroupBy.LOCATION: "No location",
    GroupBy.PAYEE: "No payee",
    GroupBy.TAG: "Untagged",
    GroupBy.USER: "Nobody",
}


def _label(group: GroupBy, key: Key, told: str) -> str:
    if isinstance(key, tuple):
        return " + ".join(key) or _NOTHING[group]
    if isinstance(key, date):
        return f"{key:%b %Y}" if group is GroupBy.MONTH else f"{'Week of ' if group is GroupBy.WEEK else ''}{key.day} {key:%b %Y}"
    if group is GroupBy.WEEKDAY and isinstance(key, int):
        return WEEKDAYS[key - 1]
    return told or str(key or "") or _NOTHING[group]


def _compared(groups: Sequence[Group], earlier: Sequence[Group]) -> list[Group]:
    """With the sums of before; a group that was only there before stands with nothing now."""
    before = {(one.keys, one.currency): one for one in earlier}
    now = [replace(one, previous=_amount_of(before.pop((one.keys, one.currency), None))) for one in groups]
    gone = [replace(one, count=0, amount=Decimal(0), average=Decimal(0), previous=one.amount) for one in before.values()]
    return [*now, *gone]


def _amount_of(group: Group | None) -> Decimal:
    return group.amount if group else Decimal(0)


def _totals(groups: Sequence[Group], earlier: ExpenseQuerySet | None) -> tuple[Whole, ...]:
    before = {one.currency: one.amount for one in expenses.totals(earlier)} if earlier is not None else None
    by_currency: defaultdict[str, list[Group]] = defaultdict(list)
    for one in groups:
        by_currency[one.currency].append(one)
    wholes = [_whole(currency, found, before) for currency, found in by_currency.items()]
    return tuple(sorted(wholes, key=lambda one: (-one.count, one.currency)))


def _whole(currency: str, groups: Sequence[Group], before: Mapping[str, Decimal] | None) -> Whole:
    count, amount = sum(one.count for one in groups), total(one.amount for one in groups)
    average = currencies.rounded(amount / count, currency) if count else Decimal(0)
    return Whole(currency, count, amount, average, None if before is None else before.get(currency, Decimal(0)))


def _medians(found: ExpenseQuerySet, group_by: tuple[GroupBy, ...]) -> Mapping[tuple[tuple[Key, ...], str], Decimal]:
    """The middle amount of each group, or the mean of the two in the middle: exact, by their place in the order."""
    by_key, names = keyed(found, group_by)
    parts = [*names, "currency"]
    placed = by_key.annotate(
        place=Window(RowNumber(), partition_by=parts, order_by=["cost", "id"]),
        size=Window(Count("*"), partition_by=parts),
    )
    middle = placed.annotate(twice=F("place") * 2).filter(twice__gte=F("size"), twice__lte=F("size") + 2)
    amounts: defaultdict[tuple[tuple[Key, ...], str], list[Decimal]] = defaultdict(list)
    for row in middle.values(*parts, "cost"):
        amounts[tuple(_key(row[name]) for name in names), row["currency"]].append(row["cost"])
    return {key: total(values) / len(values) for key, values in amounts.items()}


def _with_medians(groups: Sequence[Group], medians: Mapping[tuple[tuple[Key, ...], str], Decimal]) -> list[Group]:
    return [replace(one, median=medians.get((one.keys, one.currency))) for one in groups]


class Summed(Protocol):
    """A group of either kind of report."""

    @property
    def keys(self) -> tuple[Key, ...]: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def amount(self) -> Decimal | None: ...


Sum = TypeVar("Sum", bound=Summed)


def _ordered(groups: Sequence[Group], group_by: Sequence[GroupBy]) -> list[Group]:
    by_currency: defaultdict[str, list[Group]] = defaultdict(list)
    for one in groups:
        by_currency[one.currency].append(one)
    return [one for currency in sorted(by_currency) for one in ordered(by_currency[currency], group_by)]


def ordered(groups: Sequence[Sum], group_by: Sequence[GroupBy]) -> list[Sum]:
    """Groups of one currency: periods in their order, all else by what it adds up to, the largest first and the unknown last.
    Of two groupings the second is in order within the first.
    """
    firsts: defaultdict[Key, list[Decimal | None]] = defaultdict(list)
    for one in groups:
        firsts[one.keys[0]].append(one.amount)

    def place(one: Sum) -> list[Any]:
        known = [amount for amount in firsts[one.keys[0]] if amount is not None]
        amounts = (total(known) if known else None, one.amount)
        return [
            key if group in IN_ORDER else (amount is None, -abs(amount or ZERO), label)
            for group, key, label, amount in zip(group_by, one.keys, one.labels, amounts, strict=False)
        ]

    return sorted(groups, key=place)


def drill(group_by: Sequence[GroupBy], keys: Sequence[Key]) -> list[tuple[str, str]]:
    """The parameters of an address that narrow a list to one group."""
    return [pair for one, key in zip(group_by, keys, strict=True) for pair in _narrowed(one, key)]


def _narrowed(group: GroupBy, key: Key) -> list[tuple[str, str]]:
    if isinstance(key, date):
        days = grouping.period_of(group, key)
        return [("start", days.start.isoformat()), ("until", days.last.isoformat())]
    name = {GroupBy.SUBCATEGORY: "only_category", GroupBy.USER: "owner", GroupBy.TAG: "only_tag"}.get(group, group.value)
    if isinstance(key, tuple):
        return [(name, one) for one in key] or [("without", "tag")]
    if key in (None, ""):
        return [("without", "category" if group is GroupBy.SUBCATEGORY else name)]
    return [(name, str(key))]
