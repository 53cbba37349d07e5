"""Where a period will end: what is known of it, and what its other days are expected to cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from cloudconsole.core import clock, figures
from cloudconsole.core.money import EXACT, ZERO, total
from costs.rules import forecast, settle, windows
from costs.rules.cubes import Dimension
from costs.rules.forecast import Forecast, Method
from costs.rules.windows import DayRange
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Question

_DAY = timedelta(days=1)
OLD = timedelta(days=45)  # what ended before says nothing of today


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a period is expected to cost, with an interval of `level` percent; without a forecast, `reason` says why."""

    amount: Decimal | None
    low: Decimal | None
    high: Decimal | None
    method: str
    level: int
    reason: str


@dataclass(frozen=True, slots=True)
class Point:
    """One day or month. `actual` is what is known of it; a point of which all is known costs that, without an interval."""

    start: date
    end: date
    actual: Decimal | None
    amount: Decimal | None
    low: Decimal | None
    high: Decimal | None

    @property
    def is_known(self) -> bool:
        return self.amount is not None and self.low == self.amount == self.high


@dataclass(frozen=True, slots=True)
class Projection:
    """A period with the points it is made of. `actual`: what is known of it, incomplete days as far as they are.

    `complete_until`: the day after the last one that AWS adds nothing to; None where there is none.
    """

    question: Question
    currency: str | None
    points: tuple[Point, ...]
    outlook: Outlook
    actual: Decimal | None
    complete_until: date | None
    as_of: datetime | None


def expected(reader: Reader, question: Question) -> Outlook:
    """The whole of `question.days`: what is known, and a forecast of the rest. Its grouping and granularity do not matter.

    Raises NotStored, MixedCurrencies, UnknownAccount, UnknownValue.
    """
    return _book(reader, question).outlook


def projection(reader: Reader, question: Question, *, since: date | None = None) -> Projection:
    """As `expected`, with the days or months that it is made of, told from `since` on. Raises the same."""
    told = _told(reader, question, since)
    answer, book = told.answer, told.book(question.days)
    shown = DayRange(since or question.days.start, question.days.end)
    return Projection(
        question=question,
        currency=answer.currency,
        points=tuple(book.point(days) for days in _cut(replace(question, days=shown))),
        outlook=book.outlook,
        actual=book.actual(question.days),
        complete_until=book.last + _DAY if book.last else None,
        as_of=answer.as_of,
    )


def course(reader: Reader, question: Question, ends: Sequence[date]) -> tuple[Point, ...]:
    """How a period grows: from its start up to, without, each of `ends`. Raises the same."""
    book = _book(reader, question)
    return tuple(book.point(DayRange(question.days.start, end)) for end in ends)


@dataclass(frozen=True, slots=True)
class Share:
    """What one value of a dimension contributes; the last has no key and is what the others leave of the whole."""

    key: str
    actual: Decimal
    amount: Decimal


def shares(reader: Reader, question: Question, dimension: Dimension, whole: Projection, *, count: int) -> tuple[Share, ...]:
    """The `count` largest, each forecast by itself, and the rest: together exactly the whole. Empty where nothing is expected."""
    amount, actual = whole.outlook.amount, whole.actual
    if amount is None or actual is None or not reader.tells({*question.filtered, dimension}):
        return ()
    grouped = replace(question, group_by=(dimension,), currency=whole.currency)
    found = sorted(_shares(reader, grouped, count), key=lambda share: (-share.amount, share.key))
    rest_actual = EXACT.subtract(actual, total(share.actual for share in found))
    return (*found, Share("", rest_actual, EXACT.subtract(amount, total(share.amount for share in found))))


def _shares(reader: Reader, question: Question, count: int) -> Iterator[Share]:
    days = days_read(question.days, clock.today())
    whole = reader.answer(replace(question, days=days, granularity=Granularity.WHOLE))
    largest = sorted(whole.periods[0].groups, key=lambda group: (-abs(group.amount), group.keys))[:count]
    told = frozenset(group.keys[0] for group in largest)
    found = _Told.of(reader, replace(question, days=days, granularity=Granularity.DAILY, told=told))
    for key in sorted(told):
        book = found.only(key).book(question.days)
        point = book.amount(question.days)
        if point is not None:
            yield Share(key, book.actual(question.days) or ZERO, point)


@dataclass(frozen=True, slots=True)
class _Told:
    """What is known by day. `going`: of the accounts that still tell, from which alone anything is expected."""

    answer: Answer
    going: Answer

    @classmethod
    def of(cls, reader: Reader, question: Question) -> _Told:
        answer, going = reader.answer(question), reader.going_on()
        if going is reader or answer.currency is None:
            return cls(answer, answer)
        return cls(answer, going.answer(replace(question, currency=answer.currency)))

    def only(self, key: str) -> _Told:
        return _Told(_only(self.answer, key), _only(self.going, key))

    def book(self, days: DayRange) -> _Book:
        return _Book(self.answer, self.going, days)


def _only(answer: Answer, key: str) -> Answer:
    """The answer as if only `key` had been asked for: zero on days when it is not told."""
    periods = (
        replace(one, total=None if one.total is None else total(group.amount for group in one.groups if group.keys[0] == key))
        for one in answer.periods
    )
    return replace(answer, periods=tuple(periods))


def days_read(days: DayRange, today: date) -> DayRange:
    """The days that a forecast of `days` is made of."""
    start = min(days.start, settle.last_complete_day(today) - _DAY * (forecast.HISTORY_DAYS - 1))
    return DayRange(start, max(start + _DAY, min(days.end, today + _DAY)))


def _told(reader: Reader, question: Question, since: date | None = None) -> _Told:
    days = days_read(question.days, clock.today())
    days = DayRange(min(days.start, since or days.start), days.end)
    daily = replace(question, days=days, granularity=Granularity.DAILY, group_by=(), beside=frozenset(), told=None)
    return _Told.of(reader, daily)


def _book(reader: Reader, question: Question) -> _Book:
    return _told(reader, question).book(question.days)


def _cut(question: Question) -> Iterator[DayRange]:
    if question.granularity is Granularity.MONTHLY:
        yield from reversed(windows.chunks(question.days, 1))
    elif question.granularity is Granularity.WHOLE:
        yield question.days
    else:
        yield from (DayRange(day, day + _DAY) for day in (question.days.start + _DAY * n for n in range(question.days.days)))


class _Book:
    """What is known by day, and what is expected of the days after the last complete one."""

    def __init__(self, answer: Answer, going: Answer, days: DayRange) -> None:
        self.days = days
        self.known: Mapping[date, Decimal] = {one.start: one.total for one in answer.periods if one.total is not None}
        self.history = {one.start: one.total for one in going.periods if one.complete and one.total is not None}
        self.last = max(self.history, default=None)
        self.forecast = self._forecast()

    def _forecast(self) -> Forecast | None:
        if self.last is None or self._is_old or self.days.end <= self.last + _DAY:
            return None
        open_days = {day: amount for day, amount in self.known.items() if day > self.last}
        return forecast.ahead(self.history, self.days.end, open_days)

    @property
    def _is_old(self) -> bool:
        return self.last is not None and self.last + OLD < clock.today()

    @property
    def outlook(self) -> Outlook:
        point, reason = self.point(self.days), self._reason
        method = self.forecast.method if self.forecast else Method.ACTUAL
        if reason:
            return Outlook(None, None, None, method, forecast.LEVEL, reason)
        return Outlook(point.amount, point.low, point.high, method, forecast.LEVEL, "")

    @property
    def _reason(self) -> str:
        """Why nothing is expected of the period; empty where something is."""
        if self.last is None:
            return "Nothing complete is stored yet: AWS adds to a day for two days after it."
        if missing := self._missing(self.days):
            return f"{missing} of its days were never fetched, so what it cost so far is not known."
        if self._is_old and self.days.end > self.last + _DAY:
            return f"The newest complete day is {figures.day(self.last)}, too long ago to expect anything from it."
        if self.forecast is None and self.days.end > self.last + _DAY:
            return f"A forecast needs {forecast.LEAST_DAYS} complete days; {len(self.history)} are known."
        return ""

    def actual(self, days: DayRange) -> Decimal | None:
        found = [amount for day, amount in self.known.items() if days.start <= day < days.end]
        return total(found) if found else None

    def point(self, days: DayRange) -> Point:
        actual = self.actual(days)
        amount, low, high = self._amounts(days)
        return Point(days.start, days.end, actual, amount, low, high)

    def amount(self, days: DayRange) -> Decimal | None:
        """What is known of `days` and expected of the rest, without an interval; None where either is missing."""
        if self.last is None or self._missing(days):
            return None
        known = self._behind(days)
        if days.end <= self.last + _DAY:
            return known
        return EXACT.add(known, self.forecast.amount(days)) if self.forecast else None

    def _behind(self, days: DayRange) -> Decimal:
        """Of the days up to the last complete one."""
        last = self.last or date.min
        return total(amount for day, amount in self.known.items() if days.start <= day < days.end and day <= last)

    def _amounts(self, days: DayRange) -> tuple[Decimal | None, Decimal | None, Decimal | None]:
        amount = self.amount(days)
        if amount is None or self.forecast is None:
            return amount, amount, amount
        behind, rest = self._behind(days), self.forecast.of(days)
        return amount, EXACT.add(behind, rest.low), EXACT.add(behind, rest.high)

    def _missing(self, days: DayRange) -> int:
        """Days up to the last complete one of which nothing is stored."""
        if self.last is None:
            return 0
        end = min(days.end, self.last + _DAY)
        stored = sum(days.start <= day < end for day in self.known)
        return max(0, (end - days.start).days - stored)
