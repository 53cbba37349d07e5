"""Tags, their list and dimension values, as AWS answers for them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cloudconsole.simulator.tests.conftest import Aws

DAYS = {"Start": "2026-11-01", "End": "2026-11-18"}


def grouped(aws: Aws, key: str, days: dict[str, str] = DAYS) -> set[str]:
    answer = aws.client("ce").get_cost_and_usage(
        TimePeriod=days, Granularity="MONTHLY", Metrics=["UnblendedCost"], GroupBy=[{"Type": "TAG", "Key": key}]
    )
    return {group["Keys"][0] for result in answer["ResultsByTime"] for group in result["Groups"]}


def filtered(aws: Aws, tags: dict[str, Any]) -> Decimal:
    answer = aws.client("ce").get_cost_and_usage(
        TimePeriod=DAYS, Granularity="MONTHLY", Metrics=["UnblendedCost"], Filter={"Tags": tags}
    )
    return Decimal(answer["ResultsByTime"][0]["Total"]["UnblendedCost"]["Amount"])


def test_groups_are_key_and_value_and_costs_without_one_are_a_group_too(aws: Aws) -> None:
    assert grouped(aws, "team") == {"team$", "team$assistants", "team$data", "team$platform", "team$web"}
    assert grouped(aws, "owner") == {"owner$"}  # not active
    assert grouped(aws, "unheard-of") == {"unheard-of$"}


def test_a_tag_tells_nothing_of_the_days_before_it_was_activated(aws: Aws) -> None:
    assert "cost-center$4100" in grouped(aws, "cost-center")
    assert grouped(aws, "cost-center", {"Start": "2026-07-01", "End": "2026-08-01"}) == {"cost-center$"}


def test_absent_is_without_the_tag_and_not_with_an_empty_value(aws: Aws) -> None:
    absent = filtered(aws, {"Key": "team", "MatchOptions": ["ABSENT"]})
    assert absent == filtered(aws, {"Key": "team"})
    answer = aws.client("ce").get_cost_and_usage(
        TimePeriod=DAYS, Granularity="MONTHLY", Metrics=["UnblendedCost"], GroupBy=[{"Type": "TAG", "Key": "team"}]
    )
    groups = {group["Keys"][0]: group["Metrics"] for group in answer["ResultsByTime"][0]["Groups"]}
    assert absent < Decimal(groups["team$"]["UnblendedCost"]["Amount"])


def test_the_payer_lists_its_tags_with_their_activation(aws: Aws) -> None:
    client = aws.client("ce")
    found = {one["TagKey"]: one for one in client.list_cost_allocation_tags()["CostAllocationTags"]}
    assert (found["team"]["Status"], found["owner"]["Status"]) == ("Active", "Inactive")
    assert found["aws:createdBy"]["Type"] == "AWSGenerated"
    active = client.list_cost_allocation_tags(Status="Active", MaxResults=2)
    assert len(active["CostAllocationTags"]) == 2
    rest = client.list_cost_allocation_tags(Status="Active", MaxResults=100, NextToken=active["NextToken"])
    assert {one["Status"] for one in rest["CostAllocationTags"]} == {"Active"}


def test_a_member_may_ask_which_tags_its_costs_carry_but_not_the_list(aws: Aws) -> None:
    member = aws.client("ce", key="development")
    with pytest.raises(ClientError, match="Linked account doesn't have access to cost allocation tags"):
        member.list_cost_allocation_tags()
    assert "team" in member.get_tags(TimePeriod=DAYS)["Tags"]
    assert set(member.get_tags(TimePeriod=DAYS, TagKey="team")["Tags"]) >= {"", "data"}


def test_values_are_searched_counted_and_refused_as_aws_does(aws: Aws) -> None:
    client = aws.client("ce")
    found = client.get_dimension_values(TimePeriod=DAYS, Dimension="LINKED_ACCOUNT", SearchString="prod")
    assert [one["Attributes"]["description"] for one in found["DimensionValues"]] == ["production"]
    assert found["TotalSize"] == 1
    with pytest.raises(ClientError, match="SortBy cannot be used"):
        client.get_tags(TimePeriod=DAYS, SearchString="a", SortBy=[{"Key": "BlendedCost"}])
    with pytest.raises(ClientError, match="Dimension NOTHING is invalid"):
        client.get_dimension_values(TimePeriod=DAYS, Dimension="NOTHING")
