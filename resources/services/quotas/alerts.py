"""Telling people that a quota runs out: once at each step up, and again only after it has come down."""

from __future__ import annotations

from datetime import datetime

from accounts.alerts import Severity
from accounts.models import AwsAccount
from accounts.services import notifications
from resources.alerts import QUOTA_THRESHOLD
from resources.models import Quota
from resources.rules.quota_names import Measure
from resources.rules.quotas import Level

_SEVERITY = {Level.WARNING: Severity.WARNING, Level.CRITICAL: Severity.CRITICAL}


def announce(*, quota: Quota, account: AwsAccount, at: datetime) -> None:
    """In the transaction that wrote the new level."""
    level = Level(quota.level)
    reached = quota.critical_percent if level is Level.CRITICAL else quota.warning_percent
    notifications.announce(
        kind=QUOTA_THRESHOLD,
        severity=_SEVERITY[level],
        key=f"{QUOTA_THRESHOLD.name}:{quota.pk}:{level.value}:{at.isoformat()}",
        title=f"{quota.label}: {reached} % of the quota reached in {account.alias}, {quota.reach}",
        lines=_lines(quota),
        path=f"/quotas/{quota.pk}",
        accounts=[account],
    )


def _lines(quota: Quota) -> list[str]:
    highest = max(one for one in (quota.usage, quota.peak_1h) if one is not None)
    span = "24 hours" if quota.measure == Measure.TOKENS_PER_DAY else "hour"
    lines = [f"{plain(highest)} of {plain(quota.limit or 0)} in the last {span}: {quota.pressure or 0:.0f} %."]
    if quota.method:
        lines.append(f"How it was found: {quota.get_method_display()}.")
    if quota.throttles_24h:
        lines.append(f"AWS refused {quota.throttles_24h:,} requests in the last 24 hours.")
    if quota.adjustable:
        lines.append("A higher limit can be asked for at the quota's page.")
    return lines


def plain(amount: object) -> str:
    text = f"{amount:,f}" if not isinstance(amount, int) else f"{amount:,}"
    return text.rstrip("0").rstrip(".") if "." in text else text
