"""Looking after connected accounts without being asked: checks that are due, and credentials that run out."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts import alerts
from accounts.models import AwsAccount, ExpiryAnnouncement
from accounts.models.aws_account import AwsAccountQuerySet
from accounts.rules import checks
from accounts.services import notifications, verification
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.core import clock, jobs

CHECK = "accounts.check"
# A check that was claimed and never ended is due again after this.
_CLAIM_LASTS = timedelta(minutes=10)
_GRAVE = timedelta(days=1)
_WORDS = dict(zip(checks.EXPIRY_THRESHOLDS, ("7 days", "1 day", "1 hour"), strict=True))


def ring_for_due() -> None:
    """Ask workers to check every account whose time has come."""
    for pk in _due(clock.now()).values_list("pk", flat=True):
        jobs.enqueue(CHECK, account_id=pk)


def check(*, account_id: int) -> None:
    """Verify the account if it is due and nobody else is at it. Safe to call at any time."""
    account = AwsAccount.objects.filter(pk=account_id, deleted_at=None).select_related("hub").first()
    if account is not None and _claimed(account):
        verification.verify(account=account, actor=None)


def soon(*, account: AwsAccount) -> None:
    """Something failed with this account's credentials: look at it now rather than when its time comes."""
    AwsAccount.objects.filter(pk=account.pk, deleted_at=None).update(next_check_at=clock.now())
    jobs.enqueue(CHECK, account_id=account.pk)


def announce_expiries() -> None:
    """Tell once for each threshold that credentials run out; the event is in the audit trail, the state on the pages."""
    now = clock.now()
    horizon = now + checks.EXPIRY_THRESHOLDS[0]
    for account in AwsAccount.objects.filter(deleted_at=None, credentials_expire_at__lte=horizon):
        if account.credentials_expire_at is not None:
            _announce(account, account.credentials_expire_at, now)


def _due(now: datetime) -> AwsAccountQuerySet:
    has_come = Q(next_check_at__lte=now) | Q(next_check_at=None)
    return AwsAccount.objects.filter(has_come, deleted_at=None, verified_at__isnull=False)


def _claimed(account: AwsAccount) -> bool:
    """Whether the check is ours: of several workers the one whose update still finds the old time."""
    now = clock.now()
    same = Q(next_check_at=account.next_check_at) if account.next_check_at else Q(next_check_at=None)
    return bool(_due(now).filter(same, pk=account.pk).update(next_check_at=now + _CLAIM_LASTS))


def _announce(account: AwsAccount, expires_at: datetime, now: datetime) -> None:
    """The nearest threshold is told; those passed before it are only noted, so that they are not told late."""
    announced = ExpiryAnnouncement.objects.filter(account=account, expires_at=expires_at)
    told = set(announced.values_list("threshold_s", flat=True))
    new = [one for one in checks.thresholds_reached(expires_at, now) if int(one.total_seconds()) not in told]
    if not new:
        return
    try:
        _note(account, expires_at, new)
    except IntegrityError:
        return  # another scheduler was quicker


@transaction.atomic
def _note(account: AwsAccount, expires_at: datetime, new: list[timedelta]) -> None:
    ExpiryAnnouncement.objects.bulk_create(
        ExpiryAnnouncement(account=account, expires_at=expires_at, threshold_s=int(one.total_seconds())) for one in new
    )
    realtime.publish("account", account.pk, account.pk)
    notifications.announce(
        kind=alerts.CREDENTIALS_EXPIRING,
        severity=alerts.Severity.CRITICAL if new[-1] <= _GRAVE else alerts.Severity.WARNING,
        key=f"credentials_expiring:{account.pk}:{expires_at.isoformat()}:{new[-1].total_seconds():.0f}",
        title=f"The credentials of {account.alias} expire in less than {_WORDS[new[-1]]}",
        lines=[
            f"They run out at {expires_at:%Y-%m-%d %H:%M} UTC. Until fresh ones are entered, nothing of this account is read."
        ],
        path=f"/accounts/{account.pk}",
        accounts=[account],
    )
    detail = {"within": _WORDS[new[-1]], "expires_at": expires_at.isoformat()}
    audit.record(verbs.CREDENTIALS_EXPIRING, actor=None, account=account, detail=detail)
