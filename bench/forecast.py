"""How well the days ahead are forecast: the model beside naive ones, on months of the simulated bill that it has not seen.

Run it with `python -m bench.forecast` for the whole table. Several seeds, bills and services, a forecast every eleventh day of a
year, as of what Cost Explorer showed at that moment; the truth is everything that is ever charged for the days ahead.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from statistics import mean

from bench.aws_clients import Result
from cloudconsole.simulator import catalogue, ledger
from cloudconsole.simulator.ledger import Ledger
from cloudconsole.simulator.line_items import UNIT, Line
from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT, PRODUCTION
from costs.rules import forecast, settle
from costs.rules.windows import DayRange, first_of_month

SEEDS = (1, 2, 3)
ORIGIN = date(2026, 11, 18)
FIRST_FORECAST, FORECASTS, APART = date(2026, 1, 5), 30, timedelta(days=11)
COVERED = (0.75, 0.95)

# What is forecast: a bill and, of it, one service or all.
SERIES: Mapping[str, tuple[str, str | None]] = {
    "the whole organization": (MANAGEMENT, None),
    "an account": (PRODUCTION, None),
    "an account idle at weekends": (DEVELOPMENT, None),
    "a service with bursts": (MANAGEMENT, catalogue.BEDROCK),
    "a service with a commitment": (MANAGEMENT, catalogue.EC2),
    "a service with a monthly fee": (MANAGEMENT, catalogue.RDS),
    "a service with refunds": (MANAGEMENT, catalogue.CLOUDWATCH),
}
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Day:
    """What one day costs in the end, and what of it arrives only at some later moment."""

    amount: float
    late: tuple[tuple[datetime, float], ...]

    def shown(self, as_of: datetime) -> float:
        return self.amount - sum(amount for arrives, amount in self.late if arrives > as_of)


@dataclass(slots=True)
class Score:
    """Errors in percent of the truth, by method, and whether the interval held."""

    errors: dict[str, list[float]]
    held: list[bool]

    def error(self, method: str) -> float:
        return mean(self.errors[method])

    @property
    def coverage(self) -> float:
        return mean(self.held)


METHODS = ("model", "naive", "seasonal naive", "month before")


def main() -> list[Result]:
    scores = measure()
    return [result for horizon, score in scores.items() for result in _results(horizon, score)]


def _results(horizon: str, score: Score) -> Iterator[Result]:
    own, best = score.error("model"), min(score.error(method) for method in METHODS[1:])
    told = ", ".join(f"{method} {score.error(method):.1f} %" for method in METHODS)
    yield Result(f"forecast of {horizon}: mean error", told, "model below all others", kept=own < best)
    low, high = COVERED
    promise = f"{low:.0%} to {high:.0%} of the time"
    held = f"{score.coverage:.0%} for {forecast.LEVEL} %"
    yield Result(f"forecast of {horizon}: interval holds", held, promise, kept=low <= score.coverage <= high)


def measure() -> dict[str, Score]:
    """By horizon, over all seeds, series and moments."""
    scores: dict[str, Score] = {}
    for days in _histories():
        for number in range(FORECASTS):
            _score(days, FIRST_FORECAST + APART * number, scores)
    return scores


def _histories() -> Iterator[dict[date, Day]]:
    span = DayRange(
        FIRST_FORECAST - _DAY * (forecast.HISTORY_DAYS + 40), first_of_month(FIRST_FORECAST + APART * FORECASTS, months=5)
    )
    for seed in SEEDS:
        book = Ledger(seed, ORIGIN)
        for account, service in SERIES.values():
            yield {day: _day(book, day, account, service) for day in _days(span)}


def _day(book: Ledger, day: date, account: str, service: str | None) -> Day:
    lines = [
        line
        for line in ledger.visible_to(book.lines(day), account, ledger.view_for(account, ()))
        if service is None or line.service == service
    ]
    late = tuple((line.arrives, _dollars(line)) for line in lines if line.arrives is not None)
    return Day(sum(map(_dollars, lines)), late)


def _dollars(line: Line) -> float:
    return line.costs.unblended / UNIT


def _score(days: Mapping[date, Day], today: date, scores: dict[str, Score]) -> None:
    as_of, last = datetime.combine(today, time(12), UTC), settle.last_complete_day(today)
    behind = DayRange(last - _DAY * (forecast.HISTORY_DAYS - 1), last + _DAY)
    history = {day: days[day].shown(as_of) for day in _days(behind)}
    found = forecast.ahead({day: Decimal(amount) for day, amount in history.items()}, first_of_month(today, months=4), {})
    assert found is not None  # noqa: S101 - a benchmark has all its history
    for horizon, span in _horizons(today, last).items():
        truth = sum(days[day].amount for day in _days(span))
        own = found.of(span)
        told = {"model": float(own.amount), **_naive(history, span, last)}
        score = scores.setdefault(horizon, Score(defaultdict(list), []))
        score.held.append(float(own.low) <= truth <= float(own.high))
        for method, amount in told.items():
            score.errors[method].append(100 * abs(amount - truth) / abs(truth))


def _horizons(today: date, last: date) -> dict[str, DayRange]:
    ends = {"the rest of the month": 1, "the next month": 2, "three months": 4}
    spans = {name: DayRange(last + _DAY, first_of_month(today, months=months)) for name, months in ends.items()}
    return spans | {"the next month": DayRange(first_of_month(today, months=1), first_of_month(today, months=2))}


def _naive(history: Mapping[date, float], span: DayRange, last: date) -> dict[str, float]:
    """The last day again, the last week again, and the same days of the last month again."""
    return {
        "naive": history[last] * span.days,
        "seasonal naive": sum(history[last - _DAY * (6 - (day - last - _DAY).days % 7)] for day in _days(span)),
        "month before": sum(history[_month_before(day, last)] for day in _days(span)),
    }


def _month_before(day: date, last: date) -> date:
    """The same day of the nearest month before of which it is known."""
    months = 1
    while True:
        first = first_of_month(day, months=-months)
        found = min(first + _DAY * (day.day - 1), first_of_month(first, months=1) - _DAY)
        if found <= last:
            return found
        months += 1


def _days(span: DayRange) -> Sequence[date]:
    return [span.start + _DAY * number for number in range(span.days)]


if __name__ == "__main__":
    from bench.__main__ import print_table

    print_table(main())
