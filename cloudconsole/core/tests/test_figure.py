from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.core import figures

NOW = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        ("12904.182733", "USD", "$12,904.18"),
        ("-640", "USD", "−$640.00"),
        ("0", "USD", "$0.00"),
        ("12150.44", "JPY", "¥12,150"),
        ("7.5", "SEK", "SEK 7.50"),
    ],
)
def test_money_is_grouped_with_its_currency(amount: str, currency: str, text: str) -> None:
    assert figures.money(Decimal(amount), currency) == text


def test_an_amount_too_small_to_show_is_not_shown_as_zero() -> None:
    assert figures.money(Decimal("0.0003"), "USD") == "<$0.01"


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=12, allow_nan=False))
def test_the_exact_text_holds_every_digit(amount: Decimal) -> None:
    text = figures.exact(amount, "USD").removesuffix(" USD").replace(",", "").replace("−", "-")
    assert Decimal(text) == amount


@pytest.mark.parametrize(
    ("age", "text"),
    [
        (timedelta(seconds=5), "just now"),
        (timedelta(seconds=50), "1 min. ago"),
        (timedelta(minutes=3), "3 min. ago"),
        (timedelta(hours=5), "5 hr. ago"),
        (timedelta(days=2), "2 days ago"),
        (timedelta(hours=-6), "in 6 hr."),
    ],
)
def test_ages_read_as_people_say_them(age: timedelta, text: str) -> None:
    assert figures.ago(NOW - age, NOW) == text


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 11, 9), date(2026, 11, 9), "9 Nov 2026"),
        (date(2026, 11, 9), date(2026, 12, 1), "9 Nov – 1 Dec 2026"),
        (date(2025, 12, 29), date(2026, 1, 4), "29 Dec 2025 – 4 Jan 2026"),
    ],
)
def test_days_read_as_people_write_them(first: date, last: date, text: str) -> None:
    assert figures.days(first, last) == text


def test_an_account_number_is_read_in_groups_of_four() -> None:
    assert figures.account_number("411111111111") == "4111 1111 1111"


@pytest.mark.parametrize(("seconds", "text"), [(1.25, "1.2 s"), (75, "1 min 15 s"), (3700, "1 h 1 min"), (60, "1 min")])
def test_durations_are_as_exact_as_they_are_short(seconds: float, text: str) -> None:
    assert figures.duration(timedelta(seconds=seconds)) == text
