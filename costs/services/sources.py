"""The sources of cost facts: which accounts are asked, whose bill each tells, and who is read from a payer instead."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Q

import audit.services
from accounts.models import AwsAccount, User
from cloudconsole.aws import organizations
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock
from costs import verbs
from costs.models import FETCHED_BY_ITSELF, BillingScope, CostMonth, CostSource, SourceStatus, SourceTag
from costs.rules import coverage, schedule
from costs.rules.cubes import Cube
from costs.selectors import scope

CAPABILITY = "costs"

WORKING = (SourceStatus.OK, SourceStatus.STALE, SourceStatus.PARTIAL)


def ensure() -> int:
    """Make the missing source of every account that may ask for costs; the number of new ones."""
    without = AwsAccount.objects.filter(deleted_at=None, cost_source=None).exclude(account_id="")
    new = [CostSource(account=account) for account in without if CAPABILITY in account.capabilities]
    CostSource.objects.bulk_create(new, ignore_conflicts=True)
    _ask_again()
    return len(new)


def _ask_again() -> None:
    """An account that only held billing files and has credentials for costs by now is asked like any other."""
    held = CostSource.objects.filter(is_imported=True, account__deleted_at=None).select_related("account")
    able = [source.pk for source in held if CAPABILITY in source.account.capabilities]
    if able:
        CostSource.objects.filter(pk__in=able).update(is_imported=False, backfilled_from=None, status=SourceStatus.PENDING)
        # By these tags files were read for nothing; asking AWS by them costs, so people choose anew.
        SourceTag.objects.filter(source__in=able).update(is_chosen=False)


def learn_scope(*, source: CostSource, access: Access) -> None:
    """Ask Organizations whose bill this is. Best effort: who may not ask stays unknown until facts tell."""
    try:
        organization = organizations.describe(access)
    except AwsError:
        return
    payer = organization.management_account_id if organization else ""
    if not payer:
        scope = BillingScope.STANDALONE
    else:
        scope = BillingScope.PAYER if payer == source.account.account_id else BillingScope.MEMBER
    source.scope, source.payer_number = scope, payer
    CostSource.objects.filter(pk=source.pk).update(scope=scope, payer_number=payer)


def infer_scope(source: CostSource) -> None:
    """Facts of more than one account are a payer's, whatever Organizations would not say."""
    others = CostMonth.objects.filter(source=source, cube=Cube.ACCOUNT_RECORD_TYPE).exclude(
        first__value=source.account.account_id
    )
    if source.scope == BillingScope.UNKNOWN and others.exists():
        CostSource.objects.filter(pk=source.pk).update(scope=BillingScope.PAYER)


@transaction.atomic
def settle_coverage() -> None:
    """Decide anew who is read from a payer. One transaction, so that no answer counts an account twice or not at all."""
    sources = lock_all()
    facts = [_facts_of(source) for source in sources.values()]
    for pk, payer in coverage.covered_by(facts, _others_billed(sources)).items():
        source = sources[pk]
        if source.covered_by_id != payer:
            _cover(source, payer)


def lock(numbers: Collection[str]) -> None:
    """The sources of these account numbers, in the order of ids. Call inside a transaction that will write several of them."""
    of_accounts = CostSource.objects.filter(account__account_id__in=numbers, account__deleted_at=None)
    list(of_accounts.select_for_update(of=("self",)).order_by("pk").values_list("pk"))


def lock_all() -> dict[int, CostSource]:
    """Every source by its id, locked in the order of ids. Call inside a transaction, before it writes any single source."""
    rows = CostSource.objects.select_related("account").select_for_update(of=("self",)).order_by("pk")
    return {source.pk: source for source in rows}


def _cover(source: CostSource, payer: int | None) -> None:
    changes: dict[str, object] = {"covered_by_id": payer}
    if payer is not None:
        changes |= {"status": SourceStatus.COVERED, "status_code": "", "status_detail": "", "status_remedy": ""}
    elif source.status == SourceStatus.COVERED:
        # Its own figures, if it has any, are old: the next tick asks.
        status = SourceStatus.STALE if source.fresh_at else SourceStatus.PENDING
        changes |= {"status": status, "next_refresh_at": clock.now()}
    CostSource.objects.filter(pk=source.pk).update(**changes)


def _facts_of(source: CostSource) -> coverage.Source:
    return coverage.Source(
        pk=source.pk,
        number=source.account.account_id,
        payer_number=source.payer_number,
        # What billing files told of an account covers nobody: a member's part of them is stored as its own.
        connected=source.account.deleted_at is None and not source.is_imported,
        works=source.status in WORKING,
        has_history=source.backfilled_from is not None,
    )


def _others_billed(sources: dict[int, CostSource]) -> dict[int, frozenset[str]]:
    """For each source, the other account numbers that its facts name."""
    numbers = {pk: source.account.account_id for pk, source in sources.items()}
    return {pk: found - {numbers[pk]} for pk, found in scope.numbers_billed(sources.values(), numbers.values()).items()}


def mark_stale(now: datetime) -> int:
    """Say of sources that were up to date and have not been refreshed for too long that they no longer are."""
    old = CostSource.objects.filter(status=SourceStatus.OK, is_imported=False, fresh_at__lt=now - schedule.STALE_AFTER)
    return old.update(
        status=SourceStatus.STALE,
        status_code="not_refreshed",
        status_detail="The figures have not been refreshed for a while.",
        status_remedy="See whether worker and scheduler run.",
    )


def due(now: datetime) -> list[CostSource]:
    """Connected sources whose refresh is due. A covered one is asked only while its payer does not work."""
    never = Q(next_refresh_at=None)
    connected = CostSource.objects.filter(account__deleted_at=None).select_related("account")
    return list(connected.filter(FETCHED_BY_ITSELF, never | Q(next_refresh_at__lte=now)).order_by("pk"))


@transaction.atomic
def set_cap(*, source: CostSource, cap: int | None, by: User) -> None:
    """Change how many paid requests a month the source may make; None is the installation's cap."""
    CostSource.objects.filter(pk=source.pk).update(monthly_request_cap=cap)
    audit.services.record(verbs.CAP_CHANGED, actor=by, subject=source.account.alias, account=source.account, detail={"cap": cap})
