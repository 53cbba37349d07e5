"""Imports and their rows, for whoever may see their workspace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Case, Count, Exists, IntegerField, OuterRef, Q, QuerySet, Value, When

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from expenses.models import BatchStatus, Expense, ImportBatch, ImportMapping, ImportRow, Outcome
from expenses.rules.importing.verdicts import TAKEABLE, TAKEN_BY_ITSELF, Decision, Verdict
from expenses.rules.statuses import MemberRole
from expenses.selectors import workspaces

CONFLICTS_SHOWN = 200


class ImportNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "import_not_found"
    title = "Not found"


# Of these rows a commit makes or changes an expense.
TAKEN = Q(decision=Decision.OPEN, verdict__in=[one.value for one in TAKEN_BY_ITSELF]) | Q(
    decision=Decision.TAKE, verdict__in=[one.value for one in TAKEABLE]
)


def visible(user: User) -> QuerySet[ImportBatch]:
    """The imports of the workspaces that `user` sees, newest first."""
    sent = ImportBatch.objects.visible_to(user, Perm.SELF).exclude(status=BatchStatus.RECEIVING)
    return sent.select_related("workspace", "owner")


def get_for(user: User, pk: int) -> ImportBatch:
    """Raises ImportNotFound also for one whose workspace `user` is not in."""
    found = visible(user).filter(pk=pk).first()
    if found is None:
        raise ImportNotFound("There is no import with this number.")
    return found


def get_to_change(user: User, pk: int) -> ImportBatch:
    """One's own as a contributor, those of others as an approver. Raises ImportNotFound, NotAllowed."""
    batch = get_for(user, pk)
    needed = MemberRole.CONTRIBUTOR if batch.owner_id == user.pk else MemberRole.APPROVER
    workspaces.require(user, batch.workspace, needed)
    return batch


def may_change(user: User, batch: ImportBatch) -> bool:
    needed = MemberRole.CONTRIBUTOR if batch.owner_id == user.pk else MemberRole.APPROVER
    return workspaces.may(user, batch.workspace, needed)


def mappings(user: User) -> QuerySet[ImportMapping]:
    """How files are read, as it was confirmed in the workspaces that `user` sees."""
    return ImportMapping.objects.visible_to(user, Perm.SELF).select_related("workspace")


def mapping_for(user: User, pk: int) -> ImportMapping:
    """To be forgotten. Raises ImportNotFound, NotAllowed."""
    found = mappings(user).filter(pk=pk).first()
    if found is None:
        raise ImportNotFound("There is no saved mapping with this number.")
    workspaces.require(user, found.workspace, MemberRole.CONTRIBUTOR)
    return found


def rows(batch: ImportBatch, verdicts: Iterable[str] = ()) -> QuerySet[ImportRow]:
    """In the order of the file; with `verdicts` only those."""
    wanted = list(verdicts)
    found = ImportRow.objects.filter(batch=batch).order_by("number")
    return found.filter(verdict__in=wanted) if wanted else found


def with_action(found: QuerySet[ImportRow]) -> QuerySet[ImportRow]:
    """With `is_taken`: 1 for rows that a commit makes or changes an expense of."""
    return found.annotate(is_taken=Case(When(TAKEN, then=Value(1)), default=Value(0), output_field=IntegerField()))


def matches(found: Sequence[ImportRow]) -> dict[UUID, Expense]:
    """The expenses that these rows are or may be, by their ids; deleted ones are not among them."""
    wanted = {row.match for row in found if row.match}
    return {one.pk: one for one in Expense.objects.kept().filter(pk__in=wanted).select_related("payment_method")}


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a commit would make expenses of, how many expenses it would change, and how many wait for a decision."""

    to_create: int
    to_update: int
    undecided: int


def tally(batch: ImportBatch) -> Tally:
    """Rows without a decision are counted already; only those with one are looked at."""
    decided = ImportRow.objects.filter(batch=batch).exclude(decision=Decision.OPEN)
    found = {
        (verdict, decision): n for verdict, decision, n in decided.values_list("verdict", "decision").annotate(n=Count("pk"))
    }

    def with_decision(verdict: Verdict, decision: Decision) -> int:
        return int(found.get((verdict.value, decision.value), 0))

    by_itself = sum(batch.count(one) - with_decision(one, Decision.LEAVE) for one in TAKEN_BY_ITSELF)
    by_choice = sum(with_decision(one, Decision.TAKE) for one in TAKEABLE - TAKEN_BY_ITSELF - {Verdict.CHANGED})
    waiting = (Verdict.NEAR, Verdict.CHANGED)
    decided_of = sum(with_decision(one, choice) for one in waiting for choice in (Decision.TAKE, Decision.LEAVE))
    return Tally(
        to_create=by_itself + by_choice,
        to_update=with_decision(Verdict.CHANGED, Decision.TAKE),
        undecided=sum(batch.count(one) for one in waiting) - decided_of,
    )


def not_imported(batch: ImportBatch) -> QuerySet[ImportRow]:
    """Rows that did not become an expense, with the reason."""
    return rows(batch).filter(~TAKEN | Q(verdict=Verdict.INVALID))


def not_imported_cells(batch: ImportBatch) -> Iterator[list[object]]:
    """The same as lines of a table: number, verdict, reason, and what stands in the file."""
    columns: list[str] = batch.columns
    for row in not_imported(batch).iterator(chunk_size=1000):
        yield [row.number, row.verdict, row.reason, *(row.raw.get(name, "") for name in columns)]


def made(batch: ImportBatch) -> QuerySet[ImportRow]:
    """Rows whose expense this import made or changed."""
    return ImportRow.objects.filter(batch=batch, outcome__in=[Outcome.CREATED, Outcome.UPDATED])


def conflicts(batch: ImportBatch) -> QuerySet[Expense]:
    """Expenses that the import made or changed and somebody edited since: taking it back leaves them unless told otherwise."""
    given = made(batch).filter(expense=OuterRef("pk"))
    later = Expense.objects.kept().filter(Exists(given.filter(revision__lt=OuterRef("revision"))))
    return later.filter(pk__in=made(batch).values("expense")).with_names().newest_first()
