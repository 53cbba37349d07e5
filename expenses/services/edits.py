"""Remembering expenses as they were before a change, and undoing it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import IntegrityError, transaction

import audit.services
from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import Category, Edit, EditedExpense, Expense, ExpenseTag, PaymentMethod, Workspace
from expenses.rules.statuses import MemberRole
from expenses.selectors import workspaces
from expenses.services import inputs

CHUNK: Final = 1000
KEPT_FOR: Final = timedelta(days=30)

# What an expense names by number, and the columns in which a before-image writes and reads it.
_NAMED: Final[Mapping[str, type[Category | PaymentMethod | AwsAccount]]] = {
    "category": Category,
    "payment_method": PaymentMethod,
    "account": AwsAccount,
}
_COLUMNS: Final = {name: f"{name}_id" for name in _NAMED}

_SEARCHED: Final = frozenset({"payee", "description", "location", "project", "tags", "notes"})


class NothingToUndo(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "nothing_to_undo"
    title = "There is nothing to undo"


@dataclass(frozen=True)
class Undone:
    """`left`: expenses that were changed again since, and stay as they are."""

    restored: int
    left: int


def remember(*, workspace: Workspace, expenses: Sequence[Expense], fields: Collection[str], what: str, by: User | None) -> Edit:
    """Note `fields` of `expenses` as they are, before the caller changes them and lets their `revision` grow by one."""
    edit = Edit.objects.create(workspace=workspace, by=by, what=what[:200], count=len(expenses))
    EditedExpense.objects.bulk_create(
        (EditedExpense(edit=edit, expense=one, before=image_of(one, fields), revision=one.revision + 1) for one in expenses),
        batch_size=CHUNK,
    )
    return edit


def remember_made(edit: Edit, made: Iterable[Expense]) -> None:
    """Note expenses that the edit made: undoing it deletes them."""
    gone = {"deleted_at": str(clock.now())}
    EditedExpense.objects.bulk_create(EditedExpense(edit=edit, expense=one, before=gone, revision=one.revision) for one in made)


def image_of(expense: Expense, fields: Iterable[str]) -> dict[str, Any]:
    """The columns as JSON."""
    return {name: _written(getattr(expense, _COLUMNS.get(name, name))) for name in fields}


def undo(*, edit: Edit, by: User) -> Undone:
    """Give what the edit changed its former values, unless it was changed again since. Once. Raises NothingToUndo, NotAllowed."""
    _check_may(edit, by)
    with transaction.atomic():
        if not Edit.objects.filter(pk=edit.pk, undone_at=None).update(undone_at=clock.now()):
            raise NothingToUndo("It was undone already.")
        restored = _restore_all(edit)
        audit.services.record(
            verbs.EDIT_UNDONE,
            actor=by,
            subject=str(edit.pk),
            detail={"workspace": edit.workspace.name, "count": restored},
        )
    return Undone(restored, edit.count - restored)


def _check_may(edit: Edit, by: User) -> None:
    needed = MemberRole.CONTRIBUTOR if edit.by_id == by.pk else MemberRole.APPROVER
    workspaces.require(by, edit.workspace, needed)


def _restore_all(edit: Edit) -> int:
    restored, after = 0, 0
    while chunk := list(EditedExpense.objects.filter(edit=edit, pk__gt=after).order_by("pk")[:CHUNK]):
        restored += _restore(chunk)
        after = chunk[-1].pk
    return restored


def _restore(chunk: list[EditedExpense]) -> int:
    """Lock what still has the revision that the edit gave it, and write its before-image back."""
    wanted = {row.expense_id: row for row in chunk}
    locked = list(Expense.objects.select_for_update(of=("self",)).filter(pk__in=wanted).order_by("pk"))
    for one in locked:
        row = wanted[one.pk]
        if row.before.get("deleted_at") and one.deleted_at is None and one.revision != row.revision:
            raise NothingToUndo("A part of it was changed since: the whole beside it would count twice.")
    still = [one for one in locked if one.revision == wanted[one.pk].revision]
    names: set[str] = set()
    gone = _gone(chunk)
    for one in still:
        before = wanted[one.pk].before
        names.update(before)
        for name, value in before.items():
            if name in _NAMED and (name, value) in gone:
                continue  # what it says now stays
            setattr(one, _COLUMNS.get(name, name), _read(name, value))
        inputs.derive(one)
    save_all(still, names)
    return len(still)


def _gone(chunk: Iterable[EditedExpense]) -> set[tuple[str, int]]:
    """What former values name and what was merged or deleted since."""
    gone: set[tuple[str, int]] = set()
    for name, model in _NAMED.items():
        wanted = {row.before[name] for row in chunk if row.before.get(name) is not None}
        there = set(model.objects.filter(pk__in=wanted).values_list("pk", flat=True))
        gone |= {(name, pk) for pk in wanted - there}
    return gone


def save_all(expenses: Sequence[Expense], fields: Collection[str]) -> None:
    """Write `fields`, and what follows from them, of locked rows; each gets its next revision. Raises NothingToUndo for a
    row that may not come back because another one took its external id.
    """
    now = clock.now()
    for one in expenses:
        one.revision, one.updated_at = one.revision + 1, now
    columns = {*(_COLUMNS.get(name, name) for name in fields), "revision", "updated_at"}
    if not _SEARCHED.isdisjoint(fields):
        columns |= {"payee_key", "searched"}
    try:
        with transaction.atomic():
            Expense.objects.bulk_update(expenses, sorted(columns), batch_size=200)
    except IntegrityError as error:
        if "deleted_at" not in columns:
            raise  # only a row that comes back can meet another one with its external id
        raise NothingToUndo("Another expense has the external id of one of these now.") from error
    if "tags" in fields:
        retag(expenses)


def retag(expenses: Iterable[Expense]) -> None:
    """Let the rows that the filter reads follow the tags of these expenses."""
    kept = list(expenses)
    ExpenseTag.objects.filter(expense__in=[one.pk for one in kept]).delete()
    ExpenseTag.objects.bulk_create(tag_rows(kept), batch_size=CHUNK)


def tag_rows(expenses: Iterable[Expense]) -> list[ExpenseTag]:
    return [ExpenseTag(expense=one, workspace_id=one.workspace_id, name=tag) for one in expenses for tag in one.tags]


def _written(value: object) -> object:
    if isinstance(value, Decimal | date | uuid.UUID):
        return str(value)
    return list(value) if isinstance(value, list | tuple) else value


def _read(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in ("date", "occurrence"):
        return date.fromisoformat(value)
    if name == "deleted_at":
        return datetime.fromisoformat(value)
    if name == "split":
        return uuid.UUID(value)
    return Decimal(value) if name == "cost" else value
