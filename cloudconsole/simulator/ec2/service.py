"""EC2 of all accounts and regions: who has which instances, and what each request does to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from threading import Lock

from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.ec2 import answers, moves, requests
from cloudconsole.simulator.ec2.fleet import Maker
from cloudconsole.simulator.ec2.instances import Instance, Reason, State, Trouble
from cloudconsole.simulator.ec2.moves import Change, Moment
from cloudconsole.simulator.ec2.requests import Form
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.load import InstanceFigures
from cloudconsole.simulator.wire import AwsError

_MOVES: dict[str, Callable[[Sequence[Instance], Moment], list[Change]]] = {
    "StartInstances": moves.start,
    "StopInstances": moves.stop,
    "RebootInstances": moves.reboot,
    "TerminateInstances": moves.terminate,
}
_MOST_AT_ONCE = 1000
# Those that nobody uses, though they run.
_IDLE = frozenset({"windows-signing", "notebook", "sap-gateway", "web-eu-2", "browser-tests", "identity-proxy", "intranet"})


@dataclass(frozen=True, slots=True)
class Pace:
    """How long pending, stopping and shutting-down take, and how long a description lags behind a change."""

    transition: timedelta = timedelta(seconds=2)
    lag: timedelta = timedelta()


class Ec2:
    """The instances of the whole organization. Safe to use from many threads."""

    def __init__(self, seed: int, origin: date, clock: SimulatedClock) -> None:
        self._maker = Maker(seed, origin)
        self._clock = clock
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        """As at the start of the story."""
        with self._lock:
            self.pace = Pace()
            self._fleets: dict[str, dict[str, dict[str, Instance]]] = {}
            self._addresses = 0

    def answer(self, operation: str, identity: Identity, form: Form) -> str:
        """The inside of an answer. Raises AwsError; permission was decided before."""
        with self._lock:
            fleet = self._fleet(identity.account_id, identity.region)
            if operation == "DescribeInstances":
                return self._describe(fleet, form)
            if operation == "DescribeInstanceAttribute":
                return self._attribute(fleet, form)
            if operation in _MOVES:
                return self._move(operation, fleet, form)
        raise AwsError("InvalidAction", f"The action {operation} is not valid for this web service.")

    # --- for the control API

    def make(self, account_id: str, region: str, count: int) -> list[str]:
        """`count` more running instances; their ids."""
        with self._lock:
            fleet = self._fleet(account_id, region)
            made = list(self._maker.crowd(account_id, region, count, len(fleet)))
            fleet |= {instance.kind.instance_id: instance for instance in made}
        return [instance.kind.instance_id for instance in made]

    def list(self, account_id: str, region: str) -> list[Instance]:
        """Copies of what is there now."""
        with self._lock:
            return [instance.copy() for instance in self._fleet(account_id, region).values()]

    def figures(self, account_id: str, region: str) -> Sequence[InstanceFigures]:
        """What CloudWatch measures of what runs now; what is stopped is not measured."""
        return [
            InstanceFigures(
                one.kind.instance_id,
                one.launched_at,
                one.tags.get("Name", "") in _IDLE,
                one.tags.get("aws:autoscaling:groupName", ""),
            )
            for one in self.list(account_id, region)
            if one.state is State.RUNNING
        ]

    def change_state(self, account_id: str, region: str, instance_id: str, state: State, reason: Reason) -> None:
        """As AWS does it by itself: at once, without a date in the transition's reason. KeyError for no such instance."""
        with self._lock:
            instance = self._fleet(account_id, region)[instance_id]
            if state is State.TERMINATED:
                instance.end(reason, self._clock.now())
                return
            instance.state, instance.reason, instance.due = state, reason, None
            if state is State.RUNNING:
                instance.launched_at = self._clock.now()

    def arrange(self, account_id: str, region: str, instance_id: str, arrangement: dict[str, object]) -> None:
        """Set protection (`termination`, `stop`), `trouble` or `tags` of an instance. KeyError for no such instance."""
        with self._lock:
            instance = self._fleet(account_id, region)[instance_id]
            instance.keeps_from_termination = bool(arrangement.get("termination", instance.keeps_from_termination))
            instance.keeps_from_stop = bool(arrangement.get("stop", instance.keeps_from_stop))
            if "trouble" in arrangement:
                instance.trouble = Trouble(str(arrangement["trouble"])) if arrangement["trouble"] else None
            tags = arrangement.get("tags")
            if isinstance(tags, dict):
                instance.tags = {str(key): str(value) for key, value in tags.items()}

    # --- operations

    def _fleet(self, account_id: str, region: str) -> dict[str, Instance]:
        """What an account has in a region, settled to now; in the order of making."""
        if account_id not in self._fleets:
            regions: dict[str, dict[str, Instance]] = {}
            for instance in self._maker.story(account_id):
                regions.setdefault(instance.kind.region, {})[instance.kind.instance_id] = instance
            self._fleets[account_id] = regions
        fleet, now = self._fleets[account_id].setdefault(region, {}), self._clock.now()
        for instance in fleet.values():
            instance.settle(now)
        for forgotten in [key for key, instance in fleet.items() if instance.is_forgotten(now)]:
            del fleet[forgotten]
        return fleet

    def _describe(self, fleet: dict[str, Instance], form: Form) -> str:
        page, ids, passes = requests.page(form), requests.instance_ids(form), requests.matching(form)
        _check_known(ids, fleet)
        if requests.is_dry_run(form):
            raise _would_have_succeeded()
        now = self._clock.now()
        everything = [fleet[key] for key in dict.fromkeys(ids)] if ids else list(fleet.values())
        found = [shown for shown in (instance.as_described(now) for instance in everything) if passes(shown)]
        end = len(found) if page.size is None else page.after + page.size
        return answers.reservations(found[page.after : end], requests.token_after(end) if end < len(found) else "")

    def _attribute(self, fleet: dict[str, Instance], form: Form) -> str:
        instance_id, name = form.get("InstanceId", ""), form.get("Attribute", "")
        [checked] = requests.instance_ids({"InstanceId.1": instance_id})
        _check_known([checked], fleet)
        instance = fleet[checked]
        values = {
            "disableApiTermination": str(instance.keeps_from_termination).lower(),
            "disableApiStop": str(instance.keeps_from_stop).lower(),
            "instanceType": instance.kind.instance_type,
        }
        if name not in values:
            raise AwsError("InvalidParameterValue", f"Value ({name}) for parameter attribute is invalid. Unknown attribute.")
        return answers.attribute(checked, name, values[name])

    def _move(self, operation: str, fleet: dict[str, Instance], form: Form) -> str:
        ids = list(dict.fromkeys(requests.instance_ids(form)))
        if not ids:
            raise AwsError("MissingParameter", "The request must contain the parameter InstanceId")
        if len(ids) > _MOST_AT_ONCE:
            raise AwsError("InvalidParameterValue", f"The request may not name more than {_MOST_AT_ONCE} instances.")
        _check_known(ids, fleet)
        if requests.is_dry_run(form):
            raise _would_have_succeeded()
        found = [fleet[instance_id] for instance_id in ids]
        before = [instance.copy() for instance in found]
        try:
            changed = _MOVES[operation](found, self._moment())
        finally:
            self._lag_behind(found, before)
        return "<return>true</return>" if operation == "RebootInstances" else answers.changes(changed)

    def _moment(self) -> Moment:
        return Moment(self._clock.now(), self.pace.transition, self._new_address)

    def _new_address(self) -> str:
        self._addresses += 1
        return self._maker.address(f"started:{self._addresses}")

    def _lag_behind(self, found: Sequence[Instance], before: Sequence[Instance]) -> None:
        until = self._clock.now() + self.pace.lag
        for instance, earlier in zip(found, before, strict=True):
            if self.pace.lag and instance.state is not earlier.state:
                instance.hide_change(earlier, until)


def _check_known(ids: Sequence[str], fleet: dict[str, Instance]) -> None:
    unknown = [instance_id for instance_id in ids if instance_id not in fleet]
    if unknown:
        raise moves.missing(unknown)


def _would_have_succeeded() -> AwsError:
    message = "Request would have succeeded, but DryRun flag is set."
    return AwsError("DryRunOperation", message, 412)
