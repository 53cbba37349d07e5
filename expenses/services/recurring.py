"""Expenses that come again: keeping series, and making what is due, once, however late and however many look."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from django.db import transaction

import audit.services
from accounts.alerts import Severity
from accounts.models import User
from accounts.services import notifications
from audit.verbs import Verb
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError
from expenses import alerts, verbs
from expenses.models import Expense, RecurringExpense, Workspace
from expenses.rules import recurrence
from expenses.rules.recurrence import RecurrenceRefused
from expenses.rules.statuses import MemberRole
from expenses.selectors import workspaces
from expenses.services import categorising, inputs
from expenses.services.expenses import RECURRING, build, insert
from expenses.services.inputs import ExpenseInput
from expenses.services.names import Names

RUN: Final = "expenses.run_series"
# As many as one transaction makes of one series; the rest follows at once.
AT_ONCE: Final = 200
# So long workers may be busy, or away, before somebody is told that a series makes nothing.
PATIENCE: Final = timedelta(minutes=15)
_DAY: Final = timedelta(days=1)


class SeriesRefused(CloudconsoleError):
    code = "recurrence_refused"
    title = "The series cannot be like that"


def create(*, workspace: Workspace, given: ExpenseInput, rrule: str, by: User) -> RecurringExpense:
    """A series of `by` whose first day is the first of the rule from `given.date` on. Of days that are past the first ones are
    entered at once, a long past by a worker.

    Raises SeriesRefused, ExpenseRefused, NameRefused, NotAllowed.
    """
    workspaces.require(by, workspace, MemberRole.CONTRIBUTOR)
    with transaction.atomic():
        series = RecurringExpense(workspace=workspace, owner=by)
        _write(series, given, rrule)
        series.next_on = recurrence.first_on(series.rrule, series.start, series.start)
        if series.next_on is None:
            raise SeriesRefused("This rule has no day after its start.", attr="rrule")
        series.save()
        _record(verbs.RECURRING_MADE, series, by)
    _begin(series.pk)
    series.refresh_from_db()
    return series


def change(*, series: RecurringExpense, given: ExpenseInput, rrule: str, by: User) -> RecurringExpense:
    """What comes from now on; what was made stays as it is. Raises what `create` raises."""
    _require(series, by)
    with transaction.atomic():
        kept = _locked(series.pk)
        made_until = kept.expenses.order_by("-occurrence").values_list("occurrence", flat=True).first()
        _write(kept, given, rrule)
        after = max(kept.start, made_until + _DAY) if made_until else kept.start
        kept.next_on = recurrence.first_on(kept.rrule, kept.start, after)
        kept.save()
        _record(verbs.RECURRING_CHANGED, kept, by)
    _begin(kept.pk)
    kept.refresh_from_db()
    return kept


def pause(*, series: RecurringExpense, paused: bool, by: User) -> RecurringExpense:
    """While it is paused nothing is made; days that pass meanwhile are left out when it goes on. Raises NotAllowed."""
    _require(series, by)
    with transaction.atomic():
        kept = _locked(series.pk)
        if kept.is_paused and not paused:
            kept.next_on = recurrence.first_on(kept.rrule, kept.start, max(clock.today(), kept.next_on or clock.today()))
        kept.is_paused = paused
        kept.save(update_fields=["is_paused", "next_on", "updated_at"])
        _record(verbs.RECURRING_CHANGED, kept, by)
    return kept


def delete(*, series: RecurringExpense, by: User) -> None:
    """End it; the expenses that it made stay. Raises NotAllowed."""
    _require(series, by)
    with transaction.atomic():
        _record(verbs.RECURRING_DELETED, series, by)
        RecurringExpense.objects.filter(pk=series.pk).delete()


def tick() -> None:
    """Ring for every series that is due: each is made in a job of its own, so one that fails holds up no other.

    Of one that was rung for in vain for `PATIENCE` its owner is told, once for each day that it should have made.
    """
    now = clock.now()
    due = RecurringExpense.objects.due(clock.today())
    due.filter(rung_at=None).update(rung_at=now)
    for pk in due.values_list("pk", flat=True):
        jobs.enqueue(RUN, series_id=pk)
    for series in due.filter(rung_at__lte=now - PATIENCE).select_related("owner", "workspace"):
        _announce(series)


def _announce(series: RecurringExpense) -> None:
    if workspaces.may(series.owner, series.workspace, MemberRole.CONTRIBUTOR):
        why = "It is tried again every minute. What went wrong is in the log of the worker; change the series, or end it."
    else:
        why = f"You may add nothing to {series.workspace.name} any more. Ask its owner, or let the series be ended."
    notifications.announce(
        kind=alerts.RECURRING_FAILED,
        severity=Severity.WARNING,
        key=f"expenses.recurring/{series.pk}/{series.next_on}",
        title=f"{series.payee or series.description or 'A recurring expense'} of {series.next_on} could not be entered",
        lines=[why],
        path=f"/expenses/recurring?workspace={series.workspace_id}",
        person=series.owner,
    )


def _begin(pk: int) -> None:
    """Nobody waits for more than one step: “daily since 1970” is twenty thousand expenses."""
    if _step(pk) == AT_ONCE:
        jobs.enqueue(RUN, series_id=pk)


def run(*, pk: int) -> int:
    """Every day of the series that is due and has no expense yet gets one. Returns how many were made."""
    made = 0
    while count := _step(pk):
        made += count
    return made


def _step(pk: int) -> int:
    """The next few, in one transaction under the lock of the series: two workers at once make each day once."""
    with transaction.atomic():
        series = RecurringExpense.objects.select_for_update().filter(pk=pk, is_paused=False).first()
        today = clock.today()
        if series is None or series.next_on is None or series.next_on > today:
            return 0
        if not workspaces.may(series.owner, series.workspace, MemberRole.CONTRIBUTOR):
            return 0  # whoever may add nothing by hand any more adds nothing by a series
        days = recurrence.due(series.rrule, series.start, first=series.next_on, last=today, at_most=AT_ONCE)
        known = set(Expense.objects.filter(recurring=series, occurrence__in=days).values_list("occurrence", flat=True))
        made = _made(series, [day for day in days if day not in known])
        series.next_on = recurrence.first_on(series.rrule, series.start, days[-1] + _DAY) if days else None
        series.last_run_at, series.rung_at = clock.now(), None
        series.save(update_fields=["next_on", "last_run_at", "rung_at", "updated_at"])
        if made:
            _tell(series, made)
    return len(days)


def _made(series: RecurringExpense, days: list[date]) -> int:
    names, given = Names(series.workspace), inputs.input_of(series)
    made = [build(names=names, given=replace(given, date=day), owner=series.owner, source=RECURRING) for day in days]
    for one in made:
        one.recurring, one.occurrence = series, one.date
    categorising.fill_in(made, series.workspace, names=names)
    insert(made)
    return len(made)


def _tell(series: RecurringExpense, made: int) -> None:
    with audit.services.by_itself("Recurring expenses"):
        detail: dict[str, str | int | None] = {"workspace": series.workspace.name, "count": made}
        audit.services.record(verbs.RECURRING_RAN, actor=None, subject=str(series.pk), detail=detail)


def _write(series: RecurringExpense, given: ExpenseInput, rrule: str) -> None:
    try:
        series.rrule = recurrence.checked(rrule)
    except RecurrenceRefused as error:
        raise SeriesRefused(str(error), attr="rrule") from error
    fields = inputs.check(given, Names(series.workspace))
    for name in inputs.EDITABLE:
        if name != "date":
            setattr(series, name, getattr(fields, name))
    series.tags, series.start = list(fields.tags), fields.date


def _locked(pk: int) -> RecurringExpense:
    found = RecurringExpense.objects.select_for_update().filter(pk=pk).first()
    if found is None:
        raise SeriesRefused("The series was deleted meanwhile.")
    return found


def _require(series: RecurringExpense, by: User) -> None:
    needed = MemberRole.CONTRIBUTOR if series.owner_id == by.pk else MemberRole.APPROVER
    workspaces.require(by, series.workspace, needed)


def _record(verb: Verb, series: RecurringExpense, by: User) -> None:
    detail: dict[str, str | int | None] = {"workspace": series.workspace.name}
    audit.services.record(verb, actor=by, subject=str(series.pk), detail=detail)
