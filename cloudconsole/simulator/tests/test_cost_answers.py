"""What Cost Explorer answers is what the ledger holds, to the last digit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudconsole.simulator.ledger import Amounts
from cloudconsole.simulator.tests.conftest import FIVE_METRICS, TODAY, Aws

HUB = "111111111111"
DEVELOPMENT = "433333333333"


def days(start: str, end: str) -> Iterator[date]:
    first, last = date.fromisoformat(start), date.fromisoformat(end)
    return (first + timedelta(days=number) for number in range((last - first).days))


def read(metrics: dict[str, dict[str, str]]) -> Amounts:
    return Amounts(*(Decimal(metrics[name]["Amount"]) for name in FIVE_METRICS))


def groups(pages: list[dict[str, Any]]) -> dict[tuple[str, tuple[str, ...]], Amounts]:
    return {
        (result["TimePeriod"]["Start"], tuple(group["Keys"])): read(group["Metrics"])
        for page in pages
        for result in page["ResultsByTime"]
        for group in result["Groups"]
    }


def unblended(page: dict[str, Any]) -> Decimal:
    """The sum of a page's groups, or of its totals."""
    return sum(
        (
            Decimal(metrics["UnblendedCost"]["Amount"])
            for result in page["ResultsByTime"]
            for metrics in ([group["Metrics"] for group in result["Groups"]] or [result["Total"]])
            if metrics
        ),
        Decimal(0),
    )


def test_totals_are_the_ledgers(aws: Aws) -> None:
    page = aws.costs("2026-10-01", "2026-11-22")

    found = {result["TimePeriod"]["Start"]: read(result["Total"]) for result in page["ResultsByTime"]}
    ledger, now = aws.simulator.ledger, aws.simulator.now()
    assert found == {day.isoformat(): ledger.totals(day, now)[()] for day in days("2026-10-01", "2026-11-22")}


@pytest.mark.parametrize(
    "group_by", [("SERVICE", "RECORD_TYPE"), ("LINKED_ACCOUNT", "SERVICE"), ("REGION", "SERVICE"), ("REGION",)]
)
def test_groups_are_the_ledgers(aws: Aws, group_by: tuple[str, ...]) -> None:
    found = groups(aws.all_pages("2026-10-25", "2026-11-23", *group_by))

    ledger, now = aws.simulator.ledger, aws.simulator.now()
    assert found == {
        (day.isoformat(), keys): amounts
        for day in days("2026-10-25", "2026-11-23")
        for keys, amounts in ledger.totals(day, now, group_by=group_by).items()
    }


def test_a_period_is_half_open(aws: Aws) -> None:
    page = aws.costs("2026-11-01", "2026-11-03")

    assert [result["TimePeriod"] for result in page["ResultsByTime"]] == [
        {"Start": "2026-11-01", "End": "2026-11-02"},
        {"Start": "2026-11-02", "End": "2026-11-03"},
    ]


def test_a_grouped_answer_has_no_total_and_names_its_groups(aws: Aws) -> None:
    grouped = aws.costs("2026-11-01", "2026-11-02", "SERVICE")
    plain = aws.costs("2026-11-01", "2026-11-02")

    assert grouped["ResultsByTime"][0]["Total"] == {}
    assert grouped["GroupDefinitions"] == [{"Type": "DIMENSION", "Key": "SERVICE"}]
    assert plain["ResultsByTime"][0]["Groups"] == []
    assert "GroupDefinitions" not in plain


def test_groups_by_service_region_and_record_type_add_up_to_the_total(aws: Aws) -> None:
    total = unblended(aws.costs("2026-10-01", "2026-11-01"))

    for group_by in (("SERVICE", "RECORD_TYPE"), ("REGION", "SERVICE")):
        assert sum(unblended(page) for page in aws.all_pages("2026-10-01", "2026-11-01", *group_by)) == total


def test_groups_by_account_lose_a_little_support(aws: Aws) -> None:
    total = unblended(aws.costs("2026-10-01", "2026-11-01"))
    by_account = sum(unblended(page) for page in aws.all_pages("2026-10-01", "2026-11-01", "LINKED_ACCOUNT", "SERVICE"))

    fee = aws.simulator.ledger.totals(date(2026, 10, 31), aws.simulator.now(), group_by=("SERVICE",))
    assert total - by_account == pytest.approx(fee["AWS Support (Business)",].unblended * 2 / 100)
    assert total > by_account


def test_account_names_come_along(aws: Aws) -> None:
    page = aws.costs("2026-11-01", "2026-11-02", "LINKED_ACCOUNT")

    assert {"Value": DEVELOPMENT, "Attributes": {"description": "development"}} in page["DimensionValueAttributes"]
    assert aws.costs("2026-11-01", "2026-11-02", "SERVICE")["DimensionValueAttributes"] == []


def test_a_member_sees_only_itself(aws: Aws) -> None:
    found = groups([aws.costs("2026-11-02", "2026-11-03", "LINKED_ACCOUNT", key="development")])
    of_payer = groups([aws.costs("2026-11-02", "2026-11-03", "LINKED_ACCOUNT")])

    assert set(found) == {("2026-11-02", (DEVELOPMENT,))}
    assert found["2026-11-02", (DEVELOPMENT,)] == of_payer["2026-11-02", (DEVELOPMENT,)]
    assert len(of_payer) == 5


def test_months_are_cut_to_the_period(aws: Aws) -> None:
    page = aws.costs("2026-09-10", "2026-11-05", Granularity="MONTHLY")

    assert [tuple(result["TimePeriod"].values()) for result in page["ResultsByTime"]] == [
        ("2026-09-10", "2026-10-01"), ("2026-10-01", "2026-11-01"), ("2026-11-01", "2026-11-05"),
    ]  # fmt: skip
    assert unblended(page) == unblended(aws.costs("2026-09-10", "2026-11-05"))


def test_only_the_open_month_is_estimated(aws: Aws) -> None:
    page = aws.costs("2026-10-31", "2026-11-02")

    assert [result["Estimated"] for result in page["ResultsByTime"]] == [False, True]


def test_days_to_come_are_zero(aws: Aws) -> None:
    page = aws.costs("2026-11-22", "2026-12-01")
    grouped = aws.costs("2026-11-22", "2026-12-01", "SERVICE")

    assert page["ResultsByTime"][-1]["Total"]["UnblendedCost"] == {"Amount": "0", "Unit": "USD"}
    assert grouped["ResultsByTime"][-1]["Groups"] == []


def test_a_filter_is_a_tree(aws: Aws) -> None:
    usage = {"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Usage"]}}
    storage = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Simple Storage Service"], "MatchOptions": ["EQUALS"]}}
    europe = {"Dimensions": {"Key": "REGION", "Values": ["eu-central-1"]}}

    def keys(expression: dict[str, Any]) -> set[tuple[str, ...]]:
        return {found[1] for found in groups([aws.costs("2026-11-02", "2026-11-03", "SERVICE", "REGION", Filter=expression)])}

    everything = keys(usage)
    assert keys({"And": [usage, storage, europe]}) == {("Amazon Simple Storage Service", "eu-central-1")}
    assert keys({"And": [usage, {"Not": storage}]}) == {key for key in everything if key[0] != "Amazon Simple Storage Service"}
    assert keys({"And": [usage, {"Or": [storage, europe]}]}) == {
        key for key in everything if key[0] == "Amazon Simple Storage Service" or key[1] == "eu-central-1"
    }


def test_a_value_that_nobody_has_is_no_error(aws: Aws) -> None:
    nothing = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Nothing"]}}
    page = aws.costs("2026-11-02", "2026-11-03", Filter=nothing)

    assert page["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"] == "0"
    assert aws.costs("2026-11-02", "2026-11-03", "SERVICE", Filter=nothing)["ResultsByTime"][0]["Groups"] == []


def test_tags_are_key_and_value_and_empty_for_the_untagged(aws: Aws) -> None:
    by_tag = [{"Type": "TAG", "Key": "Environment"}]
    found = {keys[0] for _, keys in groups([aws.costs("2026-11-01", "2026-11-02", GroupBy=by_tag)])}
    untagged = {"Tags": {"Key": "Environment", "MatchOptions": ["ABSENT"]}}
    taxes = groups([aws.costs("2026-11-01", "2026-11-02", "RECORD_TYPE", Filter=untagged)])

    assert {"Environment$", "Environment$production", "Environment$sandbox"} <= found
    assert ("2026-11-01", ("Tax",)) in taxes
    assert ("2026-11-01", ("Usage",)) not in taxes


def test_amounts_are_plain_decimals_of_ten_places_at_most(aws: Aws) -> None:
    page = aws.costs("2026-11-01", "2026-11-08", "LINKED_ACCOUNT", "SERVICE")
    texts = [
        value["Amount"] for result in page["ResultsByTime"] for group in result["Groups"] for value in group["Metrics"].values()
    ]

    assert "0" in texts  # a row of zero: used within the free tier
    assert all(len(text.partition(".")[2]) <= 10 and "E" not in text for text in texts)
    assert any(len(text.partition(".")[2]) == 10 for text in texts)
    assert any(text.startswith("0.000001") for text in texts)


def test_usage_of_unlike_units_has_no_unit(aws: Aws) -> None:
    total = aws.costs("2026-11-01", "2026-11-02", Metrics=["UsageQuantity", "NormalizedUsageAmount"])["ResultsByTime"][0]["Total"]

    assert total["UsageQuantity"]["Unit"] == "N/A"
    assert Decimal(total["UsageQuantity"]["Amount"]) > 0
    assert set(total) == {"UsageQuantity", "NormalizedUsageAmount"}


def test_a_later_look_restates_the_last_days(aws: Aws) -> None:
    def yesterday() -> Decimal:
        return unblended(aws.costs("2026-11-21", "2026-11-22"))

    seen = [yesterday()]
    for moment in (
        datetime(2026, 11, 23, 12, tzinfo=UTC),
        datetime(2026, 11, 24, 12, tzinfo=UTC),
        datetime(2026, 11, 28, tzinfo=UTC),
    ):
        aws.simulator.set_now(moment)
        seen.append(yesterday())

    assert seen == sorted(seen)
    assert seen[0] < seen[1] < seen[2] == seen[3]


def test_thirteen_months_are_answered_at_once(aws: Aws) -> None:
    aws.simulator.set_page_size(200_000)
    aws.costs("2025-10-22", "2026-12-01", "SERVICE")  # the days are made once
    started = time.perf_counter()
    page = aws.costs("2025-10-22", "2026-12-01", "REGION", "RECORD_TYPE", Metrics=["UnblendedCost"])

    assert len(page["ResultsByTime"]) == (date(2026, 12, 1) - date(2025, 10, 22)).days
    assert page["ResultsByTime"][0]["Groups"]
    assert time.perf_counter() - started < 3  # 0.1 s on a quiet machine
    assert aws.simulator.now().date() == TODAY
