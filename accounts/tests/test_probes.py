"""How it is found out what credentials allow, without doing any of it."""

from __future__ import annotations

import pytest

from accounts.models import User
from accounts.services import verification
from accounts.services.probes import Finding
from accounts.tests.conftest import Connect
from cloudconsole.aws.policy import CAPABILITIES
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT, SANDBOX, STAGING
from cloudconsole.simulator.process import SimulatorHandle

OPERATE = ["ec2.operate", "s3.objects", "s3.operate", "lambda.operate"]
REHEARSED = ["StartInstances", "StopInstances", "RebootInstances", "TerminateInstances"]


def found(connect: Connect, admin: User, name: str, *capabilities: str) -> dict[str, Finding]:
    account = connect(name, capabilities=["identity", *capabilities])
    result = verification.verify(account=account, actor=admin)
    return {finding.capability: finding for finding in result.findings}


def test_rights_to_operate_are_found_and_nothing_is_done(connect: Connect, simulator: SimulatorHandle, admin: User) -> None:
    before = simulator.ec2.instances(DEVELOPMENT, "us-east-1")
    findings = found(connect, admin, "development", *OPERATE)
    assert {name: findings[name].status for name in OPERATE} == dict.fromkeys(OPERATE, "ok")
    instance_id = before[0]["instance_id"]
    assert findings["ec2.operate"].detail == f"Rehearsed on {instance_id} with AWS's dry run; nothing was done."
    assert "would change something" in findings["s3.operate"].detail
    assert "change" not in findings["s3.objects"].detail
    assert "which objects may be read is each bucket's own affair" in findings["s3.objects"].detail
    assert simulator.ec2.instances(DEVELOPMENT, "us-east-1") == before
    asked = [(call.operation, call.error) for call in simulator.calls() if call.operation in REHEARSED]
    assert set(asked) == {(operation, "DryRunOperation") for operation in REHEARSED}
    assert not {"CreateBucket", "PutObject", "Invoke"} & {call.operation for call in simulator.calls()}


def test_an_account_without_instances_is_asked_of_iams_simulator(
    connect: Connect, simulator: SimulatorHandle, admin: User
) -> None:
    for instance in simulator.ec2.instances(SANDBOX, "us-east-1"):
        simulator.ec2.change(SANDBOX, "us-east-1", instance["instance_id"], to="terminated")
    finding = found(connect, admin, "sandbox", "ec2.operate")["ec2.operate"]
    assert (finding.status, "policy simulator" in finding.detail) == ("ok", True)
    assert not [call for call in simulator.calls() if call.operation in REHEARSED]


def test_a_role_that_may_only_look_is_told_what_it_lacks(connect: Connect, connect_role: Connect, admin: User) -> None:
    account = connect_role(connect("hub"), number=STAGING)
    account.capabilities = ["identity", "ec2.read", *OPERATE]
    account.save()
    result = verification.verify(account=account, actor=admin)
    findings = {finding.capability: finding for finding in result.findings}
    assert {name: findings[name].status for name in ("ec2.read", *OPERATE)} == {
        "ec2.read": "ok",
        "ec2.operate": "denied",
        "s3.objects": "ok",
        "s3.operate": "denied",
        "lambda.operate": "denied",
    }
    assert "ec2:StartInstances" in findings["ec2.operate"].detail
    assert "iam:PassRole" in findings["lambda.operate"].remedy
    assert (result.status, result.code) == ("degraded", "capability_denied")


@pytest.mark.parametrize(
    ("capability", "service"), [("ec2.read", "ec2"), ("s3.read", "s3"), ("lambda.read", "lambda"), ("prices", "pricing")]
)
def test_a_refused_question_is_a_denied_capability(
    connect: Connect, simulator: SimulatorHandle, admin: User, capability: str, service: str
) -> None:
    account = connect("development", capabilities=["identity", capability])
    simulator.add_faults(Fault(service, FaultKind.DENIED, times=9))
    [_, finding] = verification.verify(account=account, actor=admin).findings
    assert (finding.capability, finding.status) == (capability, "denied")
    assert finding.remedy


def test_what_aws_answered_is_allowed_although_iams_simulator_is_closed(
    connect: Connect, simulator: SimulatorHandle, admin: User
) -> None:
    account = connect("development", capabilities=["identity", "ec2.read"])
    simulator.add_faults(Fault("iam", FaultKind.DENIED, times=9))
    [_, finding] = verification.verify(account=account, actor=admin).findings
    assert (finding.status, finding.aws_code) == ("ok", "AccessDenied")


def test_every_capability_says_which_actions_it_needs(connect: Connect, admin: User) -> None:
    findings = found(connect, admin, "development", "lambda.operate")
    assert findings["lambda.operate"].actions == (*CAPABILITIES["lambda.operate"].actions, "iam:PassRole")
