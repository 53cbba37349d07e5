"""Rates of currencies: stored monthly averages, own ones, and never one to one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from expenses.models import MonthlyRate, RateRelease, RateSource
from expenses.rules import rates as rules
from expenses.rules.rates import Rates
from expenses.selectors import rates as selectors
from expenses.services import rates

Api = Callable[[User | None], APIClient]
OCTOBER = date(2026, 10, 1)
RATES = "/api/exchange-rates"


def test_a_month_s_rate_is_the_mean_of_its_days_and_only_of_whole_months() -> None:
    table = ["Date,USD,JPY,", "2026-11-02,9,9,", "2026-10-30,1.20,N/A,", "2026-10-01,1.10,160,", "2026-09-30,1.00,,"]
    found = {(one.currency, one.month): (one.per_euro, one.days) for one in rules.averages(table)}
    assert found == {
        ("USD", OCTOBER): (Decimal("1.15"), 2),
        ("JPY", OCTOBER): (Decimal(160), 1),
        ("USD", date(2026, 9, 1)): (Decimal(1), 1),
    }


def test_a_month_is_whole_with_its_last_weekday() -> None:
    assert len(list(rules.averages(["Date,USD", "2026-10-30,1.1"]))) == 1  # a Friday; the rest is a weekend
    assert not list(rules.averages(["Date,USD", "2026-10-29,1.1"]))


AMOUNTS = st.decimals(Decimal("-1e9"), Decimal("1e9"), places=2)
PER_EURO = st.decimals(Decimal("0.01"), Decimal(1000), places=4)


@given(AMOUNTS, PER_EURO, PER_EURO)
def test_a_missing_rate_is_never_one(amount: Decimal, usd: Decimal, gbp: Decimal) -> None:
    known = Rates({("USD", OCTOBER): usd})
    assert known.convert(amount, "EUR", "EUR", OCTOBER) == amount
    assert known.convert(amount, "EUR", "USD", OCTOBER) == round_half_up(amount * usd)
    for currency, into in [("GBP", "EUR"), ("EUR", "GBP"), ("USD", "GBP")]:
        with pytest.raises(rules.RateMissing):
            known.convert(amount, currency, into, OCTOBER)
    both = Rates({("USD", OCTOBER): usd, ("GBP", OCTOBER): gbp})
    assert rules.converted({"USD": amount, "GBP": amount}, "USD", OCTOBER, both).missing == ()
    assert rules.converted({"USD": amount, "GBP": amount}, "USD", OCTOBER, known) == rules.Converted(None, (("GBP", OCTOBER),))


def round_half_up(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), "ROUND_HALF_UP")


def test_the_central_bank_s_history_is_stored_once_for_each_release(db: None) -> None:
    count = rates.load()
    assert count > 5_000
    assert (rates.load(), MonthlyRate.objects.count(), RateRelease.objects.count()) == (0, count, 1)
    stored = MonthlyRate.objects.get(currency="USD", month=date(2020, 1, 1))
    assert (stored.source, stored.days, round(stored.per_euro, 4)) == (RateSource.ECB, 22, Decimal("1.1100"))
    through = selectors.through()
    assert through is not None
    assert through >= date(2026, 9, 1)
    assert {"EUR", "GBP", "JPY", "USD"} <= set(selectors.known_currencies())


def test_an_own_rate_counts_more_until_it_is_removed(api: Api, admin: User, viewer: User) -> None:
    MonthlyRate.objects.create(
        currency="USD", month=OCTOBER, source=RateSource.ECB, per_euro=Decimal("1.1"), days=22, set_at="2026-11-01T00:00Z"
    )
    given = {"currency": "USD", "month": "2026-10-17", "per_euro": "1.2345678901"}
    assert api(viewer).post(RATES, given, format="json").status_code == 403
    made = api(admin).post(RATES, given, format="json")
    assert (made.status_code, made.json()["per_euro"], made.json()["month"]) == (201, "1.2345678901", "2026-10-01")
    assert selectors.between(["USD"], OCTOBER, date(2026, 11, 1)).per_euro["USD", OCTOBER] == Decimal("1.2345678901")
    assert len(api(viewer).get(RATES, {"currency": "usd", "month": "2026-10-05"}).json()["results"]) == 2
    assert api(admin).delete(f"{RATES}/{made.json()['id']}").status_code == 204
    assert selectors.between(["USD"], OCTOBER, date(2026, 11, 1)).per_euro["USD", OCTOBER] == Decimal("1.1")


@pytest.mark.parametrize(
    "wrong", [{"per_euro": "0"}, {"per_euro": "-1"}, {"currency": "EUR"}, {"currency": "XXZ"}, {"currency": "usd"}]
)
def test_what_is_no_rate_is_refused(api: Api, admin: User, wrong: dict[str, str]) -> None:
    given = {"currency": "USD", "month": "2026-10-01", "per_euro": "1.1", **wrong}
    assert api(admin).post(RATES, given, format="json").status_code == 400
    assert not MonthlyRate.objects.exists()
