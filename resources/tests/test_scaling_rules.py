"""Scaling rules against the simulated CloudWatch and EC2: high CPU starts the spare instance once, low CPU stops it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from accounts.models import Alert, Grant, User
from audit.models import AuditEvent
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Decision, Instance, Operation, ScalingRule, Slot
from resources.services import automation
from resources.services.automation.slots import LEASE
from resources.tests.conftest import Connected
from resources.tests.operating import REGION
from resources.tests.scaling import Api, Scene, acting, look, told


@pytest.fixture
def scene(simulator: SimulatorHandle, connected: Connected, operator: User, api: Api) -> Iterator[Scene]:
    with acting(simulator, connected("development"), operator, api) as made:
        yield made


def test_high_cpu_starts_the_spare_one_once_and_low_cpu_stops_it_again(scene: Scene) -> None:
    rule = scene.make()
    scene.cpu(90)
    scene.after(20)
    started = Operation.objects.get()
    assert (started.action, started.target, started.asked_by) == ("ec2.start", scene.spare.instance_id, "automation for operator")
    scene.after(5)
    assert "what it asked for last is still under way" in told()[-1]
    scene.finish()
    assert scene.state() == "running"
    scene.after(5)
    assert "it acted" in told()[-1]
    for _ in range(6):
        scene.after(10)
    assert "nothing to start: 1 × it is so already" in told()[-1]
    assert scene.world.sent() == ["StartInstances"]

    scene.cpu(10)
    scene.after(20)
    scene.finish()
    assert (scene.state(), scene.world.sent()) == ("stopped", ["StartInstances", "StopInstances"])
    for _ in range(4):
        scene.after(10)
    assert "nothing to stop" in told()[-1]
    assert scene.world.sent() == ["StartInstances", "StopInstances"]
    decision = Decision.objects.order_by("pk").first()
    assert decision is not None
    assert decision.reason == "3 of 3 points above 70\u00a0%"
    assert [point.value for point in decision.slot.seen] == [90.0, 90.0, 90.0]
    assert ScalingRule.objects.get(pk=rule.pk).value == 10


def test_its_deeds_are_told_as_those_of_automation_for_its_owner(scene: Scene, operator: User) -> None:
    scene.make()
    scene.cpu(90)
    scene.after(20)
    scene.finish()
    events = AuditEvent.objects.filter(action__startswith="operation.").order_by("seq")
    assert [(one.action, one.actor_name, one.actor_id, one.auth) for one in events] == [
        (f"operation.{what}", "automation for operator", operator.pk, "automation") for what in ("requested", "sent", "finished")
    ]
    page = scene.api.get("/api/operations").json()["results"][0]
    assert (page["requested_by"], page["by_automation"]) == ("operator", True)


def test_on_trial_it_tells_what_it_would_do_as_if_it_had_done_it(scene: Scene) -> None:
    scene.make(armed=False)
    scene.cpu(90)
    scene.after(20)
    scene.after(20)
    scene.cpu(5)
    scene.after(20)
    scene.after(20)
    assert list(Decision.objects.order_by("pk").values_list("slot__deed", "outcome")) == [("start", "would"), ("stop", "would")]
    assert not Operation.objects.exists()


def test_a_trial_ends_by_itself_after_a_week(scene: Scene) -> None:
    scene.make(armed=False)
    scene.after(7 * 24 * 60 + 10)
    assert ScalingRule.objects.get().state == "armed"
    assert AuditEvent.objects.filter(action="scaling_rule.trial_over").count() == 1


def test_no_data_is_no_reason_to_act(scene: Scene) -> None:
    scene.make(watched="i-0123456789abcdef0", stop_below=69)
    scene.after(20)
    assert told() == ["CloudWatch has no data, which is no reason to act"]
    assert not Operation.objects.exists()


def test_one_high_point_of_three_is_not_enough(scene: Scene) -> None:
    scene.make()
    scene.cpu(20)
    scene.world.later(minutes=30)
    scene.world.later(seconds=300 - datetime.now(UTC).timestamp() % 300)
    scene.cpu(95, ago=0)
    scene.after(8)
    assert "1 above" in told()[-1]
    assert not Operation.objects.exists()


def test_what_others_started_is_not_stopped_unless_the_rule_says_any(scene: Scene) -> None:
    scene.world.finish(scene.world.request("start", scene.spare))
    mine = scene.make()
    scene.cpu(5)
    scene.after(20)
    assert "the rule did not start it" in told()[-1]
    scene.api.delete(f"/api/automation/scaling-rules/{mine.pk}?confirm=Spare build machine")
    scene.make(stops="any")
    scene.after(20)
    assert [(one.action, one.by_automation) for one in Operation.objects.open()] == [("ec2.stop", True)]


def test_a_tag_keeps_automation_away_and_stop_protection_is_respected(scene: Scene) -> None:
    Instance.objects.filter(pk=scene.spare.pk).update(tags={"cloudconsole:automation": "off"})
    scene.make()
    scene.cpu(90)
    scene.after(20)
    assert "its tag keeps automation away" in told()[-1]
    Instance.objects.filter(pk=scene.spare.pk).update(tags={})
    scene.after(20)
    scene.finish()
    scene.world.aws.ec2.protect(scene.world.account.account_id, REGION, scene.spare.instance_id, termination=False, stop=True)
    scene.cpu(5)
    scene.after(20)
    scene.finish()
    assert Operation.objects.get(action="ec2.stop").outcome_code == "stop_protected"
    assert scene.world.sent() == ["StartInstances"]


def test_at_most_so_many_start_within_an_hour(scene: Scene) -> None:
    more = [f"i-0000000000000000{number}" for number in range(3)]
    for number, name in enumerate(more):
        Instance.objects.create(
            account=scene.world.account, region=REGION, instance_id=name, name=f"spare-{number}", state="stopped",
            instance_type="t3.micro", tags={"role": "spare"}, observed_at=datetime.now(UTC), first_seen_at=datetime.now(UTC),
        )  # fmt: skip
    scene.make(instances=[], tags=[{"key": "role", "value": "spare"}], at_once=2, starts_per_hour=2, cooldown_s=0)
    scene.cpu(90)
    scene.after(20)
    assert sorted(Operation.objects.values_list("target", flat=True)) == more[:2]
    Operation.objects.update(status="succeeded")
    Instance.objects.filter(instance_id__in=more[:2]).update(state="running")
    scene.after(10)
    assert "it started 2 within an hour, and that is its most" in told()[-1]
    scene.after(60)
    assert Operation.objects.filter(target=more[2]).exists()


def test_all_rules_of_a_place_are_read_in_one_request(scene: Scene) -> None:
    for number, seconds in enumerate((60, 300, 300, 900)):
        scene.make(name=f"Rule {number}", period_s=seconds, statistic="Maximum" if number else "Average")
    scene.cpu(50)
    scene.world.aws.clear_calls()
    scene.after(60)
    asked = [call.operation for call in scene.world.aws.calls() if call.service == "cloudwatch"]
    assert asked == ["GetMetricData"]
    assert set(ScalingRule.objects.values_list("value", flat=True)) == {50.0}


def test_a_metric_that_cannot_be_read_pauses_the_rule_and_is_told_of(scene: Scene) -> None:
    scene.make()
    scene.world.aws.add_faults(Fault("cloudwatch", FaultKind.DENIED, times=9))
    for _ in range(4):
        scene.after(5)
    rule = ScalingRule.objects.get()
    assert (rule.state, rule.next_at) == ("paused", None)
    assert "could not be read, 3 times in a row" in rule.state_reason
    assert [(alert.kind, alert.path) for alert in Alert.objects.all()] == [
        ("automation.scaling_rule_paused", f"/automation/scaling/{rule.pk}")
    ]
    assert not Operation.objects.exists()


@pytest.mark.parametrize("broken", [{"metric": "of_another_version"}, {"tags": ["not a pair"]}])
def test_a_rule_that_cannot_be_decided_about_is_paused_aloud_and_holds_up_no_other(
    scene: Scene, broken: dict[str, object]
) -> None:
    other = scene.make(name="Broken")
    sound = scene.make()
    ScalingRule.objects.filter(pk=other.pk).update(**broken)
    scene.cpu(90)
    scene.after(20)
    scene.finish()
    assert (scene.world.sent(), scene.state()) == (["StartInstances"], "running")
    assert Slot.objects.get(rule=other).detail == "It could not be decided about: The log of the worker says why."
    for _ in range(2):
        scene.after(5)
    other.refresh_from_db()
    sound.refresh_from_db()
    assert (other.state, other.failures, sound.state, sound.failures) == ("paused", 3, "armed", 0)
    assert [alert.title for alert in Alert.objects.filter(kind="automation.scaling_rule_paused")] == [
        "The scaling rule “Broken” is paused"
    ]


def test_what_keeps_failing_is_paused(scene: Scene) -> None:
    scene.make(cooldown_s=0, starts_per_hour=100)
    scene.cpu(90)
    scene.world.later(minutes=20)
    for _ in range(6):
        scene.after(5)
        Operation.objects.update(status="failed")
    assert (ScalingRule.objects.get().state, Operation.objects.count()) == ("paused", 3)
    assert AuditEvent.objects.filter(action="scaling_rule.gave_up").count() == 1


def test_it_acts_with_the_rights_its_owner_has_at_that_moment(scene: Scene, operator: User) -> None:
    scene.make()
    Grant.objects.filter(user=operator).delete()
    scene.cpu(90)
    scene.after(20)
    assert (ScalingRule.objects.get().state, Operation.objects.count()) == ("paused", 0)
    assert told() == ["Its owner may not operate the account any more."]


def test_a_worker_that_died_is_succeeded_by_one_that_decides_once(scene: Scene) -> None:
    scene.make()
    scene.cpu(90)
    scene.world.later(minutes=20)
    automation.scaling_tick()
    Slot.objects.update(lease_until=datetime.now(UTC) + LEASE)  # as a worker leaves it that dies while CloudWatch is asked
    automation.run_scaling_rules(account_id=scene.world.account.pk, region=REGION)
    assert not Operation.objects.exists()
    scene.world.later(seconds=LEASE.total_seconds() + 1)
    for _ in range(3):
        look(scene.world)
    assert Operation.objects.count() == 1


def test_a_moment_that_nobody_looked_at_in_time_is_not_made_up_for(scene: Scene) -> None:
    scene.make()
    scene.cpu(90)
    scene.world.later(minutes=20)
    automation.scaling_tick()
    scene.world.later(hours=2)
    scene.cpu(50)
    scene.after(20)
    assert list(Slot.objects.order_by("at").values_list("status", flat=True)) == ["missed", "done"]
    assert not Operation.objects.exists()


def test_what_led_to_nothing_is_forgotten_after_a_week(scene: Scene) -> None:
    scene.make()
    scene.cpu(90)
    scene.after(20)
    scene.finish()
    scene.cpu(50)
    scene.after(60)
    scene.world.later(days=8)
    automation.scaling_tick()
    assert list(Slot.objects.exclude(status="open").values_list("matched", flat=True)) == [1]


def test_two_schedulers_and_two_workers_act_once(
    threads: Callable[..., None], simulator: SimulatorHandle, connected: Connected, operator: User, api: Api
) -> None:
    with acting(simulator, connected("development"), operator, api) as scene:
        scene.make(cooldown_s=0)
        scene.cpu(90)
        scene.world.later(minutes=20)
        threads(*[lambda: look(scene.world)] * 4)
        assert (Slot.objects.filter(matched=1).count(), Operation.objects.count()) == (1, 1)
