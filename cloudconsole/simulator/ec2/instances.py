"""One instance and how it moves from state to state (EC2 user guide, "Amazon EC2 instance state changes")."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

# How long AWS goes on showing a terminated instance.
REMEMBERED = timedelta(hours=1)


class State(StrEnum):
    """An instance's states, and AWS's numbers for them."""

    PENDING = "pending"
    RUNNING = "running"
    SHUTTING_DOWN = "shutting-down"
    TERMINATED = "terminated"
    STOPPING = "stopping"
    STOPPED = "stopped"

    @property
    def code(self) -> int:
        return _CODES[self]


_CODES = {
    State.PENDING: 0,
    State.RUNNING: 16,
    State.SHUTTING_DOWN: 32,
    State.TERMINATED: 48,
    State.STOPPING: 64,
    State.STOPPED: 80,
}


class Trouble(StrEnum):
    """What goes wrong when this instance is started."""

    NO_CAPACITY = "no_capacity"
    FALLS_BACK = "falls_back"  # pending, then stopped again: its encrypted volume cannot be opened


@dataclass(frozen=True, slots=True)
class Reason:
    """Why the last move happened: `code` and `message` of StateReason, `transition` as StateTransitionReason."""

    code: str = ""
    message: str = ""
    transition: str = ""

    @staticmethod
    def of_user(code: str, words: str, at: datetime) -> Reason:
        return Reason(code, f"{code}: {words}", f"User initiated ({at:%Y-%m-%d %H:%M:%S} GMT)")


NO_REASON = Reason()
FELL_BACK = Reason("Client.InternalError", "Client.InternalError: Client error on launch", "Server.InternalError")


@dataclass(frozen=True, slots=True)
class Kind:
    """What does not change in an instance's life."""

    instance_id: str
    account_id: str
    region: str
    zone: str
    instance_type: str
    image_id: str
    key_name: str
    subnet_id: str
    vpc_id: str
    private_ip: str
    platform: str
    architecture: str
    lifecycle: str
    first_launched_at: datetime
    root_device_type: str = "ebs"

    @property
    def arn(self) -> str:
        return f"arn:aws:ec2:{self.region}:{self.account_id}:instance/{self.instance_id}"


@dataclass(slots=True)
class Instance:
    """An instance as it is now; `settle` first, because time goes on."""

    kind: Kind
    state: State
    launched_at: datetime
    public_ip: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    reason: Reason = NO_REASON
    trouble: Trouble | None = None
    keeps_from_termination: bool = False
    keeps_from_stop: bool = False
    due: datetime | None = None  # when the present state ends by itself
    then: State = State.RUNNING
    then_reason: Reason | None = None
    ended_at: datetime | None = None
    # What describing tells for a while after a change: AWS is eventually consistent.
    earlier: Instance | None = None
    earlier_until: datetime | None = None

    def settle(self, now: datetime) -> None:
        """Let happen what was due by now."""
        if self.due is None or now < self.due:
            return
        self.state, due, self.due = self.then, self.due, None
        if self.then_reason is not None:
            self.reason, self.then_reason = self.then_reason, None
        if self.state in (State.STOPPED, State.TERMINATED):
            self.public_ip = ""
        if self.state is State.TERMINATED:
            self.ended_at = due

    def move(self, state: State, reason: Reason, *, then: State, due: datetime, then_reason: Reason | None = None) -> None:
        """Go into a state that ends by itself."""
        self.state, self.reason, self.then, self.due, self.then_reason = state, reason, then, due, then_reason

    def end(self, reason: Reason, now: datetime) -> None:
        """Terminated at once, as a stopped instance is."""
        self.state, self.reason, self.due, self.ended_at, self.public_ip = State.TERMINATED, reason, None, now, ""

    def is_forgotten(self, now: datetime) -> bool:
        return self.ended_at is not None and now >= self.ended_at + REMEMBERED

    def hide_change(self, before: Instance, until: datetime) -> None:
        """Describe it as `before` it changed, `until` then."""
        self.earlier, self.earlier_until = before, until

    def as_described(self, now: datetime) -> Instance:
        if self.earlier is not None and self.earlier_until is not None and now < self.earlier_until:
            return self.earlier
        return self

    def copy(self) -> Instance:
        return replace(self, tags=dict(self.tags), earlier=None, earlier_until=None)
