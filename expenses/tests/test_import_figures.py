"""How amounts and days are recognised and read."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expenses.rules.importing import amounts, dates
from expenses.rules.importing.amounts import DecimalSign, NotAnAmount
from expenses.rules.importing.dates import DateFormat, NotADay

DAYS = st.dates(date(1980, 1, 1), date(2060, 12, 31))
COSTS = st.decimals(Decimal("0.01"), Decimal(999_999), places=2)


# --- amounts


@pytest.mark.parametrize(
    ("text", "sign", "value"),
    [
        ("1,234.56", ".", "1234.56"),
        ("1.234,56", ",", "1234.56"),
        ("1 234,56", ",", "1234.56"),
        ("1\u202f234,56\u00a0€", ",", "1234.56"),
        ("1'234.50", ".", "1234.50"),
        ("12,34,567.89", ".", "1234567.89"),
        ("¥1,234", ".", "1234"),
        ("(1,234.56)", ".", "-1234.56"),
        ("($12.00)", ".", "-12.00"),
        ("12.50-", ".", "-12.50"),
        ("\N{MINUS SIGN}12.50", ".", "-12.50"),
        ("-€12.50", ".", "-12.50"),
        ("€-12.50", ".", "-12.50"),
        ("+12", ".", "12"),
        (".5", ".", "0.5"),
        ("EUR 7,00", ",", "7.00"),
        ("7.00 USD", ".", "7.00"),
    ],
)
def test_amounts_are_read_as_people_and_banks_write_them(text: str, sign: str, value: str) -> None:
    assert amounts.parse(text, DecimalSign(sign)).value == Decimal(value)


@pytest.mark.parametrize(
    "text", ["", "abc", "1,23.4", "1.2.3", "--5", "NaN", "1e5", "12 34.5", "1,2345.00", "inf", "5-5", "1" * 16]
)
def test_what_is_no_amount_is_never_half_of_one(text: str) -> None:
    with pytest.raises(NotAnAmount):
        amounts.parse(text, DecimalSign.POINT)


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=3, max_size=30), st.sampled_from(DecimalSign), st.booleans())
def test_what_is_written_in_a_format_is_recognised_and_read_back(
    values: list[Decimal], sign: DecimalSign, is_grouped: bool
) -> None:
    swap = str.maketrans(",.", ".,") if sign is DecimalSign.COMMA else {}
    texts = [f"{value:,.2f}".translate(swap) if is_grouped else f"{value:.2f}".translate(swap) for value in values]
    assert amounts.recognised(texts) == sign
    assert [amounts.parse(text, sign).value for text in texts] == values


def test_a_thousand_and_one_point_two_three_four_are_told_apart_by_their_neighbours() -> None:
    assert amounts.recognised(["1.234", "12,50"]) == DecimalSign.COMMA
    assert amounts.recognised(["1.234", "12.50"]) == DecimalSign.POINT
    assert amounts.recognised(["1.234"], otherwise=DecimalSign.COMMA) == DecimalSign.COMMA


def test_a_currency_beside_the_amount_is_told() -> None:
    assert amounts.parse("12,50 €", DecimalSign.COMMA).currency == "EUR"
    assert amounts.parse("CHF 5.00", DecimalSign.POINT).currency == "CHF"
    assert amounts.parse("$5.00", DecimalSign.POINT).currency == ""  # of which country, it does not say


# --- days

_WRITTEN = {
    DateFormat.YMD: "%Y-%m-%d",
    DateFormat.DMY: "%d.%m.%Y",
    DateFormat.MDY: "%m/%d/%Y",
    DateFormat.DAY_NAME: "%d %b %Y",
    DateFormat.NAME_DAY: "%b %d, %Y",
}


@given(DAYS, st.sampled_from(list(_WRITTEN)))
def test_a_day_is_read_as_it_is_written(day: date, format_: DateFormat) -> None:
    assert dates.parse(day.strftime(_WRITTEN[format_]), format_) == day


@given(st.lists(DAYS, min_size=1, max_size=20), st.sampled_from([DateFormat.YMD, DateFormat.DAY_NAME, DateFormat.NAME_DAY]))
def test_a_format_that_only_one_reading_fits_is_recognised(days: list[date], format_: DateFormat) -> None:
    texts = [day.strftime(_WRITTEN[format_]) for day in days]
    guess = dates.recognised(texts)
    assert [dates.parse(text, guess.format) for text in texts] == days


def test_day_or_month_first_is_told_by_what_fits_and_else_by_the_shorter_time() -> None:
    assert dates.recognised(["01/02/2026", "13/02/2026"]) == dates.Guess(DateFormat.DMY)
    assert dates.recognised(["02/01/2026", "02/13/2026"]) == dates.Guess(DateFormat.MDY)
    assert dates.recognised(["10/01/2026", "10/02/2026", "10/09/2026"]) == dates.Guess(DateFormat.MDY, is_sure=False)
    assert dates.recognised(["01/10/2026", "02/10/2026", "09/10/2026"]) == dates.Guess(DateFormat.DMY, is_sure=False)


@pytest.mark.parametrize(
    ("text", "format_", "day"),
    [
        ("2026-01-31T23:59:59-08:00", DateFormat.YMD, date(2026, 1, 31)),
        ("2026-01-31 00:30:00+14:00", DateFormat.DMY, date(2026, 1, 31)),
        ("31/01/2026 23:59", DateFormat.DMY, date(2026, 1, 31)),
        ("46053", DateFormat.EXCEL, date(2026, 1, 31)),
        ("46053.9999", DateFormat.EXCEL, date(2026, 1, 31)),
        ("1/31'26", DateFormat.MDY, date(2026, 1, 31)),
        ("31. Dez. 2026", DateFormat.DAY_NAME, date(2026, 12, 31)),
        ("14 juillet 2026", DateFormat.DAY_NAME, date(2026, 7, 14)),
        ("1 juin 2026", DateFormat.DAY_NAME, date(2026, 6, 1)),
        ("20260131", DateFormat.YMD, date(2026, 1, 31)),
        ("31.01.99", DateFormat.DMY, date(1999, 1, 31)),
    ],
)
def test_a_day_is_the_one_that_is_written_whatever_the_time_zone(text: str, format_: DateFormat, day: date) -> None:
    assert dates.parse(text, format_) == day


@pytest.mark.parametrize("text", ["", "31/02/2026", "2026-13-01", "yesterday", "99999999", "0001-01-01"])
def test_what_is_no_day_says_so(text: str) -> None:
    with pytest.raises(NotADay):
        dates.parse(text, DateFormat.DMY)
