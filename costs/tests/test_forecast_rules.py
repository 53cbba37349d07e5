"""What the days ahead are expected to cost: properties of the model, on histories made for each of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs.rules import forecast
from costs.rules.forecast import Forecast, Method
from costs.rules.windows import DayRange, first_of_month

DAY = timedelta(days=1)
LAST = date(2026, 11, 15)
MONTH_END = date(2026, 12, 1)
CENT = Decimal("0.01")

History = dict[date, Decimal]


def history(amount_of: Callable[[date], float], days: int = 196) -> History:
    made = [LAST - DAY * number for number in range(days)]
    return {day: Decimal(str(round(amount_of(day), 6))) for day in made}


def steady(day: date) -> float:
    """A hundred on weekdays, forty at weekends."""
    return 100 if day.weekday() < 5 else 40


def ahead(of: History, until: date = MONTH_END, known: History | None = None) -> Forecast:
    found = forecast.ahead(of, until, known or {})
    assert found is not None
    return found


def amount_on(found: Forecast, day: date) -> Decimal:
    return found.of(DayRange(day, day + DAY)).amount


def test_a_steady_week_is_carried_on_exactly_and_without_a_doubt() -> None:
    found = ahead(history(steady))
    whole = found.of(DayRange(LAST + DAY, MONTH_END))
    assert whole.amount == whole.low == whole.high == sum(Decimal(int(steady(LAST + DAY * n))) for n in range(1, 16))
    assert found.method is Method.TREND_RHYTHM_MONTH_DAYS


def test_a_trend_goes_on() -> None:
    found = ahead(history(lambda day: steady(day) + 0.5 * (day - LAST).days))
    friday = LAST + DAY * 5
    assert abs(amount_on(found, friday) - Decimal("102.4")) < 1


@pytest.mark.parametrize("length", [1, 4, 7])
def test_a_burst_is_not_carried_forward(length: int) -> None:
    quiet = ahead(history(steady)).of(DayRange(LAST + DAY, MONTH_END)).amount
    burst = ahead(history(lambda day: steady(day) + (500 if 0 <= (LAST - day).days < length else 0)))
    assert abs(burst.of(DayRange(LAST + DAY, MONTH_END)).amount - quiet) < CENT * 100


def test_what_lasts_longer_than_a_week_is_a_new_level() -> None:
    found = ahead(history(lambda day: steady(day) + (50 if (LAST - day).days < 9 else 0)))
    monday = LAST + DAY
    assert abs(amount_on(found, monday) - 150) < 1


def test_what_comes_on_the_same_day_of_each_month_comes_again() -> None:
    def taxed(day: date) -> float:
        return steady(day) + (700 if day.day == 1 else 0) + (30 if day.day == 20 else 0)

    found = ahead(history(taxed), date(2026, 12, 3))
    for day, extra in ((date(2026, 12, 1), 700), (date(2026, 11, 20), 30), (date(2026, 11, 21), 0)):
        assert abs(amount_on(found, day) - Decimal(str(steady(day) + extra))) < 1


def test_support_of_the_month_before_that_is_not_billed_yet_is_expected_all_the_same() -> None:
    def supported(day: date) -> float:
        is_last = (day + DAY).day == 1
        return steady(day) + (900 if is_last and day < first_of_month(LAST, months=-1) else 0)

    last_day = date(2026, 11, 30)
    assert abs(amount_on(ahead(history(supported)), last_day) - Decimal(str(steady(last_day) + 900))) < 1


def test_a_fee_of_once_a_year_is_not_expected_each_month() -> None:
    found = ahead(
        history(lambda day: steady(day) + (700 if day.day == 1 else 0) + (5000 if day == date(2026, 9, 1) else 0)),
        date(2026, 12, 2),
    )
    assert abs(amount_on(found, date(2026, 12, 1)) - 800) < 80


@pytest.mark.parametrize(
    ("days", "method"),
    [(7, Method.DAILY_MEDIAN), (13, Method.DAILY_MEDIAN), (14, Method.WEEKDAY_RHYTHM), (55, Method.WEEKDAY_RHYTHM)],
)
def test_a_short_history_gets_a_simpler_method_that_is_named(days: int, method: Method) -> None:
    found = ahead(history(steady, days))
    assert found.method is method
    whole = found.of(DayRange(LAST + DAY, MONTH_END))
    assert whole.low <= whole.amount <= whole.high
    assert whole.amount > 0


def test_there_is_no_forecast_from_less_than_a_week() -> None:
    assert forecast.ahead(history(steady, 6), MONTH_END, {}) is None


def test_days_that_are_not_known_are_no_zeros() -> None:
    full = history(steady)
    gaps = {day: amount for day, amount in full.items() if day.day not in {3, 4, 5, 17}}
    whole = DayRange(LAST + DAY, MONTH_END)
    assert abs(ahead(gaps).of(whole).amount - ahead(full).of(whole).amount) < 1


amounts = st.decimals(0, 10_000, places=10)


@given(st.lists(amounts, min_size=7, max_size=90), st.integers(1, 60), st.lists(amounts, max_size=3))
def test_where_no_cost_is_negative_no_day_costs_less_than_is_known_of_it(
    told: list[Decimal], days: int, open_days: list[Decimal]
) -> None:
    past = {LAST - DAY * number: amount for number, amount in enumerate(told)}
    known = {LAST + DAY * (number + 1): amount for number, amount in enumerate(open_days)}
    whole = DayRange(LAST + DAY, LAST + DAY * (days + 1))
    found = ahead(past, whole.end, known).of(whole)
    assert found.low >= sum(amount for day, amount in known.items() if day < whole.end)
    assert found.low <= found.amount <= found.high


@given(st.lists(st.decimals(-10_000, 10_000, places=10), min_size=7, max_size=90), st.integers(2, 60), st.data())
def test_the_parts_of_a_forecast_add_up_to_the_whole(told: list[Decimal], days: int, data: st.DataObject) -> None:
    past = {LAST - DAY * number: amount for number, amount in enumerate(told)}
    end = LAST + DAY * (days + 1)
    middle = LAST + DAY * data.draw(st.integers(2, days))
    found = ahead(past, end)
    parts = [found.of(DayRange(LAST + DAY, middle)), found.of(DayRange(middle, end))]
    assert sum(part.amount for part in parts) == found.of(DayRange(LAST + DAY, end)).amount
    assert all(part.amount == part.amount.quantize(CENT) for part in parts)
