"""/api/costs/sources: where the costs of each account come from, how fresh they are, and what asking takes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import reader
from costs.models import REQUEST_PRICE, CostSource
from costs.selectors import refresh_prices, sources
from costs.selectors.refresh_prices import Monthly
from costs.services import snapshots
from costs.services.snapshots import Offer


@dataclass(frozen=True, slots=True)
class Told:
    source: CostSource
    monthly: Monthly | None
    offer: Offer | None

    @property
    def requests(self) -> int:
        return int(vars(self.source)["requests_this_month"])

    @property
    def price(self) -> Decimal:
        return self.requests * REQUEST_PRICE


class RefreshOfferSerializer(serializers.Serializer[Offer]):
    requests = serializers.IntegerField(source="plan.requests", help_text="At least: each page of an answer is one.")
    price = MoneyField(source="plan.price", help_text="In USD.")
    possible = serializers.BooleanField(source="is_possible", help_text="No run is open, and the month's cap allows it.")


class SourceSerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField(source="source.account_id")
    alias = serializers.CharField(source="source.account.alias")
    payer = serializers.IntegerField(
        source="source.covered_by.account_id", default=None, allow_null=True, help_text="In whose bill it is read."
    )
    scope = serializers.CharField(source="source.scope", help_text="Whose bill it is: payer, member, standalone, unknown.")
    files_only = serializers.BooleanField(source="source.is_imported", help_text="Only billing files tell its costs.")
    status = serializers.CharField(source="source.status")
    fresh_at = serializers.DateTimeField(source="source.fresh_at", allow_null=True)
    next_refresh_at = serializers.DateTimeField(source="source.next_refresh_at", allow_null=True)
    requests_this_month = serializers.IntegerField(source="requests", help_text="Paid ones, whatever they asked.")
    price_this_month = MoneyField(source="price", help_text="In USD.")
    cap = serializers.IntegerField(source="source.cap", help_text="Paid requests allowed in a calendar month.")
    monthly_requests = serializers.IntegerField(
        source="monthly.requests", default=None, allow_null=True, help_text="What refreshes take in 30 days, as planned now."
    )
    monthly_price = MoneyField(source="monthly.price", default=None, allow_null=True, help_text="In USD.")
    refresh = RefreshOfferSerializer(source="offer", allow_null=True, help_text="Of one more; null where you may not ask for it.")


class Sources(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(responses=SourceSerializer(many=True), tags=["costs"])
    def get(self, request: Request) -> Response:
        """Every account you may see: how its costs are read, what was paid for that this month, and what a refresh takes."""
        person = reader(request)
        rows = list(sources.visible(person))
        monthly = refresh_prices.monthly(rows)
        offers = {one.source.pk: one for one in snapshots.offers(sources=list(sources.refreshable(person)))}
        told = [Told(row, monthly.get(row.pk), offers.get(row.pk)) for row in rows]
        return Response(SourceSerializer(told, many=True).data)
