"""Reading AWS accounts: always through what the reader may see."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q

from accounts.models import AwsAccount, CapabilityCheck, User
from accounts.models.aws_account import AwsAccountQuerySet
from accounts.rules import identifiers
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm


class AccountNotFound(CloudconsoleError):
    """There is none, or none that the reader may see: nobody can tell which."""

    kind = Kind.NOT_FOUND
    code = "account_not_found"
    title = "Not found"


class UnknownAccount(CloudconsoleError):
    """A scope named an account that the reader does not have."""

    code = "unknown_account"
    title = "The scope names an unknown account"


class NotAllowedHere(CloudconsoleError):
    """The account may be seen, but this may not be done to it."""

    kind = Kind.FORBIDDEN
    code = "permission_denied"
    title = "Not allowed"


def visible(user: User) -> AwsAccountQuerySet:
    """The accounts `user` may see, with their hub, by alias."""
    return AwsAccount.objects.visible_to(user, Perm.ACCOUNTS_VIEW).select_related("hub").order_by("alias")


def get_for(user: User, reference: str | int, permission: Perm) -> AwsAccount:
    """The account by id, alias or 12-digit number. Raises AccountNotFound, or NotAllowedHere when it may only be seen."""
    account = visible(user).filter(named(str(reference))).first()
    if account is None:
        raise AccountNotFound("There is no such AWS account, or none that you may see.")
    require(user, account, permission)
    return account


def may(user: User, account: AwsAccount, permission: Perm) -> bool:
    """Whether `user` holds `permission` for this account; installation-wide permissions are admins'."""
    return AwsAccount.objects.filter(pk=account.pk).visible_to(user, permission).exists()


def require(user: User, account: AwsAccount, permission: Perm) -> None:
    """Raises NotAllowedHere where `user` does not hold `permission` for this account, which they may see."""
    if not may(user, account, permission):
        raise not_allowed(account.alias)


def not_allowed(alias: str) -> NotAllowedHere:
    return NotAllowedHere(f"Your role on “{alias}” does not allow this.")


def accounts_in_scope(user: User, permission: Perm, values: Sequence[str]) -> list[AwsAccount]:
    """The accounts that `values` name by id, alias or number, each once; all that carry `permission` when there are none.

    Raises UnknownAccount (400) for what the reader cannot see, NotAllowedHere (403) for what they may only see.
    """
    allowed = list(AwsAccount.objects.visible_to(user, permission).order_by("alias"))
    if not values:
        return allowed
    chosen = among(allowed if permission == Perm.ACCOUNTS_VIEW else list(visible(user)), values)
    if forbidden := [account.alias for account in chosen if account not in allowed]:
        raise not_allowed(forbidden[0])
    return chosen


def among(accounts: Sequence[AwsAccount], values: Sequence[str]) -> list[AwsAccount]:
    """Those of `accounts` that `values` name by id, alias or number, each once. Raises UnknownAccount."""
    by_name = {name: account for account in accounts for name in account.names}
    unknown = [value for value in values if value.strip().lower() not in by_name]
    if unknown:
        raise UnknownAccount(f"No AWS account of yours is called “{unknown[0][:64]}”.", attr="account")
    chosen = {by_name[value.strip().lower()].pk for value in values}
    return [account for account in accounts if account.pk in chosen]


def checks_of(account: AwsAccount) -> list[CapabilityCheck]:
    """What the last verification found, by capability."""
    return list(account.checks.order_by("capability"))


def named(reference: str) -> Q:
    """The account that `reference` means: a 12-digit number, an id, or else an alias."""
    text = reference.strip()
    if identifiers.is_account_number(text):
        return Q(account_id=text)
    if text.isascii() and text.isdecimal() and len(text) < 12:
        return Q(pk=int(text))
    return Q(alias__iexact=text)
