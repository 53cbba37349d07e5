"""An installation in which operations are carried out turn by turn, with the clock of both sides in the test's hands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import time_machine

from accounts.models import AwsAccount, User
from accounts.services import credentials
from cloudconsole.aws import ec2
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Instance, Operation
from resources.services import operations
from resources.services.inventory import instances
from resources.services.inventory.instances import Asked
from resources.services.operations import Target

REGION = "eu-central-1"
CHANGING = frozenset({"StartInstances", "StopInstances", "RebootInstances", "TerminateInstances"})


@dataclass
class Operating:
    """The simulated AWS, one account of it, and a person who operates it."""

    aws: SimulatorHandle
    account: AwsAccount
    by: User
    traveller: time_machine.Traveller

    def later(self, **after: float) -> None:
        """Both clocks move on."""
        self.traveller.shift(timedelta(**after))
        self.aws.set_now(datetime.now(UTC))

    def scan(self, region: str = REGION) -> None:
        """What a scan of one region writes down."""
        access = credentials.access_for(self.account, None)
        asked_at = datetime.now(UTC)
        for page in ec2.instances(access, region):
            instances.observe(account=self.account, region=region, facts=page, asked=Asked(asked_at, datetime.now(UTC)))

    def instance(self, state: str) -> Instance:
        """One that is in this state, as the scan saw it."""
        found = Instance.objects.filter(account=self.account, state=state).order_by("name", "pk").first()
        assert found is not None
        return found

    def request(self, word: str, instance: Instance, **options: object) -> Operation:
        """Ask for `word` ("stop") on the instance."""
        target = Target(self.account, instance.region, instance.instance_id, instance.name)
        asked: Operation = operations.request(action=f"ec2.{word}", target=target, by=self.by, **options)  # type: ignore[arg-type]
        return asked

    def turn(self, operation: Operation) -> Operation:
        """What a worker does when the bell rings."""
        operations.run(operation_id=operation.pk)
        return Operation.objects.get(pk=operation.pk)

    def finish(self, operation: Operation, turns: int = 60) -> Operation:
        """Turns until it is over, each when it is due."""
        for _ in range(turns):
            operation = self.turn(operation)
            if not operation.is_open:
                return operation
            self.later(seconds=max(1.0, self._rests(operation)))
        raise AssertionError(f"still {operation.status}/{operation.phase}: {operation.outcome_detail}")

    def sent(self) -> list[str]:
        """The calls that change something which AWS got, in order."""
        return [call.operation for call in self.aws.calls() if call.operation in CHANGING]

    @staticmethod
    def _rests(operation: Operation) -> float:
        if operation.not_before is None:
            return 0.0
        return (operation.not_before - datetime.now(UTC)).total_seconds() + 0.01


@contextmanager
def operating(aws: SimulatorHandle, account: AwsAccount, by: User) -> Iterator[Operating]:
    """Time stands still and moves only by `later`. It stands at the present: HTTP answers carry the server's own date."""
    start = datetime.now(UTC)
    with time_machine.travel(start, tick=False) as traveller:
        aws.set_now(start)
        yield Operating(aws, account, by, traveller)
