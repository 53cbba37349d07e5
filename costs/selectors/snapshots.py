"""Runs that fetch costs, as people follow them."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, QuerySet

from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts, hanging
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from costs.models import CostExplorerRequest, CostRestatement, CostSnapshot, SnapshotWindow, WindowStatus
from costs.models.snapshots import CostSnapshotQuerySet


class SnapshotNotFound(CloudconsoleError):
    """There is none, or none that the reader may see."""

    kind = Kind.NOT_FOUND
    code = "snapshot_not_found"
    title = "Not found"


def visible(user: User | AnonymousUser) -> CostSnapshotQuerySet:
    """Runs the reader may see, newest first, with their account and progress."""
    return _with_all(CostSnapshot.objects.visible_to(user, Perm.COSTS_VIEW))


def of_disconnected(user: User | AnonymousUser) -> CostSnapshotQuerySet:
    """Runs kept of accounts that are disconnected, newest first: for those who manage accounts."""
    gone = hanging.disconnected(user) if isinstance(user, User) else AwsAccount.objects.none()
    return _with_all(CostSnapshot.objects.filter(source__account__in=gone.order_by()))


def _with_all(runs: CostSnapshotQuerySet) -> CostSnapshotQuerySet:
    related = runs.with_progress().select_related("source__account", "source__covered_by__account", "requested_by")
    return related.order_by("-pk")


def get_for(user: User | AnonymousUser, pk: int, permission: Perm) -> CostSnapshot:
    """One run. Raises SnapshotNotFound, or NotAllowedHere when it may only be seen."""
    run = visible(user).filter(pk=pk).first() or of_disconnected(user).filter(pk=pk).first()
    if run is None:
        raise SnapshotNotFound("There is no such snapshot, or none that you may see.")
    if permission is not Perm.COSTS_VIEW and not CostSnapshot.objects.visible_to(user, permission).filter(pk=pk).exists():
        raise aws_accounts.not_allowed(run.source.account.alias)
    return run


def windows_of(run: CostSnapshot) -> QuerySet[SnapshotWindow]:
    """Its questions in the order in which they are asked."""
    return run.windows.select_related("tag")


def current_window(run: CostSnapshot) -> SnapshotWindow | None:
    """The question that a worker is at, or goes on with."""
    return run.windows.select_related("tag").filter(status=WindowStatus.WAITING).first() if run.is_open else None


@dataclass(frozen=True, slots=True)
class Cause:
    """Why windows of a run failed, and how many for this reason."""

    code: str
    detail: str
    windows: int


def causes_of(run: CostSnapshot) -> list[Cause]:
    """The different reasons for which windows failed, the most frequent first."""
    failed = run.windows.filter(status=WindowStatus.FAILED).order_by().values_list("error_code", "error_detail")
    counted = failed.annotate(count=Count("pk")).order_by("-count", "error_code")
    return [Cause(code, detail, count) for code, detail, count in counted]


def restatements_of(run: CostSnapshot) -> QuerySet[CostRestatement]:
    """Settled days whose total this run found changed."""
    return run.restatements.order_by("-day")


def ledger_of(run: CostSnapshot) -> QuerySet[CostExplorerRequest]:
    """Its requests to AWS, newest first."""
    return run.ledger.order_by("-pk")
