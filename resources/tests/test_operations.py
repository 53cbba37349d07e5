"""An operation from the wish to its outcome, against the simulated EC2."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from accounts.models import Grant, User
from accounts.selectors.aws_accounts import NotAllowedHere
from audit.models import AuditEvent
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Instance, Operation, StateTransition
from resources.rules.operations import MAX_ATTEMPTS, Event
from resources.services import operations
from resources.services.capabilities import CapabilityOff
from resources.services.operations import Target, moves
from resources.services.operations.refusals import (
    NotConfirmed,
    OwnOperation,
    TargetBusy,
    TooManyTargets,
    UnderWay,
)
from resources.tests.conftest import Connected
from resources.tests.operating import Operating, operating


@pytest.fixture
def console(simulator: SimulatorHandle, connected: Connected, operator: User) -> Iterator[Operating]:
    with operating(simulator, connected("development"), operator) as made:
        made.scan()
        simulator.clear_calls()
        yield made


def test_stopping_ends_when_aws_shows_the_instance_stopped(console: Operating) -> None:
    instance = console.instance("running")
    operation = console.request("stop", instance)
    assert (operation.status, operation.phase) == ("queued", "new")
    assert console.sent() == []

    operation = console.turn(operation)
    assert (operation.status, operation.phase, operation.before_state) == ("running", "verifying", "running")
    assert console.sent() == ["StopInstances"]

    operation = console.finish(operation)
    assert (operation.status, operation.after_state, operation.outcome_code) == ("succeeded", "stopped", "")
    assert console.sent() == ["StopInstances"]
    assert len(operation.aws_request_ids) == 1
    assert Instance.objects.get(pk=instance.pk).state == "stopped"
    assert StateTransition.objects.filter(instance=instance, to_state="stopped").exists()


def test_every_call_is_kept_with_its_request_id(console: Operating) -> None:
    operation = console.finish(console.request("stop", console.instance("running")))
    names = [call.operation_name for call in operation.calls.all()]
    assert names.count("StopInstances") == 1
    assert "DescribeInstances" in names
    stop = operation.calls.get(operation_name="StopInstances")
    assert stop.request_id == operation.aws_request_ids[0]
    assert (stop.account, stop.retries, stop.error) == (console.account.account_id, 0, "")


def test_intent_and_outcome_are_in_the_trail_with_the_request_id_of_aws(console: Operating) -> None:
    operation = console.finish(console.request("stop", console.instance("running")))
    events = list(AuditEvent.objects.filter(subject=str(operation.pk)).order_by("seq"))
    assert [event.action for event in events] == ["operation.requested", "operation.sent", "operation.finished"]
    assert [event.outcome for event in events] == ["success", "intent", "success"]
    assert events[-1].aws_request_id == operation.aws_request_ids[0]
    assert events[-1].target == operation.target


def test_starting_and_rebooting_and_terminating_reach_what_was_wanted(console: Operating) -> None:
    stopped = console.instance("stopped")
    started = console.finish(console.request("start", stopped))
    assert (started.status, started.after_state) == ("succeeded", "running")
    rebooted = console.finish(console.request("reboot", stopped))
    assert rebooted.status == "succeeded"
    ended = console.finish(console.request("terminate", stopped, confirm=stopped.instance_id))
    assert (ended.status, ended.after_state) == ("succeeded", "terminated")
    assert console.sent() == ["StartInstances", "RebootInstances", "TerminateInstances"]


def test_a_dry_run_proves_the_right_and_changes_nothing(console: Operating) -> None:
    instance = console.instance("running")
    operation = console.finish(console.request("terminate", instance, dry_run=True))
    assert (operation.status, operation.sent_at) == ("succeeded", None)
    assert operation.calls.filter(operation_name="TerminateInstances", error="").count() == 1
    console.later(seconds=30)
    console.scan()
    assert Instance.objects.get(pk=instance.pk).state == "running"


def test_a_second_bell_changes_nothing(console: Operating) -> None:
    operation = console.request("stop", console.instance("running"))
    console.turn(operation)
    console.turn(operation)
    console.turn(operation)
    assert console.sent() == ["StopInstances"]


def test_terminating_wants_the_id_typed(console: Operating) -> None:
    instance = console.instance("running")
    with pytest.raises(NotConfirmed):
        console.request("terminate", instance, confirm="i-something-else")
    refused = AuditEvent.objects.get(action="operation.refused")
    assert (refused.outcome, refused.target, refused.detail["code"]) == ("refused", instance.instance_id, "confirmation_required")


def test_a_state_that_forbids_it_is_told_before_anything_is_asked_for(console: Operating) -> None:
    instance = console.instance("running")
    console.finish(console.request("terminate", instance, confirm=instance.instance_id))
    with pytest.raises(operations_error("incorrect_instance_state")):
        console.request("start", instance)


def test_what_is_being_done_to_a_target_is_not_asked_for_twice(console: Operating) -> None:
    instance = console.instance("running")
    first = console.request("stop", instance)
    with pytest.raises(TargetBusy, match=str(first.pk)):
        console.request("stop", instance)


def test_an_account_without_the_capability_is_not_operated(console: Operating) -> None:
    console.account.capabilities = ["identity", "ec2.read"]
    console.account.save(update_fields=["capabilities"])
    with pytest.raises(CapabilityOff):
        console.request("stop", console.instance("running"))
    assert console.sent() == []


def test_who_may_only_see_is_refused_and_the_trail_says_so(console: Operating, viewer: User) -> None:
    console.by = viewer
    with pytest.raises(NotAllowedHere):
        console.request("stop", console.instance("running"))
    assert AuditEvent.objects.get(action="operation.refused").actor_name == "viewer"


def test_rights_that_were_lost_meanwhile_stop_what_was_not_sent(console: Operating, operator: User) -> None:
    operation = console.request("stop", console.instance("running"))
    Grant.objects.filter(user=operator).delete()
    operation = console.finish(operation)
    assert (operation.status, operation.outcome_code) == ("failed", "permission_denied")
    assert console.sent() == []


def test_aws_throttling_makes_it_rest_and_try_again(console: Operating) -> None:
    console.aws.add_faults(Fault("ec2", FaultKind.THROTTLE, operation="StopInstances", times=2))
    operation = console.finish(console.request("stop", console.instance("running")))
    assert (operation.status, operation.attempts) == ("succeeded", 2)
    assert console.sent() == ["StopInstances"] * 3  # two that AWS did not look at


@pytest.mark.parametrize("kind", [FaultKind.LOST, FaultKind.GARBAGE])
def test_an_answer_that_got_lost_is_looked_for_and_never_asked_for_again(console: Operating, kind: FaultKind) -> None:
    console.aws.add_faults(Fault("ec2", kind, operation="StopInstances"))
    operation = console.finish(console.request("stop", console.instance("running")))
    assert (operation.status, operation.after_state) == ("succeeded", "stopped")
    assert not operation.accepted
    assert console.sent() == ["StopInstances"]


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.HTTP500])
def test_what_aws_may_have_got_and_shows_no_trace_of_is_unknown(console: Operating, kind: FaultKind) -> None:
    instance = console.instance("running")
    console.aws.add_faults(Fault("ec2", kind, operation="StopInstances"))
    operation = console.finish(console.request("stop", instance))
    assert (operation.status, operation.outcome_code) == ("unknown", "outcome_unknown")
    assert "is running" in operation.outcome_detail
    assert console.sent() == ["StopInstances"]


def test_a_reboot_without_an_answer_is_unknown(console: Operating) -> None:
    console.aws.add_faults(Fault("ec2", FaultKind.LOST, operation="RebootInstances"))
    operation = console.finish(console.request("reboot", console.instance("running")))
    assert operation.status == "unknown"
    assert console.sent() == ["RebootInstances"]


def test_a_denial_is_told_with_what_aws_said(console: Operating) -> None:
    console.aws.add_faults(Fault("ec2", FaultKind.DENIED, operation="StopInstances"))
    operation = console.finish(console.request("stop", console.instance("running")))
    assert (operation.status, operation.outcome_code) == ("failed", "aws_access_denied")
    assert operation.outcome_remedy
    assert "secret" not in operation.aws_message.lower()


def test_production_waits_for_a_second_person(console: Operating, operator: User, admin: User) -> None:
    console.account.environment = "production"
    console.account.save(update_fields=["environment"])
    instance = console.instance("running")
    operation = console.request("terminate", instance, confirm=instance.instance_id, reason="Replaced by web-2")
    assert operation.status == "awaiting_approval"
    assert console.turn(operation).status == "awaiting_approval"
    with pytest.raises(OwnOperation):
        operations.approve(operation=operation, by=operator)
    operation = console.finish(operations.approve(operation=operation, by=admin))
    assert (operation.status, operation.approved_by) == ("succeeded", admin)
    assert console.sent() == ["TerminateInstances"]


def test_a_rejected_operation_is_never_sent(console: Operating, admin: User) -> None:
    console.account.approval = "always"
    console.account.save(update_fields=["approval"])
    instance = console.instance("running")
    operation = console.request("terminate", instance, confirm=instance.instance_id)
    operation = operations.reject(operation=operation, by=admin, reason="Still needed")
    assert (operation.status, console.turn(operation).status) == ("rejected", "rejected")
    assert console.sent() == []


def test_approval_lapses(console: Operating, admin: User) -> None:
    console.account.approval = "always"
    console.account.save(update_fields=["approval"])
    instance = console.instance("running")
    operation = console.request("terminate", instance, confirm=instance.instance_id)
    console.later(hours=25)
    with pytest.raises(operations_error("operation_not_waiting")):
        operations.approve(operation=operation, by=admin)
    operations.tick()
    operation.refresh_from_db()
    assert (operation.status, operation.outcome_code) == ("cancelled", "approval_expired")


def test_what_no_worker_sent_in_time_is_never_sent(console: Operating) -> None:
    operation = console.request("stop", console.instance("running"))
    console.later(hours=2)
    assert console.turn(operation).status == "queued"
    operations.tick()
    operation.refresh_from_db()
    assert (operation.status, operation.outcome_code) == ("cancelled", "not_sent_in_time")
    assert "Nothing was changed" in operation.outcome_detail
    assert console.sent() == []


def test_what_aws_turned_away_is_not_said_to_have_changed_nothing(console: Operating) -> None:
    console.aws.add_faults(Fault("ec2", FaultKind.THROTTLE, operation="StopInstances"))
    operation = console.turn(console.request("stop", console.instance("running")))
    assert (operation.status, operation.phase) == ("queued", "new")
    console.later(hours=2)
    operations.tick()
    operation.refresh_from_db()
    assert operation.outcome_code == "not_sent_in_time"
    assert "Nothing was changed" not in operation.outcome_detail


def test_whoever_waits_gets_the_answer_though_a_worker_took_the_request_for_dead(console: Operating) -> None:
    with operations.carried_out(action="s3.upload", target=Target(console.account, "eu-central-1", "b"), by=console.by) as doing:
        Operation.objects.update(status="unknown", lease_token=None)
    doing.operation.refresh_from_db()
    assert doing.operation.status == "unknown"


def test_taking_back_works_until_aws_was_asked(console: Operating, operator: User) -> None:
    operation = console.request("stop", console.instance("running"))
    operations.cancel(operation=operation, by=operator)
    assert console.turn(operation).status == "cancelled"
    again = console.turn(console.request("stop", console.instance("running")))
    with pytest.raises(UnderWay):
        operations.cancel(operation=again, by=operator)
    assert console.sent() == ["StopInstances"]


def test_each_target_of_many_has_its_own_outcome(console: Operating) -> None:
    running = list(Instance.objects.filter(account=console.account, region="eu-central-1", state="running")[:2])
    targets = [Target(console.account, row.region, row.instance_id, row.name) for row in running]
    lost = Target(console.account, "eu-central-1", "i-00000000000000bad")
    with pytest.raises(NotConfirmed, match="stop 3"):
        operations.request_many(action="ec2.stop", targets=[*targets, lost], by=console.by)
    assert AuditEvent.objects.get(action="operation.refused").detail["code"] == "confirmation_required"
    bulk = operations.request_many(action="ec2.stop", targets=[*targets, lost], by=console.by, confirm="stop 3")
    assert len(bulk.operations) == 3
    ended = [console.finish(operation) for operation in bulk.operations]
    assert [operation.status for operation in ended] == ["succeeded", "succeeded", "failed"]
    assert ended[-1].outcome_code == "instance_gone"
    assert {operation.batch for operation in ended} == {bulk.batch}


def test_workers_that_die_again_and_again_end_it(console: Operating) -> None:
    operation = console.request("stop", console.instance("running"))
    for _ in range(MAX_ATTEMPTS + 2):
        assert moves.claim(operation.pk) is not None  # and the worker is gone
        console.later(seconds=moves.LEASE.total_seconds() + 1)
    operation = console.turn(operation)
    assert (operation.status, operation.outcome_code) == ("failed", "worker_lost")
    assert console.sent() == []


def test_two_workers_never_hold_the_same_operation(console: Operating) -> None:
    operation = console.request("stop", console.instance("running"))
    assert moves.claim(operation.pk) is not None
    assert moves.claim(operation.pk) is None


def test_a_worker_that_was_thought_dead_writes_nothing(console: Operating) -> None:
    operation = console.request("stop", console.instance("running"))
    late = moves.claim(operation.pk)
    console.later(seconds=moves.LEASE.total_seconds() + 1)
    assert late is not None
    assert moves.claim(operation.pk) is not None
    with pytest.raises(moves.LeaseLost):
        late.move(Event.SEND)


def test_credentials_that_expire_on_the_way_are_told_as_such(console: Operating) -> None:
    console.aws.add_faults(Fault("ec2", FaultKind.EXPIRED, operation="StopInstances"))
    operation = console.finish(console.request("stop", console.instance("running")))
    assert (operation.status, operation.outcome_code) == ("failed", "aws_credentials_expired")
    assert operation.outcome_remedy


def test_credentials_that_expire_after_sending_leave_it_unknown(console: Operating) -> None:
    operation = console.turn(console.request("stop", console.instance("running")))
    console.aws.add_faults(Fault("ec2", FaultKind.EXPIRED, operation="DescribeInstances", times=50))
    operation = console.finish(operation)
    assert (operation.status, operation.accepted) == ("unknown", True)
    assert "expired" in operation.outcome_detail
    assert console.sent() == ["StopInstances"]


def test_what_never_becomes_so_is_told_after_its_patience(console: Operating) -> None:
    console.aws.ec2.set_pace(transition_s=3600)
    operation = console.finish(console.request("stop", console.instance("running")), turns=120)
    assert (operation.status, operation.accepted) == ("unknown", True)
    assert "10 minutes" in operation.outcome_detail


def test_an_instance_that_falls_back_to_stopped_says_why(console: Operating) -> None:
    instance = Instance.objects.get(account=console.account, name="encrypted-by-a-lost-key")
    operation = console.finish(console.request("start", instance))
    assert (operation.status, operation.outcome_code, operation.after_state) == ("failed", "fell_back_to_stopped", "stopped")
    assert "Client.InternalError" in operation.outcome_detail


def test_describing_that_lags_behind_is_not_mistaken_for_the_outcome(console: Operating) -> None:
    console.aws.ec2.set_pace(transition_s=5, lag_s=8)
    instance = console.instance("stopped")
    started = console.finish(console.request("start", instance))
    assert (started.status, started.after_state) == ("succeeded", "running")
    stopped = console.finish(console.request("stop", instance))
    assert (stopped.status, stopped.after_state) == ("succeeded", "stopped")


def test_an_instance_that_is_terminated_by_somebody_else_meanwhile_is_told(console: Operating) -> None:
    instance = console.instance("stopped")
    operation = console.turn(console.request("start", instance))
    console.aws.ec2.change(console.account.account_id, instance.region, instance.instance_id, to="terminated")
    operation = console.finish(operation)
    assert (operation.status, operation.outcome_code) == ("failed", "instance_gone")


def test_one_broken_account_stops_no_other(console: Operating, connected: Connected) -> None:
    broken = connected("deactivated", alias="broken", account_id="499999999999", capabilities=["ec2.operate"])
    running = console.instance("running")
    targets = [
        Target(broken, running.region, "i-0123456789abcdef0"),
        Target(console.account, running.region, running.instance_id, running.name),
    ]
    bulk = operations.request_many(action="ec2.stop", targets=targets, by=console.by, confirm="stop 2")
    ended = [console.finish(operation) for operation in bulk.operations]
    assert [operation.status for operation in ended] == ["failed", "succeeded"]
    assert ended[0].outcome_code == "aws_credentials_invalid"
    assert ended[0].outcome_remedy


def test_missing_capacity_is_told_in_words(console: Operating) -> None:
    console.scan("eu-west-1")
    operation = console.finish(console.request("start", Instance.objects.get(account=console.account, name="training-gpu")))
    assert (operation.status, operation.outcome_code) == ("failed", "insufficient_capacity")


def test_one_operation_hits_no_more_than_allowed(console: Operating, settings: object) -> None:
    settings.OPERATION_MAX_TARGETS = 1  # type: ignore[attr-defined]
    targets = [Target(console.account, "eu-central-1", f"i-{number}") for number in range(2)]
    with pytest.raises(TooManyTargets):
        operations.request_many(action="ec2.stop", targets=targets, by=console.by, confirm="stop 2")


def test_nobody_can_be_made_the_second_person_of_their_own_wish_in_the_database(console: Operating, operator: User) -> None:
    from django.db import IntegrityError, transaction

    operation = console.request("stop", console.instance("running"))
    operation.approved_by = operator
    with pytest.raises(IntegrityError), transaction.atomic():
        operation.save(update_fields=["approved_by"])


def operations_error(code: str) -> type[Exception]:
    """The class of the refusal with this code."""
    from resources.services.actions import ec2 as instance_actions
    from resources.services.operations import refusals

    classes = [*vars(refusals).values(), *vars(instance_actions).values()]
    found = [one for one in classes if isinstance(one, type) and getattr(one, "code", "") == code]
    assert found
    return found[0]
