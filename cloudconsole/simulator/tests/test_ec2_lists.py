"""Lists of instances: pages, filters, hostile tags; and trouble on order."""

from __future__ import annotations

from typing import Any

import pytest

from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.tests.conftest import Aws, refused
from cloudconsole.simulator.tests.fleet import EU, UNKNOWN, Fleet


def ids_of(page: dict[str, Any]) -> list[str]:
    return [instance["InstanceId"] for reservation in page["Reservations"] for instance in reservation["Instances"]]


def test_a_list_comes_in_pages_as_large_as_asked(fleet: Fleet) -> None:
    made = fleet.handle.make(DEVELOPMENT, EU, 12)
    pages = list(fleet.ec2.get_paginator("describe_instances").paginate(PaginationConfig={"PageSize": 5}))

    assert [len(ids_of(page)) for page in pages] == [5, 5, 5, 3]
    assert [found for page in pages for found in ids_of(page)][-12:] == made


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"MaxResults": 4}, "InvalidParameterValue"),
        ({"MaxResults": 1001}, "InvalidParameterValue"),
        ({"MaxResults": 5, "NextToken": "made-up"}, "InvalidNextToken"),
        ({"MaxResults": 5, "InstanceIds": [UNKNOWN]}, "InvalidParameterCombination"),
        ({"Filters": [{"Name": "colour", "Values": ["red"]}]}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "instance-id", "Values": [UNKNOWN] * 201}]}, "FilterLimitExceeded"),
    ],
)
def test_a_list_refuses_what_makes_no_sense(fleet: Fleet, more: dict[str, Any], code: str) -> None:
    assert refused(lambda: fleet.ec2.describe_instances(**more)).code == code


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("instance-state-name", ["stopped"], {"ben-workstation", "build-2", "encrypted-by-a-lost-key"}),
        ("tag:team", ["pay*"], {"cleo-workstation", "encrypted-by-a-lost-key"}),
        ("tag:nothing", ["*"], set()),
        ("instance-type", ["t3.xlarge"], {"ada-workstation", "ben-workstation", "cleo-workstation"}),
        ("availability-zone", ["eu-central-1c"], {"build-1", "build-2"}),
        ("instance-id", [UNKNOWN], set()),
    ],
)
def test_filters_find_what_they_say(fleet: Fleet, name: str, values: list[str], found: set[str]) -> None:
    answer = fleet.ec2.describe_instances(Filters=[{"Name": name, "Values": values}])
    names = {
        tag["Value"]
        for reservation in answer["Reservations"]
        for tag in reservation["Instances"][0]["Tags"]
        if tag["Key"] == "Name"
    }

    assert names == found


def test_the_same_seed_has_the_same_fleet_and_a_reset_brings_it_back(aws: Aws, fleet: Fleet) -> None:
    before = fleet.ec2.describe_instances()["Reservations"]
    fleet.terminate("build-2")
    fleet.handle.make(DEVELOPMENT, EU, 3)
    aws.simulator.reset()

    assert fleet.ec2.describe_instances()["Reservations"] == before


def test_tags_with_hostile_text_arrive_as_they_are(fleet: Fleet) -> None:
    hostile = {"Name": "<script>&amp;", "=cmd|' /C calc'!A0": "'\"; DROP TABLE"}
    fleet.handle.tag(DEVELOPMENT, EU, fleet.id("build-1"), hostile)
    answer = fleet.ec2.describe_instances(Filters=[{"Name": "tag-key", "Values": ["=cmd*"]}])
    [instance] = answer["Reservations"][0]["Instances"]

    assert {tag["Key"]: tag["Value"] for tag in instance["Tags"]} == hostile


# --- trouble


def test_an_answer_can_get_lost_after_the_work_was_done(aws: Aws, fleet: Fleet) -> None:
    aws.simulator.add_faults(Fault("ec2", FaultKind.LOST, operation="StopInstances"))
    with pytest.raises(Exception, match="Connection was closed"):
        fleet.stop("build-1")

    assert fleet.state("build-1") == "stopping"


def test_throttling_is_worded_as_ec2_does(aws: Aws, fleet: Fleet) -> None:
    aws.simulator.add_faults(Fault("ec2", FaultKind.THROTTLE))

    assert refused(fleet.ec2.describe_instances).code == "RequestLimitExceeded"
