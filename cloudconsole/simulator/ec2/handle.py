"""What a test or a benchmark may do to the simulated instances from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

Ask = Callable[[str, str, object], Any]


class Ec2Handle:
    """The EC2 part of a running simulator. Accounts are 12 digits, regions as AWS names them."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def instances(self, account: str, region: str) -> list[dict[str, Any]]:
        """`instance_id`, `name`, `state`, `zone`, `instance_type` and `tags` of each, without asking AWS."""
        found: list[dict[str, Any]] = self._say("show", account=account, region=region)["instances"]
        return found

    def named(self, account: str, region: str, name: str) -> str:
        """The id of the instance with this name. StopIteration for none."""
        return next(str(one["instance_id"]) for one in self.instances(account, region) if one["name"] == name)

    def state(self, account: str, region: str, instance_id: str) -> str:
        return next(str(one["state"]) for one in self.instances(account, region) if one["instance_id"] == instance_id)

    def make(self, account: str, region: str, count: int) -> list[str]:
        """`count` more running instances; their ids."""
        found: list[str] = self._say("make", account=account, region=region, count=count)["instance_ids"]
        return found

    def change(self, account: str, region: str, instance_id: str, *, to: str, code: str = "", message: str = "") -> None:
        """As AWS does by itself: `code` and `message` are the StateReason, and no date is told."""
        place = {"account": account, "region": region, "instance_id": instance_id}
        self._say("change", **place, state=to, code=code, message=message)

    def protect(self, account: str, region: str, instance_id: str, *, termination: bool = True, stop: bool = False) -> None:
        self._say("arrange", account=account, region=region, instance_id=instance_id, termination=termination, stop=stop)

    def trouble(self, account: str, region: str, instance_id: str, kind: Literal["no_capacity", "falls_back"] | None) -> None:
        """What goes wrong at the next start: no capacity in the zone, or a fall back to stopped."""
        self._say("arrange", account=account, region=region, instance_id=instance_id, trouble=kind)

    def tag(self, account: str, region: str, instance_id: str, tags: dict[str, str]) -> None:
        """Replace all tags."""
        self._say("arrange", account=account, region=region, instance_id=instance_id, tags=tags)

    def set_pace(self, *, transition_s: float = 2, lag_s: float = 0) -> None:
        """How long pending, stopping and shutting-down last, and how far descriptions lag behind a change."""
        self._say("pace", transition=transition_s, lag=lag_s)

    def _say(self, name: str, **body: object) -> Any:
        return self._ask("POST", f"ec2/{name}", body)
