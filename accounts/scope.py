"""The accounts a page is narrowed to, as its address says: `account=` (id, alias or number) and `environment=`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from accounts.models import AwsAccount, Environment, User
from accounts.selectors import aws_accounts
from accounts.services.inputs import InvalidInput
from cloudconsole.core.permissions import Perm


@dataclass(frozen=True)
class Scope:
    """`accounts` are those the reader may see with the permission asked for; `narrowed` when the address chose some."""

    accounts: tuple[AwsAccount, ...]
    narrowed: bool


def of(user: User, query: QueryDict, permission: Perm) -> Scope:
    """Raises UnknownAccount or NotAllowedHere for an account in `query`, InvalidInput for an unknown environment."""
    return _narrowed(aws_accounts.accounts_in_scope(user, permission, query.getlist("account")), query)


def among(accounts: Sequence[AwsAccount], query: QueryDict) -> Scope:
    """The same from accounts that have been read already: those the reader may see."""
    names = query.getlist("account")
    return _narrowed(aws_accounts.among(accounts, names) if names else accounts, query)


def _narrowed(accounts: Sequence[AwsAccount], query: QueryDict) -> Scope:
    names, environments = query.getlist("account"), query.getlist("environment")
    if unknown := set(environments) - set(Environment.values):
        raise InvalidInput(f"There is no environment called “{sorted(unknown)[0][:32]}”.", attr="environment")
    chosen = (account for account in accounts if not environments or account.environment in environments)
    return Scope(tuple(chosen), bool(names or environments))
