"""CloudWatch's questions and refusals, and the price list's."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudconsole.simulator.tests.conftest import Aws, refused

EU = "eu-central-1"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SIZE = {
    "Namespace": "AWS/S3",
    "MetricName": "BucketSizeBytes",
    "Dimensions": [
        {"Name": "BucketName", "Value": "example-dev-artifacts"},
        {"Name": "StorageType", "Value": "StandardStorage"},
    ],
}


def query(number: int = 0, metric: dict[str, Any] = SIZE, period: int = 86_400, stat: str = "Average") -> dict[str, Any]:
    return {"Id": f"q{number}", "MetricStat": {"Metric": metric, "Period": period, "Stat": stat}}


def ask(aws: Aws, *queries: dict[str, Any], days: int = 4, **more: Any) -> dict[str, Any]:
    window = {"StartTime": NOON.replace(hour=0) - timedelta(days=days), "EndTime": NOON}
    cloudwatch = aws.client("cloudwatch", "development", EU)
    answer: dict[str, Any] = cloudwatch.get_metric_data(**{**window, "MetricDataQueries": list(queries), **more})
    return answer


def test_a_day_is_told_when_it_is_over_and_newest_first(aws: Aws) -> None:
    [result] = ask(aws, query())["MetricDataResults"]

    assert [moment.day for moment in result["Timestamps"]] == [21, 20, 19, 18]
    assert result["Values"] == sorted(result["Values"], reverse=True)
    assert result["StatusCode"] == "Complete"


def test_a_day_is_not_told_before_s3_has_written_it(aws: Aws) -> None:
    aws.simulator.set_now(NOON.replace(hour=3))
    [result] = ask(aws, query())["MetricDataResults"]

    assert [moment.day for moment in result["Timestamps"]] == [20, 19, 18]


def test_the_order_of_dimensions_means_nothing(aws: Aws) -> None:
    turned = {**SIZE, "Dimensions": list(reversed(SIZE["Dimensions"]))}
    first, second = ask(aws, query(0), query(1, turned))["MetricDataResults"]

    assert first["Values"] == second["Values"] != []


def test_half_of_the_dimensions_is_another_metric(aws: Aws) -> None:
    [result] = ask(aws, query(0, {**SIZE, "Dimensions": SIZE["Dimensions"][:1]}))["MetricDataResults"]

    assert result["Values"] == []


def test_points_are_spread_over_pages_without_loss(aws: Aws) -> None:
    whole = ask(aws, query(0), query(1))["MetricDataResults"]
    aws.simulator.set_metrics_page(3)
    pages = [ask(aws, query(0), query(1))]
    while "NextToken" in pages[-1]:
        pages.append(ask(aws, query(0), query(1), NextToken=pages[-1]["NextToken"]))
    parts = [result for page in pages for result in page["MetricDataResults"]]

    assert len(pages) == 3
    assert [part["StatusCode"] for part in parts if part["Id"] == "q0"] == ["PartialData", "Complete"]
    for result in whole:
        assert [value for part in parts if part["Id"] == result["Id"] for value in part["Values"]] == result["Values"]


@pytest.mark.parametrize(
    ("queries", "more"),
    [
        ([query(number) for number in range(501)], {}),
        ([], {}),
        ([query(0), query(0)], {}),
        ([{**query(0), "Id": "0"}], {}),
        ([query(0, period=7)], {}),
        ([query(0, stat="Middle")], {}),
        ([query(0)], {"StartTime": NOON, "EndTime": NOON}),
    ],
)
def test_what_makes_no_sense_is_refused(aws: Aws, queries: list[dict[str, Any]], more: dict[str, Any]) -> None:
    assert refused(lambda: ask(aws, *queries, **more)).code == "ValidationError"


def test_a_token_that_nobody_gave_is_refused(aws: Aws) -> None:
    assert refused(lambda: ask(aws, query(), NextToken="made-up")).code == "InvalidNextToken"


def test_metrics_are_listed_for_buckets_of_the_region_only(aws: Aws) -> None:
    def listed(region: str) -> set[str]:
        found = aws.client("cloudwatch", "development", region).list_metrics(Namespace="AWS/S3", MetricName="NumberOfObjects")
        return {one["Value"] for metric in found["Metrics"] for one in metric["Dimensions"] if one["Name"] == "BucketName"}

    assert "example-dev-artifacts" in listed(EU)
    assert "example-dev-artifacts" not in listed("us-east-1")


def test_figures_need_the_permission_that_is_called_cloudwatch(aws: Aws) -> None:
    answer = refused(lambda: aws.client("cloudwatch", "no-cost-explorer").list_metrics())

    assert (answer.code, "cloudwatch:ListMetrics" in answer.message) == ("AccessDeniedException", True)


def cpu_of(name: str, value: str) -> dict[str, Any]:
    return {"Namespace": "AWS/EC2", "MetricName": "CPUUtilization", "Dimensions": [{"Name": name, "Value": value}]}


def test_an_instance_is_measured_every_five_minutes_and_an_hour_is_the_mean_of_its_parts(aws: Aws) -> None:
    aws.simulator.set_now(NOON)
    account = aws.keys["development"].account_id
    metric = cpu_of("InstanceId", aws.simulator.ec2.named(account, EU, "build-1"))
    window: dict[str, Any] = {"StartTime": NOON - timedelta(hours=1), "EndTime": NOON}
    parts, whole = ask(aws, query(0, metric, 300), query(1, metric, 3600), **window)["MetricDataResults"]

    assert len(parts["Values"]) == 12
    assert whole["Values"] == [pytest.approx(sum(parts["Values"]) / 12)]
    stopped = cpu_of("InstanceId", aws.simulator.ec2.named(account, EU, "build-2"))
    assert ask(aws, query(0, stopped, 300), **window)["MetricDataResults"][0]["Values"] == []


def test_a_group_is_measured_over_all_its_members(aws: Aws) -> None:
    aws.simulator.set_now(NOON)
    account = aws.keys["development"].account_id
    members = [aws.simulator.ec2.named(account, EU, name) for name in ("build-1", "ada-workstation")]
    for member in members:
        aws.simulator.ec2.tag(account, EU, member, {"aws:autoscaling:groupName": "builders"})
    asked = [cpu_of("InstanceId", member) for member in members] + [cpu_of("AutoScalingGroupName", "builders")]
    window: dict[str, Any] = {"StartTime": NOON - timedelta(minutes=5), "EndTime": NOON}
    found = ask(aws, *(query(number, one, 300) for number, one in enumerate(asked)), **window)["MetricDataResults"]

    [one], [other], [both] = (result["Values"] for result in found)
    assert both == pytest.approx((one + other) / 2)


def test_an_arranged_metric_has_its_value_each_minute_and_none_where_none_was_wanted(aws: Aws) -> None:
    aws.simulator.set_now(NOON)
    account = aws.keys["development"].account_id
    name = ("AWS/ApplicationELB", "RequestCount")
    for minutes, value in ((10, 7), (4, None)):
        since = NOON - timedelta(minutes=minutes)
        aws.simulator.put_metric(account, EU, name, {"LoadBalancer": "app/new/1"}, value=value, since=since)
    metric = {"Namespace": name[0], "MetricName": name[1], "Dimensions": [{"Name": "LoadBalancer", "Value": "app/new/1"}]}
    window: dict[str, Any] = {"StartTime": NOON - timedelta(minutes=15), "EndTime": NOON, "ScanBy": "TimestampAscending"}
    by_minute, by_five = ask(aws, query(0, metric, 60, "Sum"), query(1, metric, 300, "Sum"), **window)["MetricDataResults"]

    assert by_minute["Values"] == [7] * 6
    assert by_five["Values"] == [35, 7]


def test_the_price_list_comes_in_pages_of_json_in_strings(aws: Aws) -> None:
    pricing = aws.client("pricing", "development")
    filters = [
        {"Type": "TERM_MATCH", "Field": name, "Value": value} for name, value in (("regionCode", EU), ("tenancy", "Shared"))
    ]
    first = pricing.get_products(ServiceCode="AmazonEC2", Filters=filters, MaxResults=50)
    second = pricing.get_products(ServiceCode="AmazonEC2", Filters=filters, MaxResults=50, NextToken=first["NextToken"])

    attributes = [json.loads(line)["product"]["attributes"] for line in first["PriceList"] + second["PriceList"]]
    assert {found["regionCode"] for found in attributes} == {EU}
    assert "NextToken" not in second
    assert refused(lambda: pricing.get_products(ServiceCode="AmazonBananas")).code == "NotFoundException"
