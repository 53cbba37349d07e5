"""What about an account's credentials will soon need somebody: they run out, or their key has become old."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import AuthMethod, AwsAccount, AwsCredential
from accounts.rules import checks
from cloudconsole.core import clock

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class CredentialWarning:
    """`state` is "expired", "expiring" or "old_key"; `tone` as pages use it; `since` is the moment it is about."""

    state: str
    tone: str
    text: str
    since: datetime


def warnings_for(accounts: Iterable[AwsAccount]) -> Mapping[int, CredentialWarning]:
    """The gravest warning of each account that has one, by primary key. One query at most."""
    shown = list(accounts)
    now = clock.now()
    unknown = [account for account in shown if _may_have_a_key(account) and account.key_created_at is None]
    entered = dict(AwsCredential.objects.filter(account__in=unknown).values_list("account_id", "replaced_at"))
    found = {account.pk: _warning(account, entered.get(account.pk), now) for account in shown}
    return {pk: warning for pk, warning in found.items() if warning is not None}


def warning_for(account: AwsAccount) -> CredentialWarning | None:
    return warnings_for([account]).get(account.pk)


def _warning(account: AwsAccount, entered_at: datetime | None, now: datetime) -> CredentialWarning | None:
    expires_at = account.credentials_expire_at
    if expires_at is not None:
        return _expiry(expires_at, now)
    if not _may_have_a_key(account):
        return None
    # AWS may not have told when it made the key; it is at least as old as its stay here.
    made_at = account.key_created_at or entered_at
    if made_at is None or not checks.is_old_key(made_at, now):
        return None
    days = (now - made_at) // _DAY
    return CredentialWarning(
        "old_key", "warn", f"The access key is {days} days old. Replace it; keys older than 90 days are a risk.", made_at
    )


def _may_have_a_key(account: AwsAccount) -> bool:
    """Whether it has a key that does not run out and grows old instead."""
    return account.auth_method == AuthMethod.ACCESS_KEY and account.credentials_expire_at is None


def _expiry(expires_at: datetime, now: datetime) -> CredentialWarning | None:
    if expires_at <= now:
        return CredentialWarning("expired", "bad", "The temporary credentials have expired. Enter fresh ones.", expires_at)
    reached = checks.thresholds_reached(expires_at, now)
    if not reached:
        return None
    tone = "bad" if reached[-1] <= _DAY else "warn"
    return CredentialWarning(
        "expiring", tone, f"The temporary credentials expire in less than {_words(reached[-1])}.", expires_at
    )


def _words(threshold: timedelta) -> str:
    if threshold < _DAY:
        return "an hour"
    return "a day" if threshold == _DAY else f"{threshold.days} days"
