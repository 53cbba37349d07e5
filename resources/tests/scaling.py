"""A watched instance, its spare one, and a rule between the two, with the clock of both sides in the test's hands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Instance, Operation, ScalingRule, Slot
from resources.services import automation
from resources.tests.operating import REGION, Operating, operating

Api = Callable[[User | None], APIClient]
CPU = ("AWS/EC2", "CPUUtilization")


@dataclass
class Scene:
    """A build machine that is watched, its spare one that is stopped, and a rule between the two."""

    world: Operating
    client_of: Api
    watched: Instance
    spare: Instance

    @property
    def api(self) -> APIClient:
        """With a fresh token: time passes here."""
        return self.client_of(self.world.by)

    def plan(self, **changes: object) -> dict[str, object]:
        return {
            "name": "Spare build machine",
            "account": "development",
            "region": REGION,
            "kind": "instance",
            "watched": self.watched.instance_id,
            "metric": "cpu",
            "start_above": 70,
            "stop_below": 30,
            "instances": [self.spare.instance_id],
            **changes,
        }

    def make(self, *, armed: bool = True, **changes: object) -> ScalingRule:
        answer = self.api.post("/api/automation/scaling-rules", self.plan(**changes), format="json")
        assert answer.status_code == 201, answer.json()
        rule = answer.json()["id"]
        if armed:
            assert self.api.post(f"/api/automation/scaling-rules/{rule}/arm").json()["state"] == "armed"
        return ScalingRule.objects.get(pk=rule)

    def cpu(self, value: float | None, *, ago: int = 10) -> None:
        """The watched instance is so busy since so many minutes."""
        since, key = datetime.now(UTC) - timedelta(minutes=ago), self.world.account.account_id
        self.world.aws.put_metric(key, REGION, CPU, {"InstanceId": self.watched.instance_id}, value=value, since=since)

    def after(self, minutes: int) -> None:
        """Time passes; beat rings, and workers hear it."""
        self.world.later(minutes=minutes)
        look(self.world)

    def finish(self) -> None:
        for operation in Operation.objects.open():
            self.world.finish(operation)

    def state(self) -> str:
        return self.world.aws.ec2.state(self.world.account.account_id, REGION, self.spare.instance_id)


def look(world: Operating) -> None:
    automation.scaling_tick()
    automation.run_scaling_rules(account_id=world.account.pk, region=REGION)


def told() -> list[str]:
    return list(Slot.objects.order_by("at").values_list("detail", flat=True))


@contextmanager
def acting(simulator: SimulatorHandle, account: AwsAccount, operator: User, api: Api) -> Iterator[Scene]:
    """One of two build machines of the simulated development account runs, the other is stopped."""
    with operating(simulator, account, operator) as world:
        world.scan()
        watched, spare = (Instance.objects.get(name=name, region=REGION) for name in ("build-1", "build-2"))
        assert (watched.state, spare.state) == ("running", "stopped")
        simulator.clear_calls()
        yield Scene(world, api, watched, spare)
