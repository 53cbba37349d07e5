"""Where costs come from, and how each source is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Value
from django.db.models.functions import Coalesce

from accounts.models import AwsAccount, User
from accounts.models.aws_account import AwsAccountQuerySet
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.models import FETCHED_BY_ITSELF, REQUEST_PRICE, CostExplorerRequest, CostSnapshot, CostSource
from costs.models.sources import CostSourceQuerySet


def visible(user: User | AnonymousUser, permission: Perm = Perm.COSTS_VIEW) -> CostSourceQuerySet:
    """Sources with their account, their payer, `requests_this_month` (paid ones) and the `cap` that holds for them.

    `is_fetched`: a run that fetches its costs is open. `may_refresh`: the reader may have it fetched, and it is fetched by itself
    and not with its payer. `may_decide`: the reader may say how its costs are told, fetched or not.
    """
    month = clock.month_start()
    paid = CostExplorerRequest.objects.filter(account=OuterRef("account"), at__gte=month, charged=True).order_by()
    counted = paid.values("account").annotate(count=Count("pk")).values("count")
    return (
        CostSource.objects.visible_to(user, permission)
        .select_related("account", "covered_by__account")
        .annotate(
            requests_this_month=Coalesce(Subquery(counted), Value(0)),
            cap=Coalesce(F("monthly_request_cap"), Value(settings.COST_EXPLORER_MONTHLY_REQUEST_CAP)),
            is_fetched=Exists(CostSnapshot.objects.filter(source=OuterRef("pk")).open()),
            may_refresh=FETCHED_BY_ITSELF & Exists(_refreshed_by(user)),
            may_decide=Exists(_refreshed_by(user)),
        )
        .order_by("account__alias")
    )


def refreshable(user: User | AnonymousUser) -> CostSourceQuerySet:
    """Sources that the reader may refresh: covered ones are refreshed with their payer."""
    return visible(user, Perm.COSTS_REFRESH).filter(Q(may_refresh=True))


def any_fetched(sources: Iterable[CostSource]) -> bool:
    """Whether a run is open of one of these rows of `visible`."""
    return any(vars(source)["is_fetched"] for source in sources)


def any_refreshable(sources: Iterable[CostSource]) -> bool:
    """Whether the reader of these rows of `visible` may refresh one of them."""
    return any(vars(source)["may_refresh"] for source in sources)


def _refreshed_by(user: User | AnonymousUser) -> AwsAccountQuerySet:
    return AwsAccount.objects.visible_to(user, Perm.COSTS_REFRESH).filter(pk=OuterRef("account"))


@dataclass(frozen=True, slots=True)
class Spent:
    """What asking AWS cost this calendar month, in USD."""

    requests: int
    price: Decimal


def spent_this_month(user: User | AnonymousUser) -> Spent:
    """Over all visible accounts."""
    month = clock.month_start()
    accounts = CostSource.objects.visible_to(user, Perm.COSTS_VIEW).values("account")
    requests = CostExplorerRequest.objects.filter(account__in=accounts, at__gte=month, charged=True).count()
    return Spent(requests, requests * REQUEST_PRICE)
