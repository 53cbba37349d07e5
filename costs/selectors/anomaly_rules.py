"""From where on a day is unusual: what was set for an account, for all accounts, or what holds until somebody sets it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from django.db.models import QuerySet

from accounts.models import AwsAccount, User
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from costs.models import AnomalyRule
from costs.rules.baselines import Limits, Sensitivity

ALL = ""  # the account number of what holds for every account
# Ten units of most currencies are worth a look; of these so many are about the same.
_FLOORS = {"CNY": Decimal(70), "INR": Decimal(800), "JPY": Decimal(1500), "KRW": Decimal(14000)}
_PERCENT = 30


class LimitsNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "limits_not_found"
    title = "Not found"


def standard(currency: str) -> Limits:
    """What holds for costs in `currency` until somebody decides."""
    return Limits(_FLOORS.get(currency, Decimal(10)), Decimal(_PERCENT), Sensitivity.MEDIUM)


def limits(currency: str) -> Callable[[str], Limits]:
    """The limits by account number."""
    rules = {rule.account_number: of(rule) for rule in AnomalyRule.objects.filter(currency=currency, taken_back_at=None)}
    usual = rules.get(ALL, standard(currency))
    return lambda account_number: rules.get(account_number, usual)


def of(rule: AnomalyRule) -> Limits:
    return Limits(rule.floor, Decimal(rule.percent), Sensitivity(rule.sensitivity))


def visible(user: User) -> QuerySet[AnomalyRule]:
    """Those in force: of all accounts, and of the reader's."""
    return _seen_by(user).filter(taken_back_at=None)


def _seen_by(user: User) -> QuerySet[AnomalyRule]:
    numbers = AwsAccount.objects.visible_to(user, Perm.COSTS_VIEW).exclude(account_id="").values_list("account_id", flat=True)
    return AnomalyRule.objects.filter(account_number__in=[ALL, *numbers]).select_related("updated_by")


def get_for(user: User, pk: int) -> AnomalyRule:
    """Raises LimitsNotFound."""
    found = _seen_by(user).filter(pk=pk).first()
    if found is None:
        raise LimitsNotFound("There are no such limits, or none that you may see.")
    return found
