"""What an action has to know to be carried out: how to look, how to do it once, and how to tell what became of it.

A handler is called by `resources.services.operations` only, outside of any transaction. `mutate` is called between two
commits, the one that says "sent" and the one that keeps its answer, and at most once unless the action is idempotent.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from accounts.models import AwsAccount
from cloudconsole.aws.calls_made import Recorder
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.rules.actions import ACTIONS, Action


@dataclass(frozen=True, slots=True)
class Work:
    """One operation as its handler sees it.

    `observer` goes to the call that changes something. `report(done, total)` tells how far a long one is;
    `is_stopped()` is True once a person stopped it: then leave without another call.
    """

    account: AwsAccount
    access: Access
    region: str
    target: str
    parameters: Mapping[str, Any]
    observer: Recorder
    report: Callable[[int, int | None], None]
    is_stopped: Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Accepted:
    """AWS took the request. `is_done`: there is nothing to wait for. `result` is small, plain and without secrets."""

    request_id: str = ""
    state: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class SoFar:
    """What is known when a handler looks. `accepted` is False where nobody knows whether AWS got the request."""

    accepted: bool
    before_state: str
    last_state: str  # as AWS told it at an earlier look; empty at the first
    age: timedelta  # since it was sent


@dataclass(frozen=True, slots=True)
class Reached:
    """It is as it was wanted."""

    state: str = ""
    detail: str = ""
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotYet:
    """It may still become so."""

    state: str = ""


@dataclass(frozen=True, slots=True)
class Missed:
    """It will not become so, and this is why."""

    code: str
    detail: str
    remedy: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Unclear:
    """Looking does not tell, now or later."""

    detail: str
    remedy: str = "Look at it in AWS before doing it again."
    state: str = ""


Sight = Reached | NotYet | Missed | Unclear


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why something was not done, for a person and, by its code, for a program."""

    code: str
    detail: str
    remedy: str = ""


class NoDryRun(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "no_dry_run"
    title = "AWS has no dry run of this"


class Handler(abc.ABC):
    """How one action is carried out. `patience`: how long after sending it may take until it is as wanted."""

    name: ClassVar[str]
    patience: ClassVar[timedelta] = timedelta(minutes=10)

    @property
    def action(self) -> Action:
        return ACTIONS[self.name]

    def look_before(self, work: Work) -> str:
        """The target's state before. Raises a CloudconsoleError where the state or a protection forbids the action."""
        return ""

    def dry_run(self, work: Work) -> Accepted:
        """Ask AWS whether it would be allowed; nothing changes. Raises NoDryRun, AwsError."""
        raise NoDryRun(f"AWS cannot be asked whether it would {self.action.title.lower()}.")

    @abc.abstractmethod
    def mutate(self, work: Work) -> Accepted:
        """Do it. Raises AwsError."""

    @abc.abstractmethod
    def verify(self, work: Work, so_far: SoFar) -> Sight:
        """Look once whether it is as wanted. Called again after a pause while it is NotYet. Raises AwsError."""

    def explain(self, error: AwsError) -> Trouble:
        """AWS's refusal in the action's own words."""
        return Trouble(error.code, error.detail, error.remedy)


HANDLERS: dict[str, Handler] = {}


def register(handler: Handler) -> Handler:
    """Make the engine carry out the handler's action. KeyError for one that `resources.rules.actions` does not know."""
    HANDLERS[handler.action.name] = handler
    return handler
