"""What can be done to things in AWS, as data: what each action is called, what it needs, and how dangerous it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class TargetType(StrEnum):
    """What an action is about. Values of the first three are the names of the services' pages."""

    EC2 = "ec2"
    S3 = "s3"
    LAMBDA = "lambda"
    VOLUME = "volume"
    ADDRESS = "address"
    LOG_GROUP = "log_group"
    QUOTA = "quota"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done.

    `destructive`: something is lost that AWS does not bring back; in production a second person approves it.
    `needs_confirm`: the target's name is typed before.
    `idempotent`: sending it again does no harm, so a worker that comes after a dead one goes on by sending.
    `has_dry_run`: AWS can be asked whether it would be allowed.
    `exclusive`: while one runs on a target, no other exclusive one is taken on.
    `effect`: what happens to one target, for who is about to ask for it.
    """

    name: str  # "ec2.stop"
    verb: str  # "Stop"
    noun: str  # "instance"
    target_type: TargetType
    capability: str
    destructive: bool = False
    needs_confirm: bool = False
    idempotent: bool = False
    has_dry_run: bool = False
    exclusive: bool = True
    effect: str = ""

    @property
    def title(self) -> str:
        """For example “Stop instance”."""
        return f"{self.verb} {self.noun}"

    @property
    def word(self) -> str:
        """The action alone, as addresses and typed confirmations name it: "stop"."""
        return self.name.partition(".")[2]


_EC2 = TargetType.EC2, "ec2.operate"
_S3 = TargetType.S3, "s3.operate"
_LAMBDA = TargetType.LAMBDA, "lambda.operate"

_SAVING = "savings.operate"

_COPY = "AWS copies what is on it, while it may be used. The copy is billed for the blocks that it holds."
_DELETE_VOLUME = (
    "The volume is gone for good. It is only done while nothing holds it and a completed snapshot of it is younger than seven "
    "days, from which AWS can make it again; fresh snapshots are billed for what they hold."
)
_GP3 = "Its type changes while it is in use. It gets at least the speed that it has. It cannot be changed again for six hours."
_RELEASE = (
    "The address goes back to AWS, which gives it to somebody else: names and firewalls that still mean it mean a stranger."
)
_RETENTION = "Events that are older are deleted within about three days, for good; from then on, as soon as they are that old."

_START = "It boots from its volumes, and is billed from then on. It gets a new public IP address unless it has an Elastic IP."
_STOP = (
    "It shuts down. What is in its memory and on instance store volumes is lost; its EBS volumes stay, and are billed on. "
    "Its public IP address is given up unless it is an Elastic IP."
)
_REBOOT = "Its operating system restarts. Addresses and volumes stay as they are."
_END = (
    "It is gone for good, and cannot be brought back. Volumes that are set to be deleted with it go too, the root volume "
    "usually among them. To keep it, stop it instead."
)

_INCREASE = (
    "AWS is asked for the new limit. It may grant it at once, take days, ask back by a support case, or refuse. Until then the "
    "limit stays as it is; a limit alone costs nothing."
)

ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action("ec2.start", "Start", "instance", *_EC2, has_dry_run=True, effect=_START),
        Action("ec2.stop", "Stop", "instance", *_EC2, has_dry_run=True, effect=_STOP),
        Action("ec2.reboot", "Reboot", "instance", *_EC2, has_dry_run=True, effect=_REBOOT),
        Action(
            "ec2.terminate", "Terminate", "instance", *_EC2, destructive=True, needs_confirm=True, has_dry_run=True, effect=_END
        ),
        Action("s3.create", "Create", "bucket", *_S3),
        Action("s3.upload", "Upload", "object", *_S3, exclusive=False),
        Action("s3.delete_objects", "Delete", "objects", *_S3, destructive=True, idempotent=True, exclusive=False),
        Action("s3.empty", "Empty", "bucket", *_S3, destructive=True, needs_confirm=True, idempotent=True),
        Action("s3.delete", "Delete", "bucket", *_S3, destructive=True, needs_confirm=True),
        Action("lambda.invoke", "Invoke", "function", *_LAMBDA, has_dry_run=True, exclusive=False),
        Action("lambda.deploy", "Deploy", "function", *_LAMBDA),
        Action("lambda.roll_back", "Roll back", "function", *_LAMBDA),
        Action("ebs.snapshot_volume", "Snapshot", "volume", TargetType.VOLUME, _SAVING, has_dry_run=True, effect=_COPY),
        Action(
            "ebs.delete_volume",
            "Delete",
            "volume",
            TargetType.VOLUME,
            _SAVING,
            destructive=True,
            needs_confirm=True,
            has_dry_run=True,
            effect=_DELETE_VOLUME,
        ),
        Action("ebs.to_gp3", "Change to gp3", "volume", TargetType.VOLUME, _SAVING, has_dry_run=True, effect=_GP3),
        Action(
            "addresses.release",
            "Release",
            "address",
            TargetType.ADDRESS,
            _SAVING,
            destructive=True,
            needs_confirm=True,
            has_dry_run=True,
            effect=_RELEASE,
        ),
        Action(
            "logs.set_retention",
            "Set retention of",
            "log group",
            TargetType.LOG_GROUP,
            _SAVING,
            destructive=True,
            needs_confirm=True,
            idempotent=True,
            effect=_RETENTION,
        ),
        Action("quotas.request_increase", "Ask for more of", "quota", TargetType.QUOTA, "quotas.operate", effect=_INCREASE),
    )
}


def title_of(name: str) -> str:
    """The title of an action; one that is no longer known is told by its name."""
    action = ACTIONS.get(name)
    return action.title if action else name


def needed_confirmation(action: Action, targets: Sequence[str]) -> str:
    """What has to be typed before the action is taken on: "" for nothing.

    One target is named by itself; several are named by what happens to how many: "terminate 3".
    """
    if len(targets) > 1:
        return f"{action.word.replace('_', ' ')} {len(targets)}"
    return targets[0] if action.needs_confirm and targets else ""
