"""The same of many expenses at once, all or none: a change with the way back, or a step of approval."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final

from django.db import transaction

import audit.services
from accounts.models import User
from cloudconsole.core import clock, figures
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import Edit, Expense, ExpenseQuerySet, Workspace
from expenses.rules import wording
from expenses.rules.statuses import MemberRole
from expenses.selectors import workspaces
from expenses.selectors.workspaces import NotAllowed
from expenses.services import approvals, edits, inputs
from expenses.services.expenses import ExpenseChanged, require_changeable
from expenses.services.inputs import ExpenseRefused
from expenses.services.names import Names

# As many as one request changes in a few seconds, all or none.
MAX_ROWS: Final = 5_000
MAX_DECIDED: Final = 500  # each is locked, judged and told in the trail by itself

# Steps that need no word about the single expense, and what they are called when they are done.
STEPS: Final = {
    "submit": (approvals.submit, "Handed in"),
    "approve": (approvals.approve, "Approved"),
    "reimburse": (approvals.reimburse, "Noted as paid back"),
}


class TooMany(CloudconsoleError):
    kind = Kind.TOO_LARGE
    code = "too_many_expenses"
    title = "These are too many expenses at once"


class NothingChosen(CloudconsoleError):
    code = "nothing_chosen"
    title = "No expense is chosen"


@dataclass(frozen=True)
class Changes:
    """What every one of them gets. None: as it is; an empty text takes the value away. `category` is “Travel › Taxi”."""

    category: str | None = None
    payment_method: str | None = None
    payee: str | None = None
    location: str | None = None
    project: str | None = None
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()

    @property
    def touched(self) -> list[str]:
        """The fields of an expense that it may change."""
        plain = [one.name for one in fields(self) if one.name not in ("add_tags", "remove_tags")]
        return [
            *(name for name in plain if getattr(self, name) is not None),
            *(["tags"] if self.add_tags or self.remove_tags else []),
        ]


def change(*, found: ExpenseQuerySet, changes: Changes, by: User) -> Edit:
    """Change all of `found`, which `by` may see. Raises NothingChosen, TooMany, NotAllowed, NotChangeable, ExpenseRefused."""
    touched = changes.touched
    if not touched:
        raise NothingChosen("Say what is to be changed.")
    with transaction.atomic():
        rows, workspace = _locked(found, by)
        names = Names(workspace)
        edit = edits.remember(
            workspace=workspace, expenses=rows, fields=[*touched, "locked"], what=f"Changed {_told(touched)}", by=by
        )
        for one in rows:
            _apply(one, changes, names)
            one.locked = sorted({*one.locked, *touched})
        edits.save_all(rows, [*touched, "locked"])
        _record(edit, workspace, by, fields=_told(touched))
    return edit


def delete(*, found: ExpenseQuerySet, by: User) -> Edit:
    """Delete all of `found`. Raises NothingChosen, TooMany, NotAllowed, NotChangeable."""
    with transaction.atomic():
        rows, workspace = _locked(found, by)
        edit = edits.remember(workspace=workspace, expenses=rows, fields=["deleted_at"], what="Deleted", by=by)
        now = clock.now()
        for one in rows:
            one.deleted_at = now
        edits.save_all(rows, ["deleted_at"])
        _record(edit, workspace, by)
    return edit


def decide(*, found: ExpenseQuerySet, step: str, by: User, unchanged_since: datetime | None = None) -> int:
    """Take a step of `STEPS` with all of `found`, all or none; how many they are. Raises NothingChosen, TooMany, NotAllowed
    also for a decision about one's own, WrongState; ExpenseChanged for one that is not as it was when they were looked at.
    """
    take, _ = STEPS[step]
    with transaction.atomic():
        pks = _chosen(found, MAX_DECIDED)
        rows = list(
            Expense.objects.kept().filter(pk__in=pks).select_for_update(of=("self",)).select_related("workspace").order_by("pk")
        )
        if not rows:
            raise NothingChosen("Choose at least one expense.")
        for one in rows:
            which = f"{one.payee or one.description or 'One without a payee'}, {figures.day(one.date)}"
            if unchanged_since is not None and one.updated_at > unchanged_since:
                raise ExpenseChanged(f"{which}: it changed meanwhile. Look at it again.")
            try:
                take(expense=one, by=by)
            except (NotAllowed, approvals.WrongState) as error:
                raise type(error)(f"{which}: {error.detail}") from error
    return len(rows)


def _chosen(found: ExpenseQuerySet, most: int) -> list[uuid.UUID]:
    pks = list(found.order_by().values_list("pk", flat=True)[: most + 1])
    if len(pks) > most:
        raise TooMany(f"At most {most:,} are changed at once: narrow the filter.")
    return pks


def _locked(found: ExpenseQuerySet, by: User) -> tuple[list[Expense], Workspace]:
    pks = _chosen(found, MAX_ROWS)
    kept = Expense.objects.kept().select_for_update(of=("self",)).filter(pk__in=pks).with_names().order_by("pk")
    rows = list(kept)
    if not rows:
        raise NothingChosen("Choose at least one expense.")
    if len({one.workspace_id for one in rows}) > 1:
        raise ExpenseRefused("Choose expenses of one workspace.", attr="ids")
    _check_may(rows, by)
    return rows, rows[0].workspace


def _check_may(rows: Sequence[Expense], by: User) -> None:
    all_own = all(one.owner_id == by.pk for one in rows)
    workspaces.require(by, rows[0].workspace, MemberRole.CONTRIBUTOR if all_own else MemberRole.APPROVER)
    for one in rows:
        require_changeable(one)


def _apply(expense: Expense, changes: Changes, names: Names) -> None:
    given = inputs.fields_of(expense)
    category = given.category if changes.category is None else names.path(changes.category)
    method = given.payment_method if changes.payment_method is None else names.method(changes.payment_method)
    gone = {wording.key_of(tag) for tag in changes.remove_tags}
    expense.category, expense.payment_method = category, method
    for name in ("payee", "location", "project"):
        text = getattr(changes, name)
        if text is not None:
            setattr(expense, name, inputs.line(text, name))
    expense.tags = wording.tags_of([*(tag for tag in expense.tags if wording.key_of(tag) not in gone), *changes.add_tags])
    inputs.check_tags(expense.tags)
    inputs.derive(expense)


def _told(touched: Sequence[str]) -> str:
    return ", ".join(name.replace("_", " ") for name in touched)


def _record(edit: Edit, workspace: Workspace, by: User, **more: str) -> None:
    verb = verbs.EXPENSES_CHANGED if more else verbs.EXPENSES_DELETED
    detail: dict[str, str | int | None] = {"workspace": workspace.name, "count": edit.count, **more}
    audit.services.record(verb, actor=by, subject=str(edit.pk), detail=detail)
