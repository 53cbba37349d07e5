"""What GetCostAndUsage refuses, on 22 November 2026."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from cloudconsole.simulator.tests.conftest import Aws, refused


def service(*values: str, key: str = "SERVICE") -> dict[str, Any]:
    return {"Dimensions": {"Key": key, "Values": list(values)}}


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        ("2026-11-05", "2026-11-05", "Start date (and hour) should be before end date (and hour)"),
        ("2026-11-06", "2026-11-05", "Start date (and hour) should be before end date (and hour)"),
        ("2026-11-23", "2026-11-24", "start date past the current date"),
        ("2026-11-01", "2026-12-02", "end date past the beginning of next month"),
        ("2025-09-21", "2026-11-01", "your start date needs to be the first day of the month"),
        ("2025-09-01", "2026-11-01", "monthly granularity only"),
        ("2026-02-30", "2026-11-01", "Start time 2026-02-30 is invalid. Valid format is: yyyy-MM-dd."),
        ("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", "is invalid. Valid format is: yyyy-MM-dd."),
        ("yesterday", "2026-11-02", "failed to satisfy constraint"),
    ],
)
def test_a_bad_period_is_refused(aws: Aws, start: str, end: str, words: str) -> None:
    answer = refused(lambda: aws.costs(start, end))

    assert (answer.code, answer.status) == ("ValidationException", 400)
    assert words in answer.message


@pytest.mark.parametrize(("start", "end"), [("2026-11-22", "2026-12-01"), ("2025-09-22", "2025-09-23")])
def test_the_bounds_themselves_are_accepted(aws: Aws, start: str, end: str) -> None:
    assert aws.costs(start, end)["ResultsByTime"]


def test_on_the_first_of_a_month_the_whole_month_may_be_asked(aws: Aws) -> None:
    aws.simulator.set_today(date(2026, 12, 1))

    assert len(aws.costs("2026-12-01", "2027-01-01")["ResultsByTime"]) == 31


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"Granularity": "YEARLY"}, "Member must satisfy enum value set"),
        ({"Metrics": []}, "Member must not be null"),
        ({"Metrics": ["UNBLENDED_COST"]}, "are invalid"),
        ({"GroupBy": [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "REGION", "AZ")]}, "at most 2"),
        ({"GroupBy": [{"Type": "LINKED_ACCOUNT", "Key": ""}]}, "Group Definition type is invalid."),
        (
            {"GroupBy": [{"Type": "DIMENSION", "Key": "RESOURCE_ID"}]},
            "Group Definition dimension is invalid. Valid values are AZ",
        ),
        ({"Filter": service("Usage", key="CHARGE_TYPE")}, "CHARGE_TYPE is invalid"),
        ({"Filter": {}}, "exactly one root"),
        ({"Filter": {"Not": service("Tax"), **service("Tax")}}, "exactly one root"),
        ({"Filter": {"And": [service("Tax")]}}, "at least two operands"),
        ({"Filter": {"Dimensions": {"Key": "SERVICE", "Values": ["Tax"], "MatchOptions": ["CONTAINS"]}}}, "MatchOptions"),
        ({"Filter": {"Dimensions": {"Key": "SERVICE", "MatchOptions": ["ABSENT"]}}}, "MatchOptions"),
    ],
)
def test_a_bad_question_is_refused(aws: Aws, changed: dict[str, Any], words: str) -> None:
    answer = refused(lambda: aws.costs("2026-11-01", "2026-11-02", **changed))

    assert (answer.code, answer.status) == ("ValidationException", 400)
    assert words in answer.message


def test_hourly_figures_are_not_enabled(aws: Aws) -> None:
    recent = {"Granularity": "HOURLY"}

    assert "not enabled" in refused(lambda: aws.costs("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z", **recent)).message
    assert "14 days" in refused(lambda: aws.costs("2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z", **recent)).message


def test_months_beyond_the_fourteenth_need_multi_year_data(aws: Aws) -> None:
    answer = refused(lambda: aws.costs("2025-01-01", "2025-02-01", Granularity="MONTHLY"))

    assert "historical data beyond 14 months" in answer.message


def test_a_key_without_the_permission_is_denied_with_its_name(aws: Aws) -> None:
    answer = refused(lambda: aws.costs("2026-11-01", "2026-11-02", key="no-cost-explorer"))

    assert (answer.code, answer.status) == ("AccessDeniedException", 400)
    assert answer.message == (
        "User: arn:aws:iam::433333333333:user/auditor is not authorized to perform: ce:GetCostAndUsage on resource: "
        "arn:aws:ce:us-east-1:433333333333:/GetCostAndUsage because no identity-based policy allows the "
        "ce:GetCostAndUsage action"
    )


def test_an_account_that_never_opened_cost_explorer_is_told_so(aws: Aws) -> None:
    answer = refused(lambda: aws.costs("2026-11-01", "2026-11-02", key="not-enabled"))

    assert (answer.code, answer.message) == ("AccessDeniedException", "User not enabled for cost explorer access")


@pytest.mark.parametrize("changed", [{"Filter": {"And": 5}}, {"GroupBy": ["SERVICE"]}, {"Metrics": 5}])
def test_parameters_of_the_wrong_shape_cannot_be_read(aws: Aws, changed: dict[str, Any]) -> None:
    body = {"TimePeriod": {"Start": "2026-11-01", "End": "2026-11-02"}, "Granularity": "DAILY", "Metrics": ["BlendedCost"]}
    client = aws._client("ce")
    client.meta.events.register("before-call.ce", lambda params, **_: params.update(body=json.dumps(body | changed).encode()))

    assert refused(lambda: client.get_cost_and_usage(**body)).code == "SerializationException"
