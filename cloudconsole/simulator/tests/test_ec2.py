"""Instances as EC2 keeps them: what can be done from which state, what AWS says when it cannot, and how long things take."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from cloudconsole.simulator.organization import DEVELOPMENT
from cloudconsole.simulator.tests.conftest import Aws, Refused, refused
from cloudconsole.simulator.tests.fleet import EU, IE, NOON, UNKNOWN, Fleet, moves

# --- states that take their time


def test_a_stop_passes_through_stopping_and_says_who_asked_and_when(fleet: Fleet) -> None:
    answer = fleet.stop("build-1")

    assert moves(answer, "StoppingInstances") == [("running", "stopping")]
    assert fleet.state("build-1") == "stopping"
    fleet.wait(2)
    found = fleet.look("build-1")
    assert found["State"] == {"Code": 80, "Name": "stopped"}
    assert found["StateTransitionReason"] == "User initiated (2026-11-22 12:00:00 GMT)"
    assert found["StateReason"] == {
        "Code": "Client.UserInitiatedShutdown",
        "Message": "Client.UserInitiatedShutdown: User initiated shutdown",
    }


def test_a_start_renews_the_launch_time_and_the_public_address_but_not_the_first_attachment(fleet: Fleet) -> None:
    before = fleet.look("build-2")

    assert moves(fleet.start("build-2"), "StartingInstances") == [("stopped", "pending")]
    fleet.wait(2)
    after = fleet.look("build-2")
    assert after["State"]["Name"] == "running"
    assert after["LaunchTime"] == NOON > before["LaunchTime"]
    assert after["PublicIpAddress"]
    assert "PublicIpAddress" not in before
    assert after["PrivateIpAddress"] == before["PrivateIpAddress"]
    assert attached_at(after) == attached_at(before) < NOON
    assert (after["StateTransitionReason"], "StateReason" in after) == ("", False)


def test_a_stop_gives_the_public_address_back_and_the_next_start_brings_another(fleet: Fleet) -> None:
    addresses = []
    for _ in range(2):
        fleet.start("build-2")
        addresses.append(fleet.look("build-2")["PublicIpAddress"])
        fleet.wait(2)
        fleet.stop("build-2")
        fleet.wait(2)
        assert "PublicIpAddress" not in fleet.look("build-2")
    assert len(set(addresses)) == 2


def attached_at(instance: dict[str, Any]) -> datetime:
    moment: datetime = instance["NetworkInterfaces"][0]["Attachment"]["AttachTime"]
    return moment


def test_a_reboot_changes_nothing_that_could_be_seen(fleet: Fleet) -> None:
    before = fleet.look("build-1")
    fleet.reboot("build-1")

    assert fleet.look("build-1") == before


def test_a_terminated_instance_is_shown_for_an_hour_without_its_network(fleet: Fleet) -> None:
    assert moves(fleet.terminate("build-1"), "TerminatingInstances") == [("running", "shutting-down")]
    instance_id = fleet.id("build-1")
    fleet.wait(2)
    found = fleet.look("build-1")
    assert found["State"] == {"Code": 48, "Name": "terminated"}
    assert {"VpcId", "SubnetId", "PrivateIpAddress"} & found.keys() == set()
    fleet.wait(3600)
    answer = refused(lambda: fleet.ec2.describe_instances(InstanceIds=[instance_id]))
    assert answer.code == "InvalidInstanceID.NotFound"


def test_a_stopped_instance_is_terminated_at_once(fleet: Fleet) -> None:
    assert moves(fleet.terminate("build-2"), "TerminatingInstances") == [("stopped", "terminated")]


def test_an_instance_whose_volume_cannot_be_opened_falls_back_to_stopped_and_says_why(fleet: Fleet) -> None:
    fleet.start("encrypted-by-a-lost-key")
    assert fleet.state("encrypted-by-a-lost-key") == "pending"
    fleet.wait(2)
    found = fleet.look("encrypted-by-a-lost-key")
    assert found["State"]["Name"] == "stopped"
    assert found["StateReason"]["Code"] == "Client.InternalError"
    assert "GMT" not in found["StateTransitionReason"]


def test_a_description_can_lag_behind_what_was_done(fleet: Fleet) -> None:
    fleet.handle.set_pace(transition_s=2, lag_s=1)
    fleet.stop("build-1")

    assert fleet.state("build-1") == "running"
    fleet.wait(1)
    assert fleet.state("build-1") == "stopping"
    fleet.wait(1)
    assert fleet.state("build-1") == "stopped"


def test_aws_itself_stops_an_instance_without_telling_when(fleet: Fleet) -> None:
    message = "Server.ScheduledStop: Stopped due to a scheduled retirement"
    fleet.handle.change(DEVELOPMENT, EU, fleet.id("build-1"), to="stopped", code="Server.ScheduledStop", message=message)
    found = fleet.look("build-1")

    assert (found["State"]["Name"], found["StateTransitionReason"]) == ("stopped", "")
    assert found["StateReason"]["Message"] == message


# --- refusals


def wrong_state(fleet: Fleet, name: str, verb: str) -> Refused:
    return Refused(
        "IncorrectInstanceState", 400, f"The instance '{fleet.id(name)}' is not in a state from which it can be {verb}."
    )


def test_what_is_stopping_cannot_be_started(fleet: Fleet) -> None:
    fleet.stop("build-1")

    assert refused(lambda: fleet.start("build-1")) == wrong_state(fleet, "build-1", "started")


def test_what_is_starting_cannot_be_stopped(fleet: Fleet) -> None:
    fleet.start("build-2")

    assert refused(lambda: fleet.stop("build-2")) == wrong_state(fleet, "build-2", "stopped")


def test_what_is_terminated_stays_so(fleet: Fleet) -> None:
    fleet.terminate("build-2")

    assert refused(lambda: fleet.start("build-2")) == wrong_state(fleet, "build-2", "started")
    assert refused(lambda: fleet.stop("build-2")) == wrong_state(fleet, "build-2", "stopped")
    assert refused(lambda: fleet.reboot("build-2")) == wrong_state(fleet, "build-2", "rebooted")
    assert moves(fleet.terminate("build-2"), "TerminatingInstances") == [("terminated", "terminated")]


def test_a_stopped_instance_cannot_be_rebooted(fleet: Fleet) -> None:
    assert refused(lambda: fleet.reboot("build-2")) == wrong_state(fleet, "build-2", "rebooted")


def test_asking_for_the_state_that_there_is_changes_nothing(fleet: Fleet) -> None:
    before = fleet.look("build-1")["LaunchTime"]

    assert moves(fleet.start("build-1"), "StartingInstances") == [("running", "running")]
    assert moves(fleet.stop("build-2"), "StoppingInstances") == [("stopped", "stopped")]
    assert fleet.look("build-1")["LaunchTime"] == before


def test_one_in_the_wrong_state_fails_a_start_of_several(fleet: Fleet) -> None:
    fleet.stop("build-1")

    assert refused(lambda: fleet.start("build-2", "build-1")).code == "IncorrectInstanceState"
    assert fleet.state("build-2") == "stopped"


def test_a_zone_without_capacity_is_an_error_of_aws_and_changes_nothing(aws: Aws) -> None:
    ireland = Fleet(aws, IE)
    answer = refused(lambda: ireland.start("training-gpu"))

    assert (answer.code, answer.status) == ("InsufficientInstanceCapacity", 500)
    assert "p4d.24xlarge" in answer.message
    assert "eu-west-1a" in answer.message
    assert ireland.state("training-gpu") == "stopped"


@pytest.mark.parametrize(
    ("instance_id", "message"),
    [
        ("web-1", 'Invalid id: "web-1" (expecting "i-...")'),
        ("i-xyz", 'Invalid id: "i-xyz"'),
        ("i-0123456789ABCDEF0", 'Invalid id: "i-0123456789ABCDEF0"'),
    ],
)
def test_an_id_that_cannot_be_one_is_malformed(fleet: Fleet, instance_id: str, message: str) -> None:
    answer = refused(lambda: fleet.ec2.stop_instances(InstanceIds=[instance_id]))

    assert answer == Refused("InvalidInstanceID.Malformed", 400, message)


def test_an_id_that_nobody_has_is_not_found(fleet: Fleet) -> None:
    one = refused(lambda: fleet.ec2.stop_instances(InstanceIds=[UNKNOWN]))
    two = refused(lambda: fleet.ec2.stop_instances(InstanceIds=[UNKNOWN, "i-12345678"]))

    assert one == Refused("InvalidInstanceID.NotFound", 400, f"The instance ID '{UNKNOWN}' does not exist")
    assert two.message == f"The instance IDs '{UNKNOWN}, i-12345678' do not exist"


def test_another_region_and_another_account_do_not_know_the_instance(aws: Aws, fleet: Fleet) -> None:
    ids = [fleet.id("build-1")]

    assert refused(lambda: Fleet(aws, IE).ec2.stop_instances(InstanceIds=ids)).code == "InvalidInstanceID.NotFound"
    assert refused(lambda: aws.client("ec2", "hub", EU).stop_instances(InstanceIds=ids)).code == "InvalidInstanceID.NotFound"


def test_a_request_without_instances_misses_a_parameter(fleet: Fleet) -> None:
    assert refused(lambda: fleet.ec2.stop_instances(InstanceIds=[])).code == "MissingParameter"


def test_an_unheard_of_operation_is_none(fleet: Fleet) -> None:
    assert refused(fleet.ec2.describe_vpcs).code == "InvalidAction"


@pytest.mark.parametrize("verb", ["start", "stop", "reboot", "terminate"])
def test_a_dry_run_succeeds_by_an_error_and_does_nothing(fleet: Fleet, verb: str) -> None:
    before = fleet.look("build-1")
    answer = refused(lambda: getattr(fleet, verb)("build-1", DryRun=True))

    assert answer == Refused("DryRunOperation", 412, "Request would have succeeded, but DryRun flag is set.")
    assert fleet.look("build-1") == before


def test_a_dry_run_without_the_permission_is_denied(aws: Aws, fleet: Fleet) -> None:
    auditor = aws.client("ec2", "no-cost-explorer", EU)
    answer = refused(lambda: auditor.stop_instances(InstanceIds=[fleet.id("build-1")], DryRun=True))

    assert (answer.code, answer.status) == ("UnauthorizedOperation", 403)
    arn = f"arn:aws:ec2:eu-central-1:{DEVELOPMENT}:instance/{fleet.id('build-1')}"
    assert (
        f"is not authorized to perform: ec2:StopInstances on resource: {arn} because no identity-based policy" in answer.message
    )
    assert "Encoded authorization failure message: " in answer.message


def test_a_region_that_the_account_has_not_opted_into_knows_none_of_its_keys(aws: Aws) -> None:
    assert refused(Fleet(aws, "af-south-1").ec2.describe_instances).code == "AuthFailure"


# --- protection


def test_a_protected_instance_saves_those_of_its_zone_only(fleet: Fleet) -> None:
    fleet.make_named("first", "second", "third", "fourth")
    zones = {name: fleet.look(name)["Placement"]["AvailabilityZone"] for name in ("first", "second", "third", "fourth")}
    shared = next(zone for zone in zones.values() if list(zones.values()).count(zone) == 2)
    keeper, neighbour = (name for name, zone in zones.items() if zone == shared)
    fleet.handle.protect(DEVELOPMENT, EU, fleet.id(keeper))

    answer = refused(lambda: fleet.terminate(*zones))
    assert answer == Refused(
        "OperationNotPermitted",
        400,
        f"The instance '{fleet.id(keeper)}' may not be terminated. Modify its 'disableApiTermination' instance attribute and "
        "try again.",
    )
    assert {fleet.state(keeper), fleet.state(neighbour)} == {"running"}
    assert {fleet.state(name) for name in zones.keys() - {keeper, neighbour}} == {"shutting-down"}


def test_protection_is_told_and_stop_protection_refuses(fleet: Fleet) -> None:
    fleet.handle.protect(DEVELOPMENT, EU, fleet.id("build-1"), termination=False, stop=True)
    told = {
        name: fleet.ec2.describe_instance_attribute(InstanceId=fleet.id("build-1"), Attribute=name)[member]["Value"]
        for name, member in (("disableApiTermination", "DisableApiTermination"), ("disableApiStop", "DisableApiStop"))
    }

    assert told == {"disableApiTermination": False, "disableApiStop": True}
    answer = refused(lambda: fleet.stop("build-1"))
    assert answer.code == "OperationNotPermitted"
    assert "may not be stopped" in answer.message


def test_a_one_time_spot_instance_cannot_be_stopped(aws: Aws) -> None:
    sandbox = aws.client("ec2", "sandbox")
    instance_id = aws.simulator.ec2.named("444444444444", "us-east-1", "kubernetes-lab")

    assert refused(lambda: sandbox.stop_instances(InstanceIds=[instance_id])).code == "UnsupportedOperation"
