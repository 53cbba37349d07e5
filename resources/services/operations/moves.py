"""Moving an operation from one place to another: one conditional update, so that of two who try one succeeds."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from accounts.models import AwsAccount
from cloudconsole import realtime
from cloudconsole.core import clock
from resources.models import Operation
from resources.models.operations import OperationQuerySet
from resources.rules.operations import MOVES, Event, Status

# Longer than one call to AWS with its connect and read timeouts, and renewed before each.
LEASE = timedelta(seconds=90)


class LeaseLost(Exception):
    """Another worker has the operation, or a person ended it: this worker stops without a trace."""


def move(operations: OperationQuerySet, event: Event, **changes: object) -> int:
    """Let `event` happen to those of `operations` to which it can, with `changes` to their rows; how many they were."""
    return sum(
        operations.filter(status=place.status, phase=place.phase).update(
            status=reached.status.value, phase=reached.phase.value, **changes
        )
        for place, reached in MOVES[event].items()
    )


def publish(operation: Operation) -> None:
    """Tell who watches, once what happened is committed."""
    realtime.publish("operation", operation.pk, operation.account_id)


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one operation."""

    operation_id: int
    token: uuid.UUID

    def renew(self, lasts: timedelta = LEASE, **changes: object) -> None:
        """Hold on to the operation, with `changes` to its row. Raises LeaseLost."""
        if not self._mine().update(lease_until=clock.now() + lasts, **changes):
            raise LeaseLost(f"operation {self.operation_id} is no longer ours")

    def move(self, event: Event, **changes: object) -> None:
        """Let `event` happen and hold on. Raises LeaseLost."""
        self._moved(event, {"lease_until": clock.now() + LEASE, **changes})

    def leave(self, event: Event, **changes: object) -> None:
        """Let `event` happen and let the operation go. Raises LeaseLost."""
        self._moved(event, {"lease_token": None, "lease_until": None, **changes})

    def _moved(self, event: Event, changes: dict[str, object]) -> None:
        if not move(self._mine(), event, **changes):
            raise LeaseLost(f"{event} did not happen to operation {self.operation_id}: it is no longer ours")

    def _mine(self) -> OperationQuerySet:
        return Operation.objects.filter(pk=self.operation_id, lease_token=self.token, status=Status.RUNNING)


def due() -> Q:
    """Operations that a worker may take: queued or resting ones whose time has come, and those whose worker is gone."""
    now = clock.now()
    rested = Q(not_before=None) | Q(not_before__lte=now)
    queued = Q(status=Status.QUEUED) & rested
    resting = Q(status=Status.RUNNING, lease_token=None) & rested
    return queued | resting | Q(status=Status.RUNNING, lease_until__lt=now)


def claim(operation_id: int) -> Lease | None:
    """Take the operation if it may be taken. A worker that left its lease behind counts as an attempt."""
    now, token = clock.now(), uuid.uuid4()
    one = Operation.objects.filter(due(), pk=operation_id)
    held = {"lease_token": token, "lease_until": now + LEASE, "not_before": None, "started_at": Coalesce("started_at", now)}
    abandoned = one.filter(lease_until__lt=now)
    taken = move(abandoned, Event.TAKE_OVER, attempts=F("attempts") + 1, **held) or (
        move(one.filter(lease_token=None, status=Status.RUNNING), Event.TAKE_OVER, **held)
        or move(one.exclude(expires_at__lte=now).filter(account__in=_connected()), Event.CLAIM, **held)
    )
    return Lease(operation_id, token) if taken else None


def _connected() -> QuerySet[AwsAccount]:
    # As a list of ids and no join: of two who claim the row, the second has to see its status again.
    return AwsAccount.objects.filter(deleted_at=None).values("pk")  # type: ignore[return-value]
