"""Whose figures a billing file's charges become: the payer's, but for linked accounts that are counted by themselves.

A linked account with its own history counts by itself, so its part of a payer's file is stored as its own. Then no file names an
account that another source tells, and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Collection

from accounts.models import User
from accounts.services import held
from costs.models import BillingScope, CostSource, SourceStatus


def counted_by_themselves(numbers: Collection[str]) -> frozenset[str]:
    """Those of the accounts whose own Cost Explorer is read and counted."""
    own = CostSource.objects.counted_by_themselves().filter(account__account_id__in=numbers)
    return frozenset(own.values_list("account__account_id", flat=True))


def source_of(number: str) -> CostSource | None:
    """The source that holds the account's figures, if there is one."""
    return CostSource.objects.filter(account__account_id=number, account__deleted_at=None).select_related("account").first()


def source_for(*, number: str, accounts: Collection[str], by: User | None) -> CostSource:
    """The same, made where the account is not known yet: a record without credentials that only holds billing files."""
    known = source_of(number)
    if known is not None:
        return known
    account = held.hold(number=number, by=by)
    scope = BillingScope.PAYER if set(accounts) - {number} else BillingScope.UNKNOWN
    asked = "costs" in account.capabilities
    source, _ = CostSource.objects.get_or_create(
        account=account, defaults={"is_imported": not asked, "scope": scope, "status": SourceStatus.PENDING}
    )
    return source
