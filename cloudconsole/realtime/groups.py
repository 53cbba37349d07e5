"""Who is told what: the names of the channel groups."""

from __future__ import annotations

ADMINS = "admins"  # told of everything
EVERY_ACCOUNT = "accounts"  # told of every AWS account: people whose grant covers all of them


def account(pk: int) -> str:
    """The group of those who may see the AWS account with this primary key."""
    return f"account.{pk}"


def person(pk: int) -> str:
    """The group of one person's own browsers."""
    return f"person.{pk}"


def audience(account_pk: int | None) -> tuple[str, ...]:
    """The groups that hear of a change; what belongs to no AWS account is for admins."""
    return (ADMINS,) if account_pk is None else (account(account_pk), EVERY_ACCOUNT, ADMINS)
