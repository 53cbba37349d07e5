"""Where costs come from, and how each source is."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, F, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.models import REQUEST_PRICE, CostExplorerRequest, CostSource, SourceStatus
from costs.models.sources import CostSourceQuerySet

PAID_THIS_MONTH = "requests_this_month"


def visible(user: User | AnonymousUser, permission: Perm = Perm.COSTS_VIEW) -> CostSourceQuerySet:
    """Sources with their account, their payer, `requests_this_month` (paid ones) and the `cap` that holds for them."""
    month = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    paid = CostExplorerRequest.objects.filter(account=OuterRef("account"), at__gte=month, charged=True).order_by()
    counted = paid.values("account").annotate(count=Count("pk")).values("count")
    return (
        CostSource.objects.visible_to(user, permission)
        .select_related("account", "covered_by__account")
        .annotate(
            requests_this_month=Coalesce(Subquery(counted), Value(0)),
            cap=Coalesce(F("monthly_request_cap"), Value(settings.COST_EXPLORER_MONTHLY_REQUEST_CAP)),
        )
        .order_by("account__alias")
    )


def refreshable(user: User | AnonymousUser) -> CostSourceQuerySet:
    """Sources that the reader may refresh: covered ones are refreshed with their payer."""
    lost = [SourceStatus.DENIED, SourceStatus.NOT_ENABLED]
    own = CostSource.objects.filter(covered_by=None) | CostSource.objects.filter(covered_by__status__in=lost)
    return visible(user, Perm.COSTS_REFRESH).filter(pk__in=own.values("pk"))


@dataclass(frozen=True, slots=True)
class Spent:
    """What asking AWS cost this calendar month, in USD."""

    requests: int
    price: Decimal


def spent_this_month(user: User | AnonymousUser) -> Spent:
    """Over all visible accounts."""
    month = clock.now().replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    accounts = CostSource.objects.visible_to(user, Perm.COSTS_VIEW).values("account")
    requests = CostExplorerRequest.objects.filter(account__in=accounts, at__gte=month, charged=True).count()
    return Spent(requests, requests * REQUEST_PRICE)
