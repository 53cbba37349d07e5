"""Telling people of unusual costs: once for each episode, and again only when its money has doubled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser

from accounts.alerts import Severity
from accounts.models import AwsAccount
from accounts.services import notifications
from cloudconsole.core import clock, figures
from cloudconsole.core.errors import CloudconsoleError
from costs import alerts
from costs.models import Assessment, CostAnomaly, DimensionValue
from costs.rules.baselines import Limits
from costs.rules.cubes import Dimension
from costs.selectors import anomalies as selectors
from costs.selectors.costs import Reader

GROWN = 2  # times the impact that was last announced
_OLD = timedelta(days=7)  # what ended before is history: the page tells it, nobody is called
_DRIVERS = 3
# So many times the floor of a day.
_CRITICAL, _WARNING = 20, 5


def announce(*, anomaly: CostAnomaly, limits: Limits, last_complete: date) -> None:
    """Announce the episode where it is new or has grown a step. Call in the transaction that stores it."""
    is_step = not anomaly.announcements or anomaly.impact >= GROWN * anomaly.announced_impact
    if not is_step or anomaly.last_day < last_complete - _OLD or _is_quiet(anomaly):
        return
    notifications.announce(
        kind=alerts.ANOMALY,
        severity=severity_of(anomaly.impact, limits),
        key=f"{alerts.ANOMALY.name}/{anomaly.pk}/{anomaly.announcements + 1}",
        title=_title(anomaly),
        lines=list(_lines(anomaly)),
        path=f"/anomalies/{anomaly.pk}",
        accounts=[_account(anomaly)],
    )
    anomaly.announcements += 1
    anomaly.announced_impact = anomaly.impact
    anomaly.save(update_fields=["announcements", "announced_impact"])


def severity_of(impact: Decimal, limits: Limits) -> Severity:
    """By money: in units of the least that is unusual on a day."""
    if impact >= _CRITICAL * limits.floor:
        return Severity.CRITICAL
    return Severity.WARNING if impact >= _WARNING * limits.floor else Severity.INFO


def _is_quiet(anomaly: CostAnomaly) -> bool:
    muted = CostAnomaly.objects.filter(pk=anomaly.pk).muted(clock.today())
    return anomaly.assessment in {Assessment.PLANNED, Assessment.EXPECTED} or muted.exists()


def _account(anomaly: CostAnomaly) -> AwsAccount:
    """Whose costs they are, where that account is connected; else whose bill."""
    own = AwsAccount.objects.filter(account_id=anomaly.account_number or "-", deleted_at=None).first()
    return own or anomaly.source.account


def _title(anomaly: CostAnomaly) -> str:
    money = figures.money(anomaly.impact, anomaly.currency)
    place = anomaly.region or _account_name(anomaly.account_number)
    has_grown = "has grown to" if anomaly.announcements else "costs"
    return f"{anomaly.service} in {place} {has_grown} {money} more than expected"


def _account_name(number: str) -> str:
    account = AwsAccount.objects.filter(account_id=number, deleted_at=None).first()
    if account:
        return account.alias
    label = DimensionValue.objects.filter(dimension=Dimension.ACCOUNT, value=number).values_list("label", flat=True).first()
    return label or figures.account_number(number)


def _lines(anomaly: CostAnomaly) -> Iterable[str]:
    actual = figures.money(anomaly.actual, anomaly.currency)
    expected = figures.money(anomaly.expected or Decimal(0), anomaly.currency)
    days = f"{anomaly.days} unusual day{'' if anomaly.days == 1 else 's'}"
    least = "" if anomaly.is_exact else "at least "
    span = figures.days(anomaly.started_on, anomaly.last_day)
    yield f"{days}, {span} (UTC): {least}{actual}, expected {expected}."
    try:
        found = selectors.drivers_of(Reader(AnonymousUser(), sources=[anomaly.source]), anomaly)
    except CloudconsoleError:
        return  # what drove it is told on the page, once it is known
    # Only the account's own: who may see it may not see the others of its payer's bill.
    for driver in [one for one in found.found if one.cell.change > 0 and selectors.is_own(one, anomaly)][:_DRIVERS]:
        place = f"{_account_name(driver.key)} · {driver.region}" if driver.region else _account_name(driver.key)
        parts = ", ".join(part.name for part in driver.usage_types)
        change = figures.money(driver.cell.change, anomaly.currency)
        yield f"{place}: +{change}{f' ({parts})' if parts else ''}"
