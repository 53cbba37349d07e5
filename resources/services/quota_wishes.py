"""Asking for a higher limit: an operation like any other, with what stands against it said first."""

from __future__ import annotations

from decimal import Decimal

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.models import Operation, Quota
from resources.services import operations
from resources.services.operations import Target

ACTION = "quotas.request_increase"
_MOST = Decimal(10) ** 15


class NotAdjustable(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "quota_not_adjustable"
    title = "AWS does not raise this quota on request"
    remedy = "Talk to AWS Support or to your contact at AWS."


class NotHigher(CloudconsoleError):
    code = "not_higher"
    title = "That is not more than the limit in force"


def ask_for_more(*, quota: Quota, desired: Decimal, by: User, reason: str = "") -> Operation:
    """Ask AWS to raise the limit of `quota` to `desired`. Raises NotAdjustable, NotHigher, and what `operations.request` does."""
    if not quota.is_listed or not quota.adjustable:
        raise NotAdjustable(f"“{quota.name}” is not one that AWS raises on request.")
    if quota.limit is not None and desired <= quota.limit:
        raise NotHigher(f"The limit in force is {quota.limit.normalize():,f} already.", attr="desired")
    if not desired.is_finite() or desired > _MOST:
        raise NotHigher("That is more than any quota.", attr="desired")
    target = Target(quota.account, quota.region, f"{quota.service_code}/{quota.code}", quota.name)
    return operations.request(action=ACTION, target=target, by=by, parameters={"desired": f"{desired:f}"}, reason=reason)
