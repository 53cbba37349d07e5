"""One thing that is billed, as somebody who wants to do something about it may see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Address, LogGroup, Volume
from resources.rules.actions import Action, TargetType

_Row = Volume | Address | LogGroup
# By the type of an action's target: the rows, and the column by which AWS knows one.
_MODELS: Mapping[TargetType, tuple[Any, str]] = {
    TargetType.VOLUME: (Volume, "volume_id"),
    TargetType.ADDRESS: (Address, "allocation_id"),
    TargetType.LOG_GROUP: (LogGroup, "name"),
}


class ThingNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "resource_not_found"
    title = "Not found"


@dataclass(frozen=True, slots=True)
class Thing:
    """`row` is of the inventory, `target` how AWS knows it, `facts` what there is to know before it is decided on."""

    row: _Row
    target: str
    facts: tuple[tuple[str, str], ...]


def thing(user: User, action: Action, account: int, region: str, target: str) -> Thing:
    """What `action` would be about. Raises ThingNotFound."""
    model, column = _MODELS[action.target_type]
    seen = model.objects.visible_to(user, Perm.RESOURCES_VIEW).present().select_related("account")
    row = seen.filter(account=account, region=region, **{column: target}).first()
    if row is None:
        raise ThingNotFound("There is no such thing, or none that you may see.")
    return Thing(row, target, _facts(row))


def _facts(row: _Row) -> tuple[tuple[str, str], ...]:
    match row:
        case Volume():
            return (
                ("Size", f"{row.size_gib} GiB"),
                ("Type", row.volume_type),
                ("Attached to", row.attached_to or "nothing"),
                ("Made", f"{row.created_at:%Y-%m-%d}" if row.created_at else "not told"),
            )
        case Address():
            return (("Address", row.public_ip), ("Used by", row.associated_with or "nothing"))
        case LogGroup():
            kept = f"{row.retention_days} days" if row.retention_days else "for ever"
            return (("Stored", f"{row.stored_bytes / 2**30:,.1f} GiB"), ("Kept", kept))
