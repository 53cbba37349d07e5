"""The story that the figures tell, and that it is the same one every time."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudconsole.simulator import charges
from cloudconsole.simulator.ledger import Amounts, Ledger, is_open, usd
from cloudconsole.simulator.line_items import Line, View

ORIGIN = date(2026, 11, 22)
LEDGER = Ledger(seed=1, origin=ORIGIN)
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LONG_AFTER = datetime(2027, 6, 1, tzinfo=UTC)
METRICS = ("unblended", "blended", "amortized", "net_unblended", "net_amortized")


def month(year: int, number: int) -> list[date]:
    first = date(year, number, 1)
    return [day for offset in range(31) if (day := first + timedelta(days=offset)).month == number]


def by(dimension: str, day: date, as_of: datetime = LONG_AFTER) -> dict[str, Amounts]:
    return {keys[0]: amounts for keys, amounts in LEDGER.totals(day, as_of, group_by=(dimension,)).items()}


def lines(day: date, record_type: str) -> list[Line]:
    return [line for line in LEDGER.lines(day) if line.record_type == record_type]


def test_the_same_seed_tells_the_same_and_another_another() -> None:
    charges.lines_of.cache_clear()
    again = Ledger(seed=1, origin=ORIGIN).totals(ORIGIN, LONG_AFTER)

    assert again == LEDGER.totals(ORIGIN, LONG_AFTER)
    assert again != Ledger(seed=2, origin=ORIGIN).totals(ORIGIN, LONG_AFTER)


def test_the_organization_spends_fifteen_to_twenty_thousand_a_month() -> None:
    total = sum(LEDGER.totals(day, LONG_AFTER)[()].unblended for day in month(2026, 10))

    assert 15_000 < total < 20_000


def test_there_are_as_many_services_as_a_real_bill_has() -> None:
    services = {line.service for day in month(2026, 10) for line in LEDGER.lines(day)}

    assert 15 <= len(services) <= 25
    assert {"EC2 - Other", "Amazon Bedrock", "AmazonCloudWatch", "AWS Support (Business)", "Tax"} <= services


def test_the_five_metrics_are_five_different_truths() -> None:
    for day in month(2026, 10):
        by_service = LEDGER.totals(day, LONG_AFTER, group_by=("LINKED_ACCOUNT", "SERVICE")).values()
        columns = [[getattr(amounts, metric) for amounts in by_service] for metric in METRICS]
        assert all(first != second for first, second in combinations(columns, 2))


def test_blending_moves_cost_between_accounts_and_makes_none() -> None:
    for day in month(2026, 10):
        total = LEDGER.totals(day, LONG_AFTER)[()]
        accounts = by("LINKED_ACCOUNT", day)
        assert total.blended == total.unblended
        assert any(amounts.blended != amounts.unblended for amounts in accounts.values())


def test_the_savings_plan_turns_its_fees_into_covered_usage() -> None:
    day = date(2026, 10, 14)
    types = by("RECORD_TYPE", day)
    covered, negated, fee = (types[f"SavingsPlan{name}"] for name in ("CoveredUsage", "Negation", "RecurringFee"))

    assert covered.unblended == -negated.unblended > 0
    assert covered.amortized < covered.unblended
    assert negated.amortized == 0
    # What was used and what was not come to the commitment; half of it was paid upfront.
    assert covered.amortized + fee.amortized == usd(charges.PLAN_DAILY)
    assert fee.unblended == usd(charges.PLAN_DAILY // 2)


def test_the_plan_was_bought_once_with_a_payment_upfront() -> None:
    bought = charges.plan_start(ORIGIN)
    upfront = lines(bought, "SavingsPlanUpfrontFee")

    assert bought == date(2026, 4, 1)
    assert [usd(line.costs.unblended) for line in upfront] == [usd(charges.PLAN_DAILY // 2 * 365)]
    assert upfront[0].costs.amortized == 0
    assert not lines(bought - timedelta(days=1), "SavingsPlanCoveredUsage")
    assert not any(lines(day, "SavingsPlanUpfrontFee") for day in month(2026, 10))


def test_reserved_usage_costs_nothing_in_cash() -> None:
    used = by("RECORD_TYPE", date(2026, 10, 14))["DiscountedUsage"]
    fee = by("RECORD_TYPE", date(2026, 10, 1))["Recurring"]

    assert used.unblended == 0 < used.amortized
    assert fee.amortized == 0
    assert fee.unblended == used.amortized * 31


def test_the_discount_is_known_to_the_net_metrics_alone() -> None:
    usage = by("RECORD_TYPE", date(2026, 10, 14))["Usage"]
    discount = by("RECORD_TYPE", date(2026, 10, 14))["Enterprise Discount Program Discount"]

    assert usage.net_unblended == pytest.approx(usage.unblended * 94 / 100)
    assert discount.unblended < 0 == discount.net_unblended


def test_tax_lands_on_the_first_of_the_month_only() -> None:
    assert [day.day for day in month(2026, 10) if lines(day, "Tax")] == [1]
    assert by("RECORD_TYPE", date(2026, 11, 1), NOW)["Tax"].unblended > 500


def test_support_arrives_on_the_seventh_for_the_month_before() -> None:
    last = date(2026, 10, 31)

    assert "Support" not in by("RECORD_TYPE", last, datetime(2026, 11, 7, 5, tzinfo=UTC))
    assert by("RECORD_TYPE", last, datetime(2026, 11, 7, 6, tzinfo=UTC))["Support"].unblended > 500


def test_support_is_one_charge_or_shares_that_lose_a_little() -> None:
    support = lines(date(2026, 10, 31), "Support")
    whole = sum(line.costs.unblended for line in support if line.view is View.CONSOLIDATED)
    shares = sum(line.costs.unblended for line in support if line.view is View.PRORATED)

    assert usd(whole - shares) == pytest.approx(usd(whole) * 2 / 100)


def test_a_refund_comes_after_the_bill_was_final() -> None:
    day = date(2026, 9, 9)

    assert "Refund" not in by("RECORD_TYPE", day, datetime(2026, 10, 13, 23, tzinfo=UTC))
    assert by("RECORD_TYPE", day, datetime(2026, 10, 14, tzinfo=UTC))["Refund"].unblended == Decimal("-18.4")


def test_credits_are_negative() -> None:
    assert by("RECORD_TYPE", date(2026, 10, 14))["Credit"].unblended == Decimal("-21.33")


def test_weekends_are_quieter_and_months_grow() -> None:
    def usage(day: date) -> Decimal:
        return by("RECORD_TYPE", day)["Usage"].unblended

    assert usage(date(2026, 10, 17)) < usage(date(2026, 10, 15)) * 85 / 100
    assert usage(date(2026, 10, 14)) > usage(date(2026, 1, 14)) * 11 / 10


def test_bedrock_bursts_about_nine_days_before_the_origin() -> None:
    daily = {day: by("SERVICE", day)["Amazon Bedrock"].unblended for day in month(2026, 11)[:21]}
    burst = [day.day for day, amount in daily.items() if amount > 65]

    assert burst == [12, 13, 14, 15]
    assert max(daily, key=lambda day: daily[day]) == date(2026, 11, 12)


def test_some_services_are_absent_on_some_days() -> None:
    glue = [day for day in month(2026, 10) if "AWS Glue" in by("SERVICE", day)]

    assert {day.weekday() for day in glue} == {0, 1, 2, 3, 4}


def test_regions_include_the_ones_that_are_none() -> None:
    assert {"us-east-1", "eu-central-1", "global", "NoRegion"} <= set(by("REGION", date(2026, 10, 31)))


@pytest.mark.parametrize(
    ("day", "low", "high"), [(22, "0.10", "0.20"), (21, "0.55", "0.70"), (20, "0.93", "0.97"), (19, "1", "1")]
)
def test_the_last_days_are_still_growing(day: int, low: str, high: str) -> None:
    found = date(2026, 11, day)
    share = by("RECORD_TYPE", found, NOW)["Usage"].unblended / by("RECORD_TYPE", found)["Usage"].unblended

    assert Decimal(low) <= share <= Decimal(high)


def test_some_services_reach_the_bill_a_day_later() -> None:
    yesterday = date(2026, 11, 21)

    assert "AmazonCloudWatch" not in by("SERVICE", yesterday, datetime(2026, 11, 22, 7, tzinfo=UTC))
    assert "AmazonCloudWatch" in by("SERVICE", yesterday, datetime(2026, 11, 22, 8, tzinfo=UTC))


def test_nothing_is_shown_of_days_to_come() -> None:
    assert LEDGER.totals(date(2026, 11, 23), NOW) == {}


def test_a_month_is_open_until_its_end() -> None:
    assert is_open(date(2026, 11, 1), NOW)
    assert not is_open(date(2026, 10, 31), NOW)


@settings(deadline=None)
@given(
    day=st.dates(date(2024, 1, 1), date(2028, 12, 31)),
    hours=st.integers(0, 2000),
    group_by=st.sampled_from([("SERVICE", "RECORD_TYPE"), ("REGION", "SERVICE"), ("REGION",), ("RECORD_TYPE",)]),
)
def test_groups_always_add_up_to_the_total(day: date, hours: int, group_by: tuple[str, ...]) -> None:
    as_of = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=hours)
    total = LEDGER.totals(day, as_of).get(())
    groups = LEDGER.totals(day, as_of, group_by=group_by).values()

    for metric in METRICS:
        assert sum(getattr(amounts, metric) for amounts in groups) == (getattr(total, metric) if total else 0)


@settings(deadline=None)
@given(day=st.dates(date(2024, 1, 1), date(2028, 12, 31)), hours=st.integers(0, 90))
def test_usage_only_grows_until_it_is_settled(day: date, hours: int) -> None:
    start = datetime.combine(day, datetime.min.time(), UTC)
    earlier, later = (by("RECORD_TYPE", day, start + timedelta(hours=h)).get("Usage") for h in (hours, hours + 8))

    assert later is not None
    assert earlier is None or earlier.unblended <= later.unblended
