"""Accounts that only hold what billing files tell: known by their number, without credentials, asked of nothing."""

from __future__ import annotations

from django.db import transaction

from accounts.models import FILES_ONLY, AuthMethod, AwsAccount, User
from audit import services as audit
from audit import verbs
from cloudconsole import realtime


@transaction.atomic
def hold(*, number: str, by: User | None) -> AwsAccount:
    """The account of this number; where none is known, one that waits for credentials and holds figures until then."""
    known = AwsAccount.objects.filter(account_id=number, deleted_at=None).first()
    if known is not None:
        return known
    account = AwsAccount.objects.create(
        alias=_free_alias(number),
        account_id=number,
        auth_method=AuthMethod.ACCESS_KEY,
        status_code=FILES_ONLY,
        status_detail="It holds what billing files tell; no credentials are stored, and AWS is asked nothing.",
        status_remedy="Give it credentials to have Cost Explorer asked as well.",
        created_by=by,
    )
    realtime.publish("account", account.pk, account.pk)
    audit.record(verbs.ACCOUNT_HELD, actor=by, account=account)
    return account


def _free_alias(number: str) -> str:
    """ "bill-" and the number, unless somebody has called another account that."""
    alias, count = f"bill-{number}", 1
    while AwsAccount.objects.filter(alias__iexact=alias, deleted_at=None).exists():
        count += 1
        alias = f"bill-{number}-{count}"
    return alias
