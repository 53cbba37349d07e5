"""Deciding from where on a day is unusual. The last days are judged again with what was decided."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

import audit.services
from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from costs import verbs
from costs.models import AnomalyRule
from costs.rules.baselines import Limits
from costs.selectors.anomaly_rules import ALL
from costs.services import anomalies, anomaly_mutes

MOST_PERCENT = 10_000


class InvalidLimits(CloudconsoleError):
    code = "invalid_limits"
    title = "These limits cannot be used"


def decide(*, account_number: str, currency: str, limits: Limits, by: User) -> AnomalyRule:
    """For one account, or with ALL for those that have none of their own. Raises InvalidLimits, NotForAllAccounts."""
    check(limits)
    account = anomaly_mutes.require(by, account_number)
    with transaction.atomic():
        rule, _ = AnomalyRule.objects.update_or_create(
            account_number=account_number,
            currency=currency,
            defaults={
                "floor": limits.floor,
                "percent": int(limits.percent),
                "sensitivity": limits.sensitivity.value,
                "updated_by": by,
                "updated_at": clock.now(),
                "taken_back_at": None,
            },
        )
        detail: dict[str, str | int | bool | None] = {
            "about": _words(account_number),
            "currency": currency,
            "floor": str(limits.floor),
            "percent": int(limits.percent),
            "sensitivity": limits.sensitivity.value,
        }
        audit.services.record(verbs.ANOMALY_LIMITS_CHANGED, actor=by, subject=str(rule.pk), account=account, detail=detail)
        anomalies.ring_all()
    return rule


def reset(*, rule: AnomalyRule, by: User) -> None:
    """Let what holds for all accounts hold again; a second time changes nothing. Raises NotForAllAccounts."""
    account = anomaly_mutes.require(by, rule.account_number)
    with transaction.atomic():
        if not AnomalyRule.objects.filter(pk=rule.pk, taken_back_at=None).update(taken_back_at=clock.now()):
            return
        detail = {"about": _words(rule.account_number), "currency": rule.currency}
        audit.services.record(verbs.ANOMALY_LIMITS_RESET, actor=by, subject=str(rule.pk), account=account, detail=detail)
        anomalies.ring_all()


def check(limits: Limits) -> None:
    """Raises InvalidLimits."""
    if limits.floor <= Decimal(0):
        raise InvalidLimits("The floor is more than nothing: otherwise every cent would be news.", attr="floor")
    if not 0 <= limits.percent <= MOST_PERCENT:
        raise InvalidLimits(f"Between 0 and {MOST_PERCENT} percent.", attr="percent")


def _words(account_number: str) -> str:
    return "all accounts" if account_number == ALL else account_number
