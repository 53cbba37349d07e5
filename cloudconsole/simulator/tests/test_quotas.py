"""Service Quotas' lists and refusals, and what CloudWatch tells of Bedrock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.tests.conftest import Aws, refused

US = "us-east-1"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SONNET = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


def quotas(aws: Aws, region: str = US) -> Any:
    return aws.client("service-quotas", "development", region)


def listed(ask: Callable[..., dict[str, Any]], **more: Any) -> list[dict[str, Any]]:
    found, answer = [], ask(**more)
    found += answer["Quotas"]
    while "NextToken" in answer:
        answer = ask(**more, NextToken=answer["NextToken"])
        found += answer["Quotas"]
    return found


def test_pages_hold_every_quota_once(aws: Aws) -> None:
    whole = listed(quotas(aws).list_aws_default_service_quotas, ServiceCode="bedrock")
    parts = listed(quotas(aws).list_aws_default_service_quotas, ServiceCode="bedrock", MaxResults=7)
    assert [one["QuotaCode"] for one in parts] == [one["QuotaCode"] for one in whole]
    assert len({one["QuotaCode"] for one in whole}) == len(whole) > 30


def test_what_was_never_applied_is_missing_from_the_applied_ones(aws: Aws) -> None:
    applied = {one["QuotaCode"] for one in listed(quotas(aws).list_service_quotas, ServiceCode="bedrock")}
    default = {one["QuotaCode"] for one in listed(quotas(aws).list_aws_default_service_quotas, ServiceCode="bedrock")}
    assert default - applied == {"L-7007E9C9", "L-0AD9BBE8"}
    answer = refused(lambda: quotas(aws).get_service_quota(ServiceCode="bedrock", QuotaCode="L-7007E9C9"))
    assert answer.code == "NoSuchResourceException"
    aws.simulator.quotas.apply(DEVELOPMENT, US, "L-7007E9C9", 0)
    held = quotas(aws).get_service_quota(ServiceCode="bedrock", QuotaCode="L-7007E9C9")["Quota"]
    assert (held["Value"], held["GlobalQuota"]) == (0.0, False)


@pytest.mark.parametrize(
    ("arguments", "region", "code"),
    [
        ({"ServiceCode": "bananas"}, US, "NoSuchResourceException"),
        ({"ServiceCode": "bedrock"}, "sa-east-1", "NoSuchResourceException"),
        ({"ServiceCode": "bedrock", "MaxResults": 101}, US, "IllegalArgumentException"),
        ({"ServiceCode": "bedrock", "NextToken": "made-up"}, US, "InvalidPaginationTokenException"),
    ],
)
def test_what_makes_no_sense_is_refused(aws: Aws, arguments: dict[str, Any], region: str, code: str) -> None:
    assert refused(lambda: quotas(aws, region).list_service_quotas(**arguments)).code == code


def test_a_request_for_more_is_open_until_it_is_answered(aws: Aws) -> None:
    def ask(value: float, code: str = "L-F4DDD3EB") -> dict[str, Any]:
        answer: dict[str, Any] = quotas(aws).request_service_quota_increase(
            ServiceCode="bedrock", QuotaCode=code, DesiredValue=value
        )["RequestedQuota"]
        return answer

    assert refused(lambda: ask(200_000)).code == "IllegalArgumentException"
    assert refused(lambda: ask(10**9, "L-381AD9EE")).code == "IllegalArgumentException"
    made = ask(400_000)
    assert made["Status"] == "PENDING"
    assert refused(lambda: ask(500_000)).code == "ResourceAlreadyExistsException"
    aws.simulator.quotas.decide(DEVELOPMENT, "L-F4DDD3EB", "APPROVED")
    [told] = quotas(aws).list_requested_service_quota_change_history()["RequestedQuotas"]
    assert (told["Id"], told["Status"], told["DesiredValue"]) == (made["Id"], "APPROVED", 400_000.0)
    assert quotas(aws).get_service_quota(ServiceCode="bedrock", QuotaCode="L-F4DDD3EB")["Quota"]["Value"] == 400_000.0
    assert quotas(aws, "eu-central-1").list_requested_service_quota_change_history()["RequestedQuotas"] == []


def test_asking_takes_a_permission_that_looking_does_not_give(aws: Aws) -> None:
    asked = {"ServiceCode": "bedrock", "QuotaCode": "L-F4DDD3EB", "DesiredValue": 900_000.0}
    answer = refused(lambda: aws.client("service-quotas", "no-cost-explorer").request_service_quota_increase(**asked))
    assert answer.code == "AccessDeniedException"


def test_a_minute_is_told_when_it_is_over_and_by_each_statistic(aws: Aws) -> None:
    aws.simulator.set_now(NOON)
    for back in (0, 1):
        at = NOON - timedelta(minutes=back)
        aws.simulator.quotas.minute(DEVELOPMENT, US, SONNET, at, input_tokens=7, invocations=2, estimates=[3.0, 4.0])
    dimensions = [{"Name": "ModelId", "Value": SONNET}]

    def query(number: int, metric: str, stat: str) -> dict[str, Any]:
        series = {"Namespace": "AWS/Bedrock", "MetricName": metric, "Dimensions": dimensions}
        return {"Id": f"q{number}", "MetricStat": {"Metric": series, "Period": 60, "Stat": stat}}

    asked = [("InputTokenCount", "Sum"), ("EstimatedTPMQuotaUsage", "Sum"), ("EstimatedTPMQuotaUsage", "Maximum")]
    cloudwatch = aws.client("cloudwatch", "development", US)
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[query(number, *one) for number, one in enumerate(asked)],
        StartTime=NOON - timedelta(minutes=5),
        EndTime=NOON + timedelta(minutes=1),
    )
    assert [result["Values"] for result in answer["MetricDataResults"]] == [[7.0], [7.0], [4.0]]
    names = cloudwatch.list_metrics(Namespace="AWS/Bedrock", RecentlyActive="PT3H")["Metrics"]
    assert {one["MetricName"] for one in names} == {"InputTokenCount", "Invocations", "EstimatedTPMQuotaUsage"}
    aws.simulator.set_now(NOON + timedelta(hours=4))
    assert cloudwatch.list_metrics(Namespace="AWS/Bedrock", RecentlyActive="PT3H")["Metrics"] == []
