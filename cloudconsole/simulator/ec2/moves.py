"""What start, stop, reboot and terminate do, and when EC2 refuses them (EC2 API reference, "Error codes")."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cloudconsole.simulator.ec2.instances import FELL_BACK, NO_REASON, Instance, Reason, State, Trouble
from cloudconsole.simulator.wire import AwsError


@dataclass(frozen=True, slots=True)
class Change:
    """What a request did to one instance."""

    instance_id: str
    previous: State
    current: State


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, how long a state takes that ends by itself, and new addresses for what starts."""

    now: datetime
    transition: timedelta
    new_address: Callable[[], str]

    @property
    def due(self) -> datetime:
        return self.now + self.transition


def start(instances: Sequence[Instance], at: Moment) -> list[Change]:
    """All or none: one in the wrong state fails the request."""
    for instance in instances:
        if instance.state in (State.STOPPING, State.SHUTTING_DOWN, State.TERMINATED):
            raise _wrong_state(instance, "started")
    for instance in instances:
        if instance.state is State.STOPPED and instance.trouble is Trouble.NO_CAPACITY:
            raise _no_capacity(instance)
    return [_started(instance, at) for instance in instances]


def _started(instance: Instance, at: Moment) -> Change:
    previous = instance.state
    if previous is State.STOPPED:
        falls_back = instance.trouble is Trouble.FALLS_BACK
        instance.launched_at, instance.public_ip = at.now, at.new_address()
        instance.move(
            State.PENDING,
            NO_REASON,
            then=State.STOPPED if falls_back else State.RUNNING,
            due=at.due,
            then_reason=FELL_BACK if falls_back else None,
        )
    return Change(instance.kind.instance_id, previous, instance.state)


def stop(instances: Sequence[Instance], at: Moment) -> list[Change]:
    """All or none, as for a start."""
    for instance in instances:
        _check_stop(instance)
    return [_stopped(instance, at) for instance in instances]


def _check_stop(instance: Instance) -> None:
    kind = instance.kind
    if instance.state in (State.PENDING, State.SHUTTING_DOWN, State.TERMINATED):
        raise _wrong_state(instance, "stopped")
    if kind.lifecycle == "spot":
        raise AwsError(
            "UnsupportedOperation",
            f"You can't stop the Spot Instance '{kind.instance_id}' because it is associated with a one-time Spot Instance "
            "request. You can only stop Spot Instances associated with persistent Spot Instance requests.",
        )
    if kind.root_device_type != "ebs":
        message = f"The instance '{kind.instance_id}' does not have an 'ebs' root device type and cannot be stopped."
        raise AwsError("UnsupportedOperation", message)
    if instance.keeps_from_stop and instance.state is State.RUNNING:
        raise _protected(instance, "stopped", "disableApiStop")


def _stopped(instance: Instance, at: Moment) -> Change:
    previous = instance.state
    if previous is State.RUNNING:
        reason = Reason.of_user("Client.UserInitiatedShutdown", "User initiated shutdown", at.now)
        instance.move(State.STOPPING, reason, then=State.STOPPED, due=at.due)
    return Change(instance.kind.instance_id, previous, instance.state)


def reboot(instances: Sequence[Instance], at: Moment) -> list[Change]:
    """Changes no state that could be seen, and the launch time neither."""
    for instance in instances:
        if instance.state is not State.RUNNING:
            raise _wrong_state(instance, "rebooted")
    return [Change(instance.kind.instance_id, instance.state, instance.state) for instance in instances]


def terminate(instances: Sequence[Instance], at: Moment) -> list[Change]:
    """Zone by zone: a protected instance saves those of its own zone only, and yet the request fails as a whole."""
    protected = [one for one in instances if one.keeps_from_termination and one.state is not State.TERMINATED]
    saved = {one.kind.zone for one in protected}
    changes = [_terminated(one, at) for one in instances if one.kind.zone not in saved]
    if protected:
        raise _protected(protected[0], "terminated", "disableApiTermination")
    return changes


def _terminated(instance: Instance, at: Moment) -> Change:
    previous = instance.state
    reason = Reason.of_user("Client.UserInitiatedShutdown", "User initiated shutdown", at.now)
    if previous is State.STOPPED:
        instance.end(reason, at.now)
    elif previous not in (State.SHUTTING_DOWN, State.TERMINATED):
        instance.move(State.SHUTTING_DOWN, reason, then=State.TERMINATED, due=at.due)
    return Change(instance.kind.instance_id, previous, instance.state)


def missing(ids: Collection[str]) -> AwsError:
    """AWS names every id that it does not know."""
    if len(ids) == 1:
        return AwsError("InvalidInstanceID.NotFound", f"The instance ID '{next(iter(ids))}' does not exist")
    return AwsError("InvalidInstanceID.NotFound", f"The instance IDs '{', '.join(sorted(ids))}' do not exist")


def _wrong_state(instance: Instance, verb: str) -> AwsError:
    instance_id = instance.kind.instance_id
    return AwsError("IncorrectInstanceState", f"The instance '{instance_id}' is not in a state from which it can be {verb}.")


def _protected(instance: Instance, verb: str, attribute: str) -> AwsError:
    return AwsError(
        "OperationNotPermitted",
        f"The instance '{instance.kind.instance_id}' may not be {verb}. Modify its '{attribute}' instance attribute and try "
        "again.",
    )


def _no_capacity(instance: Instance) -> AwsError:
    kind = instance.kind
    return AwsError(
        "InsufficientInstanceCapacity",
        f"We currently do not have sufficient {kind.instance_type} capacity in the Availability Zone you requested "
        f"({kind.zone}). Our system will be working on provisioning additional capacity.",
        500,
    )
