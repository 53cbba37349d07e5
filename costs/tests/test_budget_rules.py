"""What budgets decide, for any calendar and any order of figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.rules import budget_periods, budgets
from costs.rules.budget_periods import Every
from costs.rules.budgets import Figures, Kind, Limit, Standing, Unit
from costs.rules.windows import DayRange

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
AMOUNTS = st.decimals(Decimal("0.01"), Decimal(10_000), places=2)
WEIGHTS = st.lists(st.decimals(0, 100, places=2), min_size=7, max_size=7).filter(any)
EVEN = (Decimal(1),) * 7


def figures(**told: object) -> Figures:
    usual: dict[str, object] = {"actual": Decimal(50), "settled": Decimal(40), "expected": Decimal(45), "forecast": None}
    return Figures(amount=Decimal(100), **{**usual, "is_whole": True, "is_sure": True, **told})  # type: ignore[arg-type]


@given(DAYS, st.sampled_from(Every))
def test_every_day_lies_in_one_period_and_periods_follow_each_other(day: date, every: Every) -> None:
    days = budget_periods.period_of(every, day)
    assert days.start <= day < days.end
    assert budget_periods.period_of(every, days.start) == budget_periods.period_of(every, days.end - timedelta(days=1)) == days
    assert [one.end for one in budget_periods.before(every, days, 3)] == [
        days.start,
        *(one.start for one in budget_periods.before(every, days, 2)),
    ]
    assert budget_periods.following(every, day, 3)[0] == days


@given(DAYS, st.sampled_from(Every))
def test_what_still_moves_ends_with_today_and_has_no_gap(day: date, every: Every) -> None:
    moving = budget_periods.moving(every, day)
    assert moving[0] == budget_periods.period_of(every, day)
    assert all(later.start == earlier.end for later, earlier in pairwise(moving))
    assert len(moving) <= 6


@given(AMOUNTS, DAYS, st.sampled_from(Every), WEIGHTS)
def test_a_pace_line_never_falls_and_ends_at_the_amount(
    amount: Decimal, day: date, every: Every, weights: Sequence[Decimal]
) -> None:
    days = budget_periods.period_of(every, day)
    line = [budgets.pace(amount, days, weights, days.start + timedelta(days=number)) for number in range(1, days.days + 1)]
    assert line == sorted(line)
    assert line[-1] == amount
    assert budgets.pace(amount, days, weights, days.start) == 0


def test_a_pace_follows_the_week_where_weekends_cost_nothing() -> None:
    known = {date(2026, 9, 7) + timedelta(days=n): Decimal(0 if n % 7 in {5, 6} else 10) for n in range(56)}
    weights = budgets.rhythm(known)
    month = DayRange(date(2026, 11, 1), date(2026, 12, 1))  # starts on a Sunday, has 21 working days
    assert budgets.pace(Decimal(210), month, weights, date(2026, 11, 2)) == 0
    assert budgets.pace(Decimal(210), month, weights, date(2026, 11, 7)) == 50
    assert budgets.rhythm({}) == EVEN
    assert budgets.rhythm(dict.fromkeys(known, Decimal(-1))) == EVEN


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, Standing.ON_TRACK),
        ({"actual": Decimal("100.01")}, Standing.OVER),
        ({"actual": Decimal(100)}, Standing.ON_TRACK),
        ({"actual": None}, Standing.UNKNOWN),
        ({"is_whole": False}, Standing.UNKNOWN),
        ({"actual": Decimal(101), "is_whole": False}, Standing.OVER),
        ({"forecast": Decimal(101)}, Standing.AT_RISK),
        ({"forecast": Decimal(99), "settled": Decimal(60)}, Standing.ON_TRACK),
        ({"settled": Decimal(46)}, Standing.AT_RISK),
        ({"settled": None, "expected": None}, Standing.ON_TRACK),
    ],
)
def test_how_a_budget_stands(told: dict[str, object], expected: Standing) -> None:
    assert budgets.standing(figures(**told)) is expected


def test_a_threshold_is_reached_by_what_it_watches() -> None:
    actual, forecast = Limit(Kind.ACTUAL, Unit.PERCENT, Decimal(50)), Limit(Kind.FORECAST, Unit.MONEY, Decimal(90))
    assert budgets.reached([actual, forecast], figures(forecast=Decimal(90))) == [actual, forecast]
    assert budgets.reached([actual, forecast], figures(actual=Decimal("49.99"), forecast=Decimal("89.99"))) == []
    assert budgets.reached([actual, forecast], figures(forecast=Decimal(95), is_whole=False)) == [actual]
    assert budgets.reached([actual, forecast], figures(forecast=Decimal(95), is_sure=False)) == [actual]
    assert budgets.reached([actual, forecast], figures(actual=None, forecast=None)) == []


@given(st.decimals(Decimal("0.01"), 1000, places=2))
def test_a_threshold_is_the_same_however_it_is_written(value: Decimal) -> None:
    written = Limit(Kind.ACTUAL, Unit.PERCENT, value.quantize(Decimal("0.000000000001")))
    assert written.key == Limit(Kind.ACTUAL, Unit.PERCENT, value).key
