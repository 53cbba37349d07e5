"""What people do with billing files: send one, have it stored, take it back, say who tells a month. Workers do the reading."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO

from django.db import transaction

import audit.services
from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts
from cloudconsole import realtime
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from costs import verbs
from costs.models import LIVE, CostImport, ImportedPeriod, ImportStatus, Owner, Part
from costs.services import anomalies, budget_evaluations, shelf, sources
from costs.services.billing import chunks, homes

RUN = "costs.run_import"
NO_ERROR = {"error_code": "", "error_detail": "", "error_remedy": ""}


class EmptyFile(CloudconsoleError):
    code = "file_empty"
    title = "The file is empty"


class NotNow(CloudconsoleError):
    """The import's state forbids it."""

    kind = Kind.CONFLICT
    code = "import_state"
    title = "This cannot be done with the import now"


class ForeignAccount(CloudconsoleError):
    kind = Kind.FORBIDDEN
    code = "permission_denied"
    title = "Not allowed"


@dataclass(frozen=True, slots=True)
class Received:
    """`created` is False when the same file is there already."""

    cost_import: CostImport
    created: bool


def receive(*, name: str, file: IO[bytes], by: User) -> Received:
    """Keep the file and have it read. The same bytes again find what they have become. Raises EmptyFile, ForeignAccount."""
    if not by.is_admin and not AwsAccount.objects.visible_to(by, Perm.COSTS_REFRESH).exists():
        raise ForeignAccount("Billing files are sent by those who may refresh an account's costs.")
    row = CostImport.objects.create(name=_name(name), requested_by=by)
    digest = hashlib.sha256()
    size = chunks.store(of=row, part=Part.FILE, pieces=_digested(file, digest))
    if size == 0:
        row.delete()
        raise EmptyFile("There is nothing in the file.", attr="file")
    with transaction.atomic():
        # Who sends the same file twice at once waits here, and then finds the first.
        User.objects.select_for_update().get(pk=by.pk)
        same = CostImport.objects.filter(digest=digest.hexdigest(), status__in=LIVE, requested_by=by).exclude(pk=row.pk).first()
        if same is not None:
            row.delete()
            return Received(same, created=False)
        CostImport.objects.filter(pk=row.pk).update(status=ImportStatus.RECEIVED, size=size, digest=digest.hexdigest())
        jobs.enqueue(RUN, import_id=row.pk)
        audit.services.record(verbs.IMPORT_RECEIVED, actor=by, subject=row.name, detail={"import": row.pk, "size": size})
    row.refresh_from_db()
    return Received(row, created=True)


def _name(name: str) -> str:
    """A file's name without what could lead anywhere or break a line."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in bare if sign.isprintable())[:200] or "billing file"


def _digested(file: IO[bytes], digest: hashlib._Hash) -> Iterator[bytes]:
    for piece in chunks.pieces_of(file):
        digest.update(piece)
        yield piece


def accept(*, cost_import: CostImport, by: User, keep: Collection[int] = ()) -> CostImport:
    """Have the file's figures stored. `keep`: the periods (by id) that Cost Explorer goes on telling.

    Raises NotNow, ForeignAccount.
    """
    with transaction.atomic():
        row = _locked(cost_import)
        if row.status != ImportStatus.READY:
            raise NotNow(f"It is {row.get_status_display().lower()}; only a file that waits for a decision can be stored.")
        periods = list(row.periods.all())
        if unknown := set(keep) - {period.pk for period in periods}:
            raise NotNow(f"The import has no period {min(unknown)}.")
        for period in periods:
            require(by, period)
        row.periods.filter(pk__in=keep).update(owner=Owner.COST_EXPLORER, decided_at=clock.now())
        _ring(row)
        audit.services.record(
            verbs.IMPORT_ACCEPTED,
            actor=by,
            subject=row.name,
            detail={"import": row.pk, "kept": len(set(keep)), "faulty": row.faulty},
        )
    row.refresh_from_db()
    return row


def _ring(row: CostImport) -> None:
    CostImport.objects.filter(pk=row.pk).update(
        status=ImportStatus.ACCEPTED, progress=0, attempts=0, **NO_ERROR, finished_at=None
    )
    realtime.publish("import", row.pk)
    jobs.enqueue(RUN, import_id=row.pk)


def accept_by_itself(row: CostImport) -> None:
    """Of a bucket that stores by itself: with the rights that who added it has now, and as people chose for its months before.

    What those rights do not cover waits for a person.
    """
    if row.bucket is None or not row.bucket.by_itself:
        return
    by = row.bucket.created_by
    if by is None or not by.is_active:
        _wait_for_a_person(row, "bucket_without_owner", "Who added the bucket is no longer here: somebody else has to decide.")
        return
    try:
        accept(cost_import=row, by=by, keep=kept_before(row))
    except ForeignAccount as error:
        _wait_for_a_person(row, error.code, error.detail)


def _wait_for_a_person(row: CostImport, code: str, detail: str) -> None:
    CostImport.objects.filter(pk=row.pk, status=ImportStatus.READY).update(error_code=code, error_detail=detail)


def kept_before(row: CostImport) -> list[int]:
    """The periods of a delivery whose months somebody gave back to Cost Explorer after an earlier delivery of its bucket."""
    earlier = ImportedPeriod.objects.filter(cost_import__bucket=row.bucket, cost_import__lt=row.pk).exclude(decided_at=None)
    newest: dict[tuple[str, date], str] = {}
    for number, month, owner in earlier.order_by("decided_at", "pk").values_list("number", "month", "owner"):
        newest[number, month] = owner
    given_back = {Owner.COST_EXPLORER.value, Owner.NOBODY.value}
    return [period.pk for period in row.periods.all() if newest.get((period.number, period.month)) in given_back]


def require(by: User, period: ImportedPeriod) -> None:
    """Who may refresh an account's costs may replace them; an account that is not known yet is added by admins."""
    source = homes.source_of(period.number)
    if source is not None:
        if not aws_accounts.may(by, source.account, Perm.COSTS_REFRESH):
            raise ForeignAccount(f"Your role on the account {period.number} does not allow this.")
    elif not by.may(Perm.ACCOUNTS_MANAGE):
        raise ForeignAccount(f"The account {period.number} is not known here; only admins can add it.")


@transaction.atomic
def discard(*, cost_import: CostImport, by: User) -> None:
    """Give up a file that was not stored. Raises NotNow."""
    row = _locked(cost_import)
    if row.status not in {ImportStatus.RECEIVED, ImportStatus.READY, ImportStatus.FAILED}:
        raise NotNow(f"It is {row.get_status_display().lower()}; what is stored is taken back instead.")
    if row.periods.owning().exists():
        raise NotNow("Its figures are shown. They can be taken back once the file has been read again.")
    CostImport.objects.filter(pk=row.pk).update(
        status=ImportStatus.DISCARDED, lease_token=None, lease_until=None, finished_at=clock.now()
    )
    chunks.remove(of=row)
    realtime.publish("import", row.pk)
    audit.services.record(verbs.IMPORT_DISCARDED, actor=by, subject=row.name, detail={"import": row.pk})


@transaction.atomic
def roll_back(*, cost_import: CostImport, by: User) -> CostImport:
    """Take the file's figures away; each month shows again what Cost Explorer told of it. Raises NotNow, ForeignAccount."""
    row = _locked(cost_import)
    if row.status != ImportStatus.COMMITTED:
        raise NotNow(f"It is {row.get_status_display().lower()}; only what is stored can be taken back.")
    sources.lock_all()
    for period in row.periods.select_related("source__account"):
        require(by, period)
        give_back(period, Owner.NOBODY)
    CostImport.objects.filter(pk=row.pk).update(status=ImportStatus.ROLLED_BACK, finished_at=clock.now())
    sources.settle_coverage()
    budget_evaluations.look_again()
    realtime.publish("import", row.pk)
    audit.services.record(verbs.IMPORT_ROLLED_BACK, actor=by, subject=row.name, detail={"import": row.pk})
    row.refresh_from_db()
    return row


def choose(*, period: ImportedPeriod, owner: Owner, by: User) -> None:
    """Say who tells the month. The file's figures are stored by a worker. Raises NotNow, ForeignAccount."""
    with transaction.atomic():
        row = _locked(period.cost_import)
        if row.status != ImportStatus.COMMITTED:
            raise NotNow("The choice is open once the file is stored.")
        require(by, period)
        if owner == Owner.COST_EXPLORER:
            sources.lock_all()
            give_back(period, Owner.COST_EXPLORER)
            sources.settle_coverage()
            budget_evaluations.look_again()
        else:
            row.periods.filter(pk=period.pk).exclude(owner=Owner.FILE).update(owner=Owner.UNDECIDED)
            _ring(row)
        detail: dict[str, str | int] = {"owner": str(Owner(owner).label), "month": f"{period.month:%Y-%m}", "import": row.pk}
        account = period.source.account if period.source else None
        audit.services.record(verbs.PERIOD_OWNER_CHANGED, actor=by, subject=row.name, account=account, detail=detail)


def give_back(period: ImportedPeriod, owner: Owner) -> None:
    """Take the period's figures away, if they are shown.

    Locks the source's months before it looks who tells this one: somebody else may just have decided, or a newer file come.
    """
    source = period.source
    if source is not None:
        shelf.months_of_files(source=source)
    now = ImportedPeriod.objects.select_for_update().get(pk=period.pk)
    if now.owner == Owner.NEWER_FILE:
        return
    if now.owner == Owner.FILE and source is not None:
        shelf.unshelve(source=source, month=now.month)
        anomalies.ring(source_id=source.pk)
    ImportedPeriod.objects.filter(pk=now.pk).update(owner=owner, decided_at=clock.now())


def _locked(cost_import: CostImport) -> CostImport:
    return CostImport.objects.select_for_update().get(pk=cost_import.pk)
