"""Which tags costs are fetched by: listing what AWS knows, and choosing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q

import audit.services
from accounts.models import User
from accounts.services import credentials
from cloudconsole.aws import cost_tags
from cloudconsole.aws.cost_tags import AllocationTag
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import CostSource, SourceTag, TagKey, TagKind, TagStatus
from costs.models.tags import KEY_LENGTH
from costs.rules import windows
from costs.services import snapshots
from costs.services.billing import again
from costs.services.ledger import LedgerMeter
from costs.services.snapshots import Requested

# A member may not list the tags of its payer; a payer that may not list them may still be told which keys are in use.
_NOT_LISTED = frozenset({AwsErrorKind.ACCESS_DENIED, AwsErrorKind.NOT_ENABLED})


class UnknownTag(CloudconsoleError):
    """A misspelt key would be asked for every day, and paid for, without ever telling anything."""

    code = "unknown_tag"
    title = "AWS has not named this tag"


class InactiveTag(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "inactive_tag"
    title = "The tag is not active"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A key to be fetched. `by_account`: of a payer, also by account, which is a request more."""

    key: str
    by_account: bool = False


def refresh_list(*, source: CostSource, by: User) -> int:
    """Ask AWS which tags there are, and remember them; how many. One paid request, or two where only names are told.

    Raises AwsError, RequestCapReached, CoveredByPayer, or why there are no credentials.
    """
    snapshots.check_uncovered(source, by)
    access = credentials.access_for(source.account, None)
    told = _ask(source, access)
    with transaction.atomic():
        _remember(source, told)
        audit.services.record(
            verbs.TAGS_LISTED, actor=by, subject=source.account.alias, account=source.account, detail={"tags": len(told)}
        )
    return len(told)


def _ask(source: CostSource, access: Access) -> list[tuple[str, AllocationTag | None]]:
    try:
        found = cost_tags.allocation_tags(access, meter=LedgerMeter(source, cost_tags.LIST.name))
        return [(tag.key, tag) for tag in found]
    except AwsError as error:
        if error.cause not in _NOT_LISTED:
            raise
    days = windows.refresh(clock.today())
    keys = cost_tags.keys_in_use(access, days.start, days.end, meter=LedgerMeter(source, cost_tags.NAMES.name))
    return [(key, None) for key in keys]


def _remember(source: CostSource, told: Iterable[tuple[str, AllocationTag | None]]) -> None:
    """Sorted, so that two who remember the same keys never wait for each other."""
    now = clock.now()
    for key, tag in sorted(told, key=lambda one: one[0]):
        if len(key) <= KEY_LENGTH:
            SourceTag.objects.update_or_create(source=source, tag=key_called(key), defaults={"listed_at": now, **_described(tag)})


def _described(tag: AllocationTag | None) -> dict[str, object]:
    if tag is None:  # its costs carry it, so it is active
        return {"status": TagStatus.ACTIVE}
    return {
        "status": TagStatus.ACTIVE if tag.active else TagStatus.INACTIVE,
        "kind": TagKind.AWS if tag.made_by_aws else TagKind.USER,
        "last_updated_on": tag.last_updated_on,
        "last_used_on": tag.last_used_on,
    }


def key_called(key: str) -> TagKey:
    """The row of a key, whose cubes facts are stored in; made where it is new."""
    return TagKey.objects.get_or_create(key=key)[0]


def of_files() -> dict[int, str]:
    """The keys that billing files are read by, by number: those that somebody chose for any bill.

    What was chosen for Cost Explorer once stays, because files tell it for nothing.
    """
    told = SourceTag.objects.filter(Q(is_chosen=True) | Q(chosen_at__isnull=False, source__is_imported=False)).order_by()
    return dict(TagKey.objects.filter(in_sources__in=told).order_by("pk").values_list("pk", "key").distinct())


def found_in_file(*, source: CostSource, keys: Iterable[str]) -> None:
    """A billing file's lines carry these tags, so they can be chosen without asking AWS."""
    for key in sorted(key for key in keys if 0 < len(key) <= KEY_LENGTH):
        kind = TagKind.AWS if key.startswith("aws:") else TagKind.USER
        SourceTag.objects.get_or_create(source=source, tag=key_called(key), defaults={"kind": kind, "status": TagStatus.ACTIVE})


def stored_from_elsewhere(*, source: CostSource, key: str) -> TagKey:
    """For whoever stores costs by a tag that Cost Explorer did not tell, such as billing files: makes them readable.

    Store facts in `.cubes` of the answer; nothing is asked of AWS for it. What AWS is asked stays as people chose it.
    """
    tag = key_called(key)
    row, _ = SourceTag.objects.get_or_create(source=source, tag=tag)
    if not row.is_chosen or source.is_imported:
        SourceTag.objects.filter(pk=row.pk).update(by_account=True, chosen_at=row.chosen_at or clock.now())
    return tag


def choose(*, source: CostSource, wanted: Sequence[Wanted], by: User) -> Requested | None:
    """Fetch costs by exactly these tags from now on, and their history at once; the run that does, None where nothing is new.

    Billing files are read by them as well, those that are stored already once more. What was fetched of other tags stays
    readable. While another run is open, the next refresh brings the history.
    Raises UnknownTag, InactiveTag, CoveredByPayer, RequestCapReached.
    """
    snapshots.check_uncovered(source, by)
    by_key = {one.key: one for one in wanted}
    known = {row.tag.key: row for row in SourceTag.objects.filter(source=source).select_related("tag")}
    _check(by_key, known)
    with transaction.atomic():
        for key, row in known.items():
            _set(row, by_key.get(key), by)
        audit.services.record(
            verbs.TAGS_CHOSEN,
            actor=by,
            subject=source.account.alias,
            account=source.account,
            detail={"tags": ", ".join(sorted(by_key)) or "none"},
        )
        if by_key.keys() - {key for key, row in known.items() if row.is_chosen}:
            again.of_source(source=source, by=by)
        return None if source.is_imported else snapshots.request_history(source=source, by=by)


def _check(wanted: Mapping[str, Wanted], known: Mapping[str, SourceTag]) -> None:
    for key in sorted(wanted):
        if key not in known:
            raise UnknownTag(f"AWS has not named the tag “{key}” here. Refresh the list of tags first.", attr="tags")
        if known[key].status == TagStatus.INACTIVE and not known[key].is_chosen:
            raise InactiveTag(f"The tag “{key}” is not active: activate it in AWS's billing console first.", attr="tags")


def _set(row: SourceTag, wanted: Wanted | None, by: User) -> None:
    if wanted is None:
        if row.is_chosen:
            SourceTag.objects.filter(pk=row.pk).update(is_chosen=False)
        return
    if not row.is_chosen or row.by_account != wanted.by_account:
        changes = {"is_chosen": True, "by_account": wanted.by_account or (row.by_account and not row.is_chosen)}
        SourceTag.objects.filter(pk=row.pk).update(**changes, chosen_by=by, chosen_at=clock.now())
