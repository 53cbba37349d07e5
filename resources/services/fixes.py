"""Which of this console's operations mend something, and what their forms have to be told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from accounts.models import User
from accounts.selectors import aws_accounts
from cloudconsole.core.permissions import Perm
from resources.models import Instance
from resources.rules.actions import ACTIONS, Action, TargetType
from resources.services import capabilities
from resources.services.operations import Target

# What has to come before: nobody deletes a volume of which there is no snapshot.
_BEFORE = {"ebs.delete_volume": ("ebs.snapshot_volume",)}


@dataclass(frozen=True, slots=True)
class Fix:
    """One operation. `wish`: what its form is opened with; `against`: why it cannot be asked for, "" if it can."""

    action: Action
    against: str = ""
    wish: Mapping[str, int | str] = field(default_factory=dict)

    @property
    def is_of_instance(self) -> bool:
        """Instances have a form of their own."""
        return self.action.target_type is TargetType.EC2


def offered(user: User, target: Target, action: str, parameters: Mapping[str, int | str]) -> list[Fix]:
    """The operations that mend `target`, in the order in which they are asked for; none where there is none here."""
    names = [name for name in (*_BEFORE.get(action, ()), action) if name in ACTIONS]
    return [_fix(user, target, ACTIONS[name], parameters) for name in names]


def _fix(user: User, target: Target, action: Action, parameters: Mapping[str, int | str]) -> Fix:
    against = _against(user, target, action)
    if against:
        return Fix(action, against)
    if action.target_type is TargetType.EC2:
        return _of_instance(target, action)
    place: dict[str, int | str] = {"account": target.account.pk, "region": target.region, "target": target.id}
    return Fix(action, wish={"action": action.name, **place, **parameters})


def _of_instance(target: Target, action: Action) -> Fix:
    known = Instance.objects.present().filter(account=target.account, region=target.region, instance_id=target.id)
    row = known.first()
    return Fix(action, wish={"action": action.word, "target": row.pk}) if row else Fix(action, "It is not there any more.")


def _against(user: User, target: Target, action: Action) -> str:
    if not aws_accounts.may(user, target.account, Perm.RESOURCES_OPERATE):
        return "You may look at this account, but not operate in it."
    if not capabilities.is_on(target.account, action.capability):
        return "This is switched off for the account; its admins switch it on at the account (Edit → Capabilities)."
    return ""
