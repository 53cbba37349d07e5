"""Starting, stopping, rebooting and terminating an instance. One call, one instance: AWS's partial successes cannot happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from cloudconsole.aws import ec2
from cloudconsole.aws.ec2 import InstanceFacts, Sent
from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.models import TransitionSource
from resources.rules.instance_operations import FORBIDDEN, Judgement, Look, judge
from resources.services.actions.handlers import (
    Accepted,
    Handler,
    Missed,
    NotYet,
    Reached,
    Sight,
    SoFar,
    Trouble,
    Unclear,
    Work,
    register,
)
from resources.services.inventory import instances
from resources.services.inventory.instances import Asked


class InstanceGone(CloudconsoleError):
    """The inventory knows it, AWS does not any more."""

    kind = Kind.CONFLICT
    code = "instance_gone"
    title = "AWS does not know the instance any more"


class WrongState(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "incorrect_instance_state"
    title = "The instance's state does not allow this"
    remedy = "Wait until the instance has settled, then ask again."


class Protected(CloudconsoleError):
    """Protection is respected, and never lifted from here."""

    kind = Kind.CONFLICT
    title = "The instance is protected"
    remedy = "Whoever set the protection lifts it in AWS; Cloudconsole never does."

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


_Send = Callable[..., Sent]


class _InstanceHandler(Handler):
    """What the four have in common. `send` is the call of the AWS layer."""

    send: ClassVar[_Send]

    def look_before(self, work: Work) -> str:
        facts = _described(work)
        if facts is None:
            raise InstanceGone(f"AWS shows no instance {work.target} in {work.region}: it was terminated some time ago.")
        if facts.state in FORBIDDEN[self.name]:
            raise WrongState(f"The instance is {facts.state}; AWS does not {self.action.word} it then.")
        self.check_protection(work)
        return facts.state

    def check_protection(self, work: Work) -> None:
        """Raises Protected."""

    def dry_run(self, work: Work) -> Accepted:
        sent = type(self).send(work.access, work.region, work.target, dry_run=True, observer=work.observer)
        return Accepted(sent.request_id, is_done=True)

    def mutate(self, work: Work) -> Accepted:
        sent = type(self).send(work.access, work.region, work.target, dry_run=False, observer=work.observer)
        return Accepted(sent.request_id, sent.current_state)

    def verify(self, work: Work, so_far: SoFar) -> Sight:
        facts = _described(work)
        look = Look(
            facts.state if facts else "",
            facts.state_reason_code if facts else "",
            facts.state_reason if facts else "",
            so_far.before_state,
            so_far.last_state,
            so_far.accepted,
            so_far.age,
        )
        return _sight(judge(self.name, look), look, self.action.word)

    def explain(self, error: AwsError) -> Trouble:
        code = _CODES.get((self.name, error.aws_code)) or _CODES.get(("", error.aws_code)) or error.code
        return Trouble(code, error.detail, error.remedy)


_CODES = {
    ("ec2.terminate", "OperationNotPermitted"): "termination_protected",
    ("ec2.stop", "OperationNotPermitted"): "stop_protected",
    ("", "IncorrectInstanceState"): WrongState.code,
    ("", "InsufficientInstanceCapacity"): "insufficient_capacity",
    ("", "InvalidInstanceID.NotFound"): InstanceGone.code,
}


class _Start(_InstanceHandler):
    name = "ec2.start"
    send = staticmethod(ec2.start)


class _Stop(_InstanceHandler):
    name = "ec2.stop"
    send = staticmethod(ec2.stop)

    def check_protection(self, work: Work) -> None:
        if ec2.is_stop_protected(work.access, work.region, work.target):
            raise Protected("stop_protected", "Stop protection is on for this instance.")


class _Reboot(_InstanceHandler):
    name = "ec2.reboot"
    send = staticmethod(ec2.reboot)


class _Terminate(_InstanceHandler):
    name = "ec2.terminate"
    send = staticmethod(ec2.terminate)

    def check_protection(self, work: Work) -> None:
        if ec2.is_termination_protected(work.access, work.region, work.target):
            raise Protected("termination_protected", "Termination protection is on for this instance.")


for _handler in (_Start(), _Stop(), _Reboot(), _Terminate()):
    register(_handler)


def _described(work: Work) -> InstanceFacts | None:
    """The instance as AWS shows it now; what it shows goes into the inventory as well."""
    asked_at = clock.now()
    found = ec2.describe(work.access, work.region, [work.target])
    instances.observe(
        account=work.account,
        region=work.region,
        facts=list(found.values()),
        asked=Asked(asked_at, clock.now()),
        source=TransitionSource.OPERATION,
    )
    return found.get(work.target)


def _sight(judgement: Judgement, look: Look, word: str) -> Sight:
    match judgement:
        case Judgement.REACHED:
            return Reached(look.state or "terminated", "" if look.accepted else _UNANSWERED)
        case Judgement.WAIT:
            return NotYet(look.state)
        case Judgement.FELL_BACK:
            return Missed("fell_back_to_stopped", _fallen(look), _FALLEN_REMEDY, look.state)
        case Judgement.GONE:
            return Missed("instance_gone", "The instance was terminated meanwhile.", "", look.state or "terminated")
        case Judgement.NO_TRACE:
            shown = f"the instance is {look.state}" if look.state else "AWS shows no such instance"
            return Unclear(f"AWS was asked to {word} it, but no answer came, and {shown}.", state=look.state)


_UNANSWERED = "AWS's answer to the request was lost, but the instance is as it was wanted."
_FALLEN_REMEDY = (
    "AWS's reason says what stopped it. A volume encrypted with a KMS key needs the right to use that key "
    "(kms:CreateGrant); missing capacity needs another zone or type."
)


def _fallen(look: Look) -> str:
    told = look.reason if look.reason_code in look.reason else f"{look.reason} ({look.reason_code})"
    reason = f" AWS says: {told}." if look.reason else " AWS gives no reason."
    return f"AWS started the instance, and it went back to stopped.{reason}"
