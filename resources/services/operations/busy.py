"""One at a time: what an exclusive operation says while another one is open on its target."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError

from resources.models import Operation
from resources.rules.actions import Action
from resources.services.operations.refusals import TargetBusy
from resources.services.operations.targets import Target


@contextmanager
def told(action: Action, target: Target) -> Iterator[None]:
    """Around the transaction that makes an operation: where the database refuses a second open one, raises TargetBusy."""
    try:
        yield
    except IntegrityError as error:
        open_one = _open_on(action, target)
        if open_one is not None:
            said = f"“{open_one.title}” is still at work on it (operation {open_one.pk})."
            raise TargetBusy(said) from error
        if not _is_second(error):
            raise
        raise TargetBusy("Something else was at work on it until just now. Look at it, then ask again.") from error


def _is_second(error: IntegrityError) -> bool:
    """Whether it was the second open operation that the database refused. SQLite names the columns instead."""
    said = str(error)
    return "operation_one_open_per_target" in said or "resources_operation.target" in said


def _open_on(action: Action, target: Target) -> Operation | None:
    same = {"account": target.account, "region": target.region, "target_type": action.target_type.value}
    return Operation.objects.open().filter(**same, target=target.id, exclusive=True, dry_run=False).first()
