"""The simulated instances of one account and region, as somebody with its key handles them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from cloudconsole.simulator.organization import DEVELOPMENT

if TYPE_CHECKING:
    from cloudconsole.simulator.tests.conftest import Aws

EU, IE = "eu-central-1", "eu-west-1"
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
UNKNOWN = "i-0123456789abcdef0"


class Fleet:
    """The instances of the account "development" in one region, by name."""

    def __init__(self, aws: Aws, region: str = EU) -> None:
        self._aws, self.region = aws, region
        self.ec2 = aws.client("ec2", "development", region)
        self.handle = aws.simulator.ec2

    def id(self, name: str) -> str:
        return self.handle.named(DEVELOPMENT, self.region, name)

    def look(self, name: str) -> dict[str, Any]:
        [reservation] = self.ec2.describe_instances(InstanceIds=[self.id(name)])["Reservations"]
        found: dict[str, Any] = reservation["Instances"][0]
        return found

    def state(self, name: str) -> str:
        return str(self.look(name)["State"]["Name"])

    def wait(self, seconds: float) -> None:
        """Let simulated time go by."""
        self._aws.simulator.set_now(self._aws.simulator.now() + timedelta(seconds=seconds))

    def start(self, *names: str, **more: Any) -> Any:
        return self.ec2.start_instances(InstanceIds=[self.id(name) for name in names], **more)

    def stop(self, *names: str, **more: Any) -> Any:
        return self.ec2.stop_instances(InstanceIds=[self.id(name) for name in names], **more)

    def reboot(self, *names: str, **more: Any) -> Any:
        return self.ec2.reboot_instances(InstanceIds=[self.id(name) for name in names], **more)

    def terminate(self, *names: str, **more: Any) -> Any:
        return self.ec2.terminate_instances(InstanceIds=[self.id(name) for name in names], **more)

    def make_named(self, *names: str) -> None:
        """Make an instance for each name, in the zones a, b, c in turn, and call it so."""
        made = self.handle.make(DEVELOPMENT, self.region, len(names))
        for instance_id, name in zip(made, names, strict=True):
            self.handle.tag(DEVELOPMENT, self.region, instance_id, {"Name": name})


def moves(answer: dict[str, Any], member: str) -> list[tuple[str, str]]:
    return [(change["PreviousState"]["Name"], change["CurrentState"]["Name"]) for change in answer[member]]
