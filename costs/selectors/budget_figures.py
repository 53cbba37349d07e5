"""A budget's figures from stored costs: what each period cost so far, what it should have, and where it will end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from cloudconsole.core.money import total
from costs.models import CostSource
from costs.rules import budget_periods, budgets
from costs.rules.budget_periods import Every
from costs.rules.budgets import RHYTHM_WEEKS, Figures
from costs.rules.forecast import Method
from costs.rules.windows import LATE_DAYS, DayRange
from costs.selectors import explorer, forecasts, scope
from costs.selectors.costs import Reader
from costs.selectors.forecasts import Outlook, Point, Projection
from costs.selectors.questions import Granularity, Question
from costs.selectors.reports import ENVIRONMENT, Report

_DAY = timedelta(days=1)
# With less history than these take, a forecast is shown, but nobody is woken up by it.
_SURE = frozenset({Method.WEEKDAY_RHYTHM, Method.TREND_RHYTHM_MONTH_DAYS})


class Readers:
    """Readers with a person's rights, shared by the budgets that ask for the same accounts."""

    def __init__(self) -> None:
        self._sources: dict[int, Sequence[CostSource]] = {}
        self._readers: dict[object, Reader] = {}

    def of(self, user: User, report: Report) -> Reader:
        if user.pk not in self._sources:
            self._sources[user.pk] = scope.sources_of(user)
        asked = user.pk, report.values_of("account"), report.values_of(ENVIRONMENT)
        if asked not in self._readers:
            self._readers[asked] = explorer.reader_for(user, report, sources=self._sources[user.pk])
        return self._readers[asked]


def accounts_of(reader: Reader) -> list[AwsAccount]:
    """Whose costs the figures hold, as far as they are connected; of a bill narrowed to accounts that are not, the payer."""
    by_number = {source.account.account_id: source.account for source in reader.sources}
    found: dict[int, AwsAccount] = {}
    for part in reader.parts:
        named = [by_number[number] for number in sorted(part.only or ()) if number in by_number]
        is_told = part.only is not None and len(named) == len(part.only)
        for account in [*named, *([] if is_told else [part.shown.account])]:
            found[account.pk] = account
    return list(found.values())


@dataclass(frozen=True, slots=True)
class Reading:
    """Days as far as they are known, and the outlook of the period of today."""

    known: Mapping[date, Decimal]
    points: Sequence[Point]
    days: DayRange
    outlook: Outlook
    complete_until: date | None
    misses_accounts: bool
    as_of: datetime | None
    currency: str | None

    def amount(self, days: DayRange, until: date | None = None) -> Decimal | None:
        """Of the known days; None where none of them is."""
        found = [amount for day, amount in self.known.items() if days.start <= day < min(days.end, until or days.end)]
        return total(found) if found else None

    def missing_days(self, days: DayRange) -> int:
        """Days that should be known by now and are not."""
        if self.complete_until is None:
            return 0
        end = min(days.end, self.complete_until)
        return sum(days.start + _DAY * number not in self.known for number in range((end - days.start).days))

    @property
    def rhythm(self) -> Sequence[Decimal]:
        if self.complete_until is None:
            return budgets.rhythm({})
        since = self.complete_until - timedelta(weeks=RHYTHM_WEEKS)
        return budgets.rhythm({day: amount for day, amount in self.known.items() if since <= day < self.complete_until})

    def figures(self, days: DayRange, amount: Decimal) -> Figures:
        until = self.complete_until
        has_settled = until is not None and until > days.start
        is_current = days == self.days and days.end > (until or days.start)
        return Figures(
            amount=amount,
            actual=self.amount(days),
            settled=self.amount(days, until) if has_settled else None,
            expected=budgets.pace(amount, days, self.rhythm, until) if has_settled and until else None,
            forecast=self.outlook.amount if is_current else None,
            is_whole=until is not None and not self.misses_accounts and not self.missing_days(days),
            is_sure=self._is_sure,
        )

    @property
    def _is_sure(self) -> bool:
        newest = budget_periods.complete_until(clock.today())
        is_fresh = self.complete_until is not None and self.complete_until + timedelta(days=LATE_DAYS) >= newest
        return is_fresh and self.outlook.method in _SURE

    def reason(self, days: DayRange, figures: Figures) -> str:
        """What is missing, in a sentence; empty where nothing is."""
        if figures.actual is None:
            return "Nothing is known of these days yet. Unknown is not zero."
        if self.misses_accounts:
            return "AWS refuses to tell the costs of one of its accounts, so they are not in the figures."
        if missing := self.missing_days(days):
            return f"{missing} of its days were never fetched, so what they cost is not in the figures."
        if self.complete_until is None:
            return self.outlook.reason
        return ""


def question_of(report: Report, days: DayRange) -> Question:
    return replace(report.question(clock.today()), days=days, granularity=Granularity.DAILY, group_by=())


def read(reader: Reader, report: Report, every: Every, since: date | None = None) -> Reading:
    """The period of today and, from `since` on, the days before it.

    Raises NotStored, MixedCurrencies, UnknownAccount, UnknownValue.
    """
    today = clock.today()
    days = budget_periods.period_of(every, today)
    rhythm_since = budget_periods.complete_until(today) - timedelta(weeks=RHYTHM_WEEKS)
    first = min(days.start, rhythm_since, since or days.start)
    return _reading(reader, forecasts.projection(reader, question_of(report, days), since=first), days)


def _reading(reader: Reader, found: Projection, days: DayRange) -> Reading:
    return Reading(
        known={point.start: point.actual for point in found.points if point.actual is not None},
        points=found.points,
        days=days,
        outlook=found.outlook,
        complete_until=found.complete_until,
        misses_accounts=reader.misses_accounts,
        as_of=found.as_of,
        currency=found.currency,
    )


# --- what a budget for this would have been like


@dataclass(frozen=True, slots=True)
class Past:
    """One period before today's. `is_whole`: all of its days are known."""

    days: DayRange
    title: str
    amount: Decimal | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The last periods, the newest first, and the one of today."""

    reading: Reading
    past: Sequence[Past]
    now: Past

    @property
    def median(self) -> Decimal | None:
        whole = sorted(one.amount for one in self.past if one.is_whole and one.amount is not None)
        return whole[len(whole) // 2] if whole else None


_PREVIEWED = {Every.DAILY: 14, Every.MONTHLY: 6, Every.QUARTERLY: 4, Every.YEARLY: 1}


def preview(reader: Reader, report: Report, every: Every) -> Preview:
    """Raises NotStored, MixedCurrencies, UnknownAccount, UnknownValue."""
    today = budget_periods.period_of(every, clock.today())
    periods = budget_periods.before(every, today, _PREVIEWED[every])
    reading = read(reader, report, every, since=periods[-1].start)
    return Preview(reading, [_past(reading, every, days) for days in periods], _past(reading, every, today))


def _past(reading: Reading, every: Every, days: DayRange) -> Past:
    amount = reading.amount(days)
    is_whole = reading.complete_until is not None and not reading.misses_accounts and not reading.missing_days(days)
    return Past(days, budget_periods.title(every, days), amount, is_whole and amount is not None)
