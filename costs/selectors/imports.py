"""Billing files as people follow them: what is in each, what storing it would replace, and who tells which month."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.selectors import aws_accounts
from accounts.selectors.aws_accounts import NotAllowedHere
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.money import EXACT
from cloudconsole.core.permissions import Perm
from costs.models import (
    BillingBucket,
    CostImport,
    CostMonthSlice,
    CostSource,
    ImportedPeriod,
    ImportRejection,
    ImportStatus,
    Owner,
)
from costs.models.imports import BillingBucketQuerySet, CostImportQuerySet
from costs.rules.cubes import ASIDE, Cube


class ImportNotFound(CloudconsoleError):
    """There is none, or none that the reader may see."""

    kind = Kind.NOT_FOUND
    code = "import_not_found"
    title = "Not found"


class BucketNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "billing_bucket_not_found"
    title = "Not found"


def visible(user: User | AnonymousUser) -> CostImportQuerySet:
    """Files the reader may know of, newest first."""
    found = CostImport.objects.visible_to(user, Perm.COSTS_VIEW).exclude(status=ImportStatus.RECEIVING)
    return found.select_related("bucket__account", "requested_by").order_by("-pk")


def get_for(user: User | AnonymousUser, pk: int, permission: Perm = Perm.COSTS_VIEW) -> CostImport:
    """Raises ImportNotFound, or NotAllowedHere when it may only be seen."""
    row = visible(user).filter(pk=pk).first()
    if row is None:
        raise ImportNotFound("There is no such import, or none that you may see.")
    if not CostImport.objects.visible_to(user, permission).filter(pk=pk).exists():
        raise NotAllowedHere("Your role on this file's accounts does not allow this.")
    return row


def sees_whole(user: User | AnonymousUser, row: CostImport) -> bool:
    """Whether all that is in the file is for the reader: who sent it, admins, and those who see the bucket's account."""
    if isinstance(user, User) and (user.is_admin or row.requested_by_id == user.pk):
        return True
    return row.bucket is not None and BillingBucket.objects.visible_to(user, Perm.COSTS_VIEW).filter(pk=row.bucket.pk).exists()


def only_parts(user: User | AnonymousUser, rows: Iterable[CostImport]) -> frozenset[int]:
    """Those of `rows` of which the reader sees only some accounts: what is told of the whole file is not for them."""
    found = list(rows)
    buckets_seen = set(BillingBucket.objects.visible_to(user, Perm.COSTS_VIEW).values_list("pk", flat=True))
    is_admin = isinstance(user, User) and user.is_admin
    return frozenset(row.pk for row in found if not (is_admin or row.requested_by_id == user.pk or row.bucket_id in buckets_seen))


@dataclass(frozen=True, slots=True)
class Beside:
    """A period of a file next to what Cost Explorer tells of the same month; None where it tells nothing, or not the whole."""

    period: ImportedPeriod
    cost_explorer: Decimal | None
    days: int
    replaces: ImportedPeriod | None

    @property
    def difference(self) -> Decimal | None:
        return None if self.cost_explorer is None else EXACT.subtract(self.period.unblended, self.cost_explorer)


def periods_of(user: User | AnonymousUser, row: CostImport) -> list[Beside]:
    """The file's periods of accounts that the reader may see, each beside what it replaces or would replace."""
    periods = list(_periods(user, row).select_related("source__account"))
    sources = _sources(user, periods)
    told = _told(sources.values(), [period.month for period in periods])
    others = _others(row, sources.values())
    return [_beside(period, sources.get(period.number), told, others) for period in periods]


def _periods(user: User | AnonymousUser, row: CostImport) -> QuerySet[ImportedPeriod]:
    if sees_whole(user, row):
        return row.periods.all()
    return row.periods.filter(source__in=CostSource.objects.visible_to(user, Perm.COSTS_VIEW))


def _sources(user: User | AnonymousUser, periods: Sequence[ImportedPeriod]) -> dict[str, CostSource]:
    """Whoever sends a file may name any account in it, and learns nothing of those that they may not see."""
    numbers = {period.number for period in periods}
    seen = CostSource.objects.visible_to(user, Perm.COSTS_VIEW)
    found = seen.filter(account__account_id__in=numbers, account__deleted_at=None).select_related("account")
    return {source.account.account_id: source for source in found}


def counted_since(user: User | AnonymousUser, row: CostImport) -> list[CostSource]:
    """Accounts that the reader sees, that are in another's part of the stored file, and that count by themselves by now.

    Reading the file again takes them out of that part.
    """
    owning = [period for period in _periods(user, row) if period.owner == Owner.FILE]
    held = {number for period in owning for number in period.accounts if number != period.number}
    seen = CostSource.objects.visible_to(user, Perm.COSTS_VIEW).counted_by_themselves().filter(account__account_id__in=held)
    return list(seen.select_related("account").order_by("account__alias"))


_Told = dict[tuple[int, date, bool], tuple[Decimal, int, str]]


def _told(sources: Iterable[CostSource], months: Sequence[date]) -> _Told:
    totals = Q(cube=Cube.TOTAL) | Q(cube=Cube.TOTAL + ASIDE)
    rows = CostMonthSlice.objects.filter(totals, source__in=list(sources), month__in=months)
    return {(row.source_id, row.month, row.cube == Cube.TOTAL + ASIDE): (row.unblended, row.days, row.currency) for row in rows}


def _others(row: CostImport, sources: Iterable[CostSource]) -> dict[tuple[int, date], ImportedPeriod]:
    owning = ImportedPeriod.objects.owning().filter(source__in=list(sources)).exclude(cost_import=row)
    return {(period.source_id or 0, period.month): period for period in owning.select_related("cost_import")}


def _beside(
    period: ImportedPeriod, source: CostSource | None, told: _Told, others: dict[tuple[int, date], ImportedPeriod]
) -> Beside:
    if source is None:
        return Beside(period, None, 0, None)
    other = others.get((source.pk, period.month))
    of_file = other is not None or period.owner == Owner.FILE
    amount, days, currency = told.get((source.pk, period.month, of_file), (None, 0, ""))
    return Beside(period, amount if currency == period.currency else None, days, other)


def rejections_of(user: User | AnonymousUser, row: CostImport) -> QuerySet[ImportRejection]:
    """The file's faulty lines, for those who may see all of it."""
    return row.rejections.all() if sees_whole(user, row) else row.rejections.none()


def owned(user: User | AnonymousUser) -> QuerySet[ImportedPeriod]:
    """Months whose figures a file tells, newest first."""
    sources = CostSource.objects.visible_to(user, Perm.COSTS_VIEW)
    periods = ImportedPeriod.objects.owning().filter(source__in=sources).select_related("source__account", "cost_import")
    return periods.order_by("-month", "source__account__alias")


def buckets(user: User | AnonymousUser, permission: Perm = Perm.COSTS_VIEW) -> BillingBucketQuerySet:
    return BillingBucket.objects.visible_to(user, permission).select_related("account")


def bucket_for(user: User | AnonymousUser, pk: int, permission: Perm) -> BillingBucket:
    """Raises BucketNotFound."""
    bucket = buckets(user).filter(pk=pk).first()
    if bucket is None:
        raise BucketNotFound("There is no such billing bucket, or none that you may see.")
    if not buckets(user, permission).filter(pk=pk).exists():
        raise aws_accounts.not_allowed(bucket.account.alias)
    return bucket


def period_for(user: User | AnonymousUser, row: CostImport, pk: int) -> ImportedPeriod:
    """Raises ImportNotFound."""
    period = _periods(user, row).filter(pk=pk).select_related("cost_import", "source__account").first()
    if period is None:
        raise ImportNotFound("The import has no such period, or none that you may see.")
    return period
