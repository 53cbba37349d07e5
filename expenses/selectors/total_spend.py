"""What somebody may see of the total: costs of their accounts and expenses of their workspaces, in one currency."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import cast

from accounts.models import User
from cloudconsole.core import clock, money
from cloudconsole.core.periods import MonthOf
from cloudconsole.core.permissions import Perm
from costs.rules.windows import DayRange, first_of_month
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Question
from expenses.models import Expense
from expenses.models.sums import CostSum
from expenses.rules import grouping, rates, total_spend
from expenses.rules.grouping import GroupBy
from expenses.rules.rates import Rates
from expenses.rules.total_spend import Amounts, CloudMonth, Course
from expenses.selectors import rates as stored_rates
from expenses.selectors import reports
from expenses.selectors.expenses import ExpenseFilter
from expenses.selectors.reports import Group

LONGEST = 60  # months


@dataclass(frozen=True)
class TotalSpend:
    """`currencies`: those that the amounts are in. `sees_costs`: whether there is any account whose costs the reader may see."""

    course: Course
    currencies: tuple[str, ...]
    sees_costs: bool


def total(user: User, months: DayRange, currency: str = "") -> TotalSpend:
    """`months`: from a first of a month until before another. Without `currency` the one that most amounts are in."""
    reader = Reader(user)
    answers = reader.by_currency(Question(months, Granularity.MONTHLY)) if reader.sources else ()
    return _total(months, cloud_of(answers), spent(user, months), currency, sees_costs=bool(reader.sources))


def beside(user: User, answer: Answer) -> TotalSpend | None:
    """The same beside costs that were read already, by month and in one currency. None where nobody entered anything."""
    days = DayRange(answer.periods[0].start, first_of_month(clock.today(), months=1))
    found = spent(user, days)
    if not found or not answer.currency:
        return None
    return _total(days, cloud_of([answer]), found, answer.currency, sees_costs=True)


def _total(
    months: DayRange, cloud: Mapping[date, CloudMonth], found: Mapping[date, Amounts], currency: str, *, sees_costs: bool
) -> TotalSpend:
    used = Counter(code for amounts in _all(cloud, found) for code in amounts)
    chosen = currency or (max(sorted(used), key=used.__getitem__) if used else "USD")
    known = stored_rates.between({*used, chosen}, months.start, months.end) if {*used} - {chosen} else Rates({})
    starts = list(_starts(months))
    billed = cloud if sees_costs else {start: CloudMonth({}) for start in starts}
    return TotalSpend(total_spend.course(starts, billed, found, chosen, known), tuple(sorted(used)), sees_costs)


def _all(cloud: Mapping[date, CloudMonth], found: Mapping[date, Amounts]) -> Iterable[Amounts]:
    yield from (month.amounts for month in cloud.values() if month.amounts)
    yield from found.values()


def _starts(months: DayRange) -> Iterable[date]:
    start = months.start
    while start < months.end:
        yield start
        start = grouping.months_later(start, 1)


def cloud_of(answers: Sequence[Answer]) -> dict[date, CloudMonth]:
    """What was billed in each month; months of which nothing is stored are not in it."""
    months: dict[date, CloudMonth] = {}
    for answer in answers:
        for period in answer.periods:
            if period.total is None or answer.currency is None:
                continue
            start = period.start.replace(day=1)
            kept = months.get(start, CloudMonth({}))
            amounts = {**(kept.amounts or {}), answer.currency: period.total}
            months[start] = CloudMonth(amounts, kept.is_settled and period.complete and not period.estimated)
    return months


def spent(user: User, months: DayRange) -> dict[date, dict[str, Decimal]]:
    """Expenses by month and currency."""
    found = Expense.objects.visible_to(user, Perm.SELF).filter(date__gte=months.start, date__lt=months.end)
    sums = found.order_by().annotate(month=MonthOf("date")).values_list("month", "currency").annotate(amount=CostSum("cost"))
    amounts: defaultdict[date, dict[str, Decimal]] = defaultdict(dict)
    for month, currency, amount in sums:
        amounts[month][currency] = amount
    return dict(amounts)


# --- a report of expenses in one currency


@dataclass(frozen=True)
class ConvertedGroup:
    """`amount` is None where a rate is missing for some of it."""

    keys: tuple[reports.Key, ...]
    labels: tuple[str, ...]
    count: int
    amount: Decimal | None


@dataclass(frozen=True)
class ConvertedReport:
    """`whole` is None where a rate is missing; `missing` says which ones."""

    currency: str
    groups: tuple[ConvertedGroup, ...]
    count: int
    whole: Decimal | None
    missing: tuple[tuple[str, date], ...]


def converted(user: User, wanted: ExpenseFilter, group_by: Sequence[GroupBy], currency: str) -> ConvertedReport:
    """The groups of a report with every month's amounts at that month's rates. Raises TooManyGroups."""
    by_month = [*group_by, GroupBy.MONTH]
    found = reports.report(user, wanted, by_month).groups
    used = {one.currency for one in found}
    months = [one.keys[-1] for one in found if isinstance(one.keys[-1], date)]
    known = Rates({})
    if used - {currency} and months:
        known = stored_rates.between({*used, currency}, min(months), grouping.months_later(max(months), 1))
    return _folded(found, group_by, currency, known)


def _folded(found: Sequence[Group], group_by: Sequence[GroupBy], currency: str, known: Rates) -> ConvertedReport:
    groups: dict[tuple[reports.Key, ...], list[Group]] = defaultdict(list)
    for one in found:
        groups[one.keys[:-1]].append(one)
    missing: dict[tuple[str, date], None] = {}
    told = [_converted(keys, members, currency, known, missing) for keys, members in groups.items()]
    amounts = [one.amount for one in told if one.amount is not None]
    whole = money.total(amounts) if not missing else None
    ordered = reports.ordered(told, group_by)
    return ConvertedReport(currency, tuple(ordered), sum(one.count for one in told), whole, tuple(missing))


def _converted(
    keys: tuple[reports.Key, ...],
    members: Sequence[Group],
    currency: str,
    known: Rates,
    missing: dict[tuple[str, date], None],
) -> ConvertedGroup:
    amounts: list[Decimal] = []
    for one in members:
        found = rates.converted({one.currency: one.amount}, currency, cast(date, one.keys[-1]), known)
        missing.update(dict.fromkeys(found.missing))
        if found.amount is not None:
            amounts.append(found.amount)
    whole = money.total(amounts) if len(amounts) == len(members) else None
    return ConvertedGroup(keys, members[0].labels[:-1], sum(one.count for one in members), whole)
