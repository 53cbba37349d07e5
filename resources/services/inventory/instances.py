"""Writing down what AWS tells of EC2 instances, and the changes of state that follow from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.models import AwsAccount
from cloudconsole import realtime
from cloudconsole.aws.ec2 import InstanceFacts
from resources.models import Instance, StateTransition, TransitionSource
from resources.rules import transitions
from resources.rules.transitions import Change, Sighting
from resources.services.inventory import rows
from resources.services.inventory.rows import Columns, Place

_TEXTS = (
    "name", "state", "instance_type", "zone", "private_ip", "public_ip", "private_dns", "vpc_id", "subnet_id", "image_id",
    "key_name", "platform", "architecture", "lifecycle", "root_device_type", "state_reason_code", "state_reason",
    "transition_reason",
)  # fmt: skip
_COLUMNS = Columns((*_TEXTS, "launched_at", "first_attached_at", "tags"))
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Asked:
    """When AWS was asked and when it had answered: the bounds of what an answer is true of."""

    asked_at: datetime
    answered_at: datetime


@transaction.atomic
def observe(
    *,
    account: AwsAccount,
    region: str,
    facts: Sequence[InstanceFacts],
    asked: Asked,
    source: TransitionSource = TransitionSource.OBSERVED,
) -> int:
    """Store what one answer told of instances in one region; the number of those that are new or changed.

    What is known from a later answer stays: a slow scan never undoes what an operation has seen since.
    """
    found = [_row(account, region, one, asked) for one in facts]
    merged = rows.merge(Instance, found, Place({"account": account, "region": region}, "instance_id"), _COLUMNS)
    made = [_transition(row, change, source) for row in merged.new for change in transitions.first(_sighting(row, asked))]
    for before, after in merged.changed:
        made += [_transition(after, change, source) for change in transitions.between(_earlier(before), _sighting(after, asked))]
    StateTransition.objects.bulk_create(made, batch_size=_CHUNK)
    if merged:
        realtime.publish("instance", region, account.pk)
    return len(merged.new) + len(merged.changed)


@transaction.atomic
def mark_gone(*, account: AwsAccount, region: str, asked: Asked) -> int:
    """A complete scan that began at `asked.asked_at` no longer found these; AWS forgets only what was terminated."""
    missing = Instance.objects.present().filter(account=account, region=region, observed_at__lt=asked.asked_at)
    count = 0
    while chunk := list(missing.order_by("pk")[:_CHUNK]):
        made = [
            StateTransition(
                instance=row, from_state=row.state, to_state="terminated", not_before=row.observed_at, not_after=asked.answered_at
            )
            for row in chunk
            if row.state != "terminated"
        ]
        StateTransition.objects.bulk_create(made)
        Instance.objects.filter(pk__in=[row.pk for row in chunk]).update(gone_at=asked.answered_at, state="terminated")
        count += len(chunk)
    if count:
        realtime.publish("instance", region, account.pk)
    return count


def _row(account: AwsAccount, region: str, facts: InstanceFacts, asked: Asked) -> Instance:
    texts = {name: rows.text(Instance, name, getattr(facts, name)) for name in _TEXTS}
    tags = rows.tags(facts.tags)
    names = (texts["name"], facts.instance_id, texts["private_ip"], texts["public_ip"], texts["private_dns"])
    return Instance(
        account=account,
        region=region,
        instance_id=rows.text(Instance, "instance_id", facts.instance_id),
        launched_at=facts.launched_at,
        first_attached_at=facts.first_attached_at,
        tags=tags,
        searched=rows.searched(*names, texts["instance_type"], tags=tags),
        observed_at=asked.asked_at,
        first_seen_at=asked.asked_at,
        **texts,
    )


def _sighting(row: Instance, asked: Asked) -> Sighting:
    return Sighting(row.state, asked.asked_at, asked.answered_at, row.launched_at, row.transition_reason, row.first_attached_at)


def _earlier(row: Instance) -> Sighting:
    return Sighting(row.state, row.observed_at, row.observed_at, row.launched_at, row.transition_reason, row.first_attached_at)


def _transition(row: Instance, change: Change, source: TransitionSource) -> StateTransition:
    is_last = change.to_state == row.state
    reason = row.state_reason or row.transition_reason
    return StateTransition(
        instance=row,
        from_state=change.from_state,
        to_state=change.to_state,
        not_before=change.not_before,
        not_after=change.not_after,
        source=TransitionSource.AWS if change.not_before == change.not_after else source,
        reason=reason if is_last else "",
    )
