"""Adding expenses, changing them and letting them go. Every change can be undone for a while."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from django.db import IntegrityError, transaction

import audit.services
from accounts.models import User
from audit.verbs import Verb
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import Edit, Expense, ExpenseTag, Workspace
from expenses.rules import currencies
from expenses.rules.statuses import CHANGEABLE, MemberRole, Status
from expenses.selectors import workspaces
from expenses.services import categorising, edits, inputs
from expenses.services.inputs import EDITABLE, ExpenseInput, ExpenseRefused
from expenses.services.names import Names

MANUAL: Final = "manual"
API: Final = "api"
RECURRING: Final = "recurring"
MOST_PARTS: Final = 20

# What a person or their program says of an expense, rules leave alone; what a file says, they may put right.
_SAID_BY_PEOPLE: Final = frozenset({MANUAL, API})


class ExternalIdTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "external_id_taken"
    title = "The workspace has another expense with this external id"


class ExpenseChanged(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "expense_changed"
    title = "Somebody else changed it meanwhile"


class NotChangeable(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "expense_handed_in"
    title = "The expense was handed in"


@dataclass(frozen=True)
class Added:
    """`is_new`: False when the very same expense was there already, by its source and external id."""

    expense: Expense
    is_new: bool


def add(*, workspace: Workspace, given: ExpenseInput, by: User, source: str = MANUAL) -> Added:
    """Enter one expense of `by`. Rules fill in what was not said.

    The same source and external id again: the expense that is there, or ExternalIdTaken when it differs. Raises NotAllowed,
    ExpenseRefused, NameRefused.
    """
    workspaces.require(by, workspace, MemberRole.CONTRIBUTOR)
    try:
        with transaction.atomic():
            there = _there(workspace, source, given)
            if there is not None:
                return Added(there, is_new=False)
            expense = build(names=Names(workspace), given=given, owner=by, source=source)
            categorising.fill_in([expense], workspace)
            insert([expense])
            _record(verbs.EXPENSE_ADDED, expense, by)
    except IntegrityError:
        there = _there(workspace, source, given)  # the same request came twice at once
        if there is None:
            raise
        return Added(there, is_new=False)
    return Added(expense, is_new=True)


def _there(workspace: Workspace, source: str, given: ExpenseInput) -> Expense | None:
    if not given.external_id:
        return None
    known = Expense.objects.kept().with_names().filter(workspace=workspace, source=source, external_id=given.external_id).first()
    if known is None:
        return None
    if (known.date, known.cost, known.currency) != (given.date, given.cost, given.currency):
        raise ExternalIdTaken(f"It is of {known.date} and costs {known.cost} {known.currency}.", attr="external_id")
    return known


def build(*, names: Names, given: ExpenseInput, owner: User, source: str) -> Expense:
    """An expense that is not saved yet, checked. Raises ExpenseRefused, NameRefused."""
    workspace = names.workspace
    expense = Expense(
        workspace=workspace,
        owner=owner,
        owner_name=owner.get_username(),
        source=source,
        external_id=given.external_id,
        status=Status.DRAFT if workspace.needs_approval else Status.APPROVED,
    )
    fields = inputs.check(given, names)
    inputs.write(expense, fields)
    if source in _SAID_BY_PEOPLE:
        expense.locked = [name for name in EDITABLE if getattr(fields, name)]
    return expense


def insert(expenses: Sequence[Expense]) -> None:
    """Store what `build` made, with its tags, in the caller's transaction. Raises IntegrityError for a known external id."""
    Expense.objects.bulk_create(expenses, batch_size=edits.CHUNK)
    ExpenseTag.objects.bulk_create(edits.tag_rows(expenses), batch_size=edits.CHUNK)


def change(*, expense: Expense, given: ExpenseInput, by: User, revision: int | None = None) -> Edit | None:
    """Make it say what is given; fields that differ are locked against rules. None when nothing differs.

    Raises ExpenseChanged when `revision` is not the one of now; NotChangeable, NotAllowed, ExpenseRefused, NameRefused.
    """
    with transaction.atomic():
        kept = locked(expense, by)
        if revision is not None and kept.revision != revision:
            raise ExpenseChanged("Look at what it is now, and change that.", attr="revision")
        before, after = inputs.fields_of(kept), inputs.check(given, Names(kept.workspace))
        differing = [name for name in EDITABLE if getattr(before, name) != getattr(after, name)]
        if not differing:
            return None
        edit = edits.remember(
            workspace=kept.workspace, expenses=[kept], fields=[*differing, "locked"], what=_what(differing), by=by
        )
        inputs.write(kept, after)
        kept.locked = sorted({*kept.locked, *differing})
        edits.save_all([kept], [*differing, "locked"])
        _record(verbs.EXPENSE_CHANGED, kept, by, fields=", ".join(differing))
    return edit


def duplicate(*, expense: Expense, by: User) -> Expense:
    """The same again, today, of `by`. Raises NotAllowed."""
    again = replace(inputs.input_of(expense), date=clock.today(), external_id="")
    return add(workspace=expense.workspace, given=again, by=by).expense


def delete(*, expense: Expense, by: User) -> Edit:
    """Take it out of every list and sum; undoing the edit brings it back. Raises NotChangeable, NotAllowed."""
    with transaction.atomic():
        kept = locked(expense, by)
        edit = edits.remember(workspace=kept.workspace, expenses=[kept], fields=["deleted_at"], what="Deleted", by=by)
        kept.deleted_at = clock.now()
        edits.save_all([kept], ["deleted_at"])
        _record(verbs.EXPENSE_DELETED, kept, by)
    return edit


def split(*, expense: Expense, parts: Sequence[ExpenseInput], by: User) -> Edit:
    """Let parts stand in its place that add up to it exactly: the first one is the expense itself, the others are new.

    Raises ExpenseRefused when they do not add up, NotChangeable, NotAllowed, NameRefused.
    """
    with transaction.atomic():
        kept = locked(expense, by)
        if kept.owner is None:
            raise NotChangeable("Whose expense this is has left, so no part of it can be theirs.")
        if (
            not 2 <= len(parts) <= MOST_PARTS
            or sum(part.cost for part in parts) != kept.cost
            or {part.currency for part in parts} != {kept.currency}
        ):
            whole = currencies.amount_of(kept.cost, kept.currency)
            raise ExpenseRefused(f"Two to {MOST_PARTS} parts have to add up to {whole} {kept.currency}.", attr="parts")
        edit = edits.remember(
            workspace=kept.workspace, expenses=[kept], fields=[*EDITABLE, "locked", "split"], what="Split", by=by
        )
        names, group = Names(kept.workspace), kept.split or uuid.uuid4()
        inputs.write(kept, inputs.check(parts[0], names))
        kept.split, kept.locked = group, sorted({*kept.locked, "cost", "category"})
        edits.save_all([kept], [*EDITABLE, "locked", "split"])
        made = [_part(kept, part, names, kept.owner) for part in parts[1:]]
        insert(made)
        edits.remember_made(edit, made)
        _record(verbs.EXPENSE_SPLIT, kept, by, count=len(parts))
    return edit


def _part(whole: Expense, given: ExpenseInput, names: Names, owner: User) -> Expense:
    made = build(names=names, given=given, owner=owner, source=whole.source)
    made.external_id, made.split, made.status = "", whole.split, whole.status
    return made


def locked(expense: Expense, by: User) -> Expense:
    """The row, held until the transaction ends, when `by` may change it. Raises NotAllowed, NotChangeable."""
    needed = MemberRole.CONTRIBUTOR if expense.owner_id == by.pk else MemberRole.APPROVER
    workspaces.require(by, expense.workspace, needed)
    kept = Expense.objects.kept().select_for_update(of=("self",)).with_names().filter(pk=expense.pk).first()
    if kept is None:
        raise ExpenseChanged("It was deleted meanwhile.")
    require_changeable(kept)
    return kept


def require_changeable(expense: Expense) -> None:
    """Raises NotChangeable for what was handed in."""
    if expense.workspace.needs_approval and Status(expense.status) not in CHANGEABLE:
        raise NotChangeable("It was handed in. Take it back first, then change it.")


def _what(fields: Collection[str]) -> str:
    return "Changed " + ", ".join(name.replace("_", " ") for name in fields)


def _record(verb: Verb, expense: Expense, by: User, **more: str | int) -> None:
    detail: dict[str, str | int | None] = {"workspace": expense.workspace.name, **more}
    audit.services.record(verb, actor=by, subject=str(expense.pk), detail=detail)
