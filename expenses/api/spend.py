"""/api/expenses/total and /api/exchange-rates: what is spent in total, in one currency, and the rates that this takes."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from cloudconsole.api import parameters
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.rules.windows import DayRange, first_of_month
from expenses.models import MonthlyRate, RateSource
from expenses.rules.total_spend import Course, Month
from expenses.selectors import rates, total_spend
from expenses.services import rates as services
from expenses.services.inputs import EARLIEST, LATEST


class MissingRateSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    month = serializers.DateField()


class TotalMonthSerializer(serializers.Serializer[Any]):
    month = serializers.DateField(source="start")
    cloud = MoneyField(allow_null=True, help_text="Null: not known, or a rate is missing.")
    expenses = MoneyField(allow_null=True, help_text="Null: a rate is missing.")
    total = MoneyField(source="whole", allow_null=True, help_text="Null where one of the two is.")
    settled = serializers.BooleanField(source="is_settled", help_text="False: the cloud's costs may still change.")
    missing_rates = serializers.SerializerMethodField()

    @extend_schema(responses=MissingRateSerializer(many=True))
    def get_missing_rates(self, month: Month) -> list[dict[str, str]]:
        return _missing(month.missing)


class TotalSpendSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    months = TotalMonthSerializer(many=True)
    cloud = MoneyField(allow_null=True)
    expenses = MoneyField(allow_null=True)
    total = MoneyField(allow_null=True)
    missing_rates = MissingRateSerializer(many=True)


def _missing(found: tuple[tuple[str, Any], ...]) -> list[dict[str, str]]:
    return [{"currency": currency, "month": month.isoformat()} for currency, month in found]


def told(course: Course) -> dict[str, Any]:
    """What TotalSpendSerializer tells of it."""
    return {
        "currency": course.currency,
        "months": course.months,
        "cloud": course.sum_of("cloud"),
        "expenses": course.sum_of("expenses"),
        "total": course.sum_of("whole"),
        "missing_rates": _missing(course.missing),
    }


class TotalSpend(ApiView):
    permission = Perm.SELF

    @extend_schema(
        parameters=[
            OpenApiParameter("start", str, description="A day of the first month; eleven months ago when it is not named."),
            OpenApiParameter("end", str, description="A day of the last month; today's when it is not named."),
            OpenApiParameter("currency", str, description="The one that most amounts are in when it is not named."),
        ],
        responses=TotalSpendSerializer,
        tags=["expenses"],
    )
    def get(self, request: Request) -> Response:
        """Cloud costs and expenses that you may see, by month, in one currency at stored monthly rates.

        A missing rate is told in `missing_rates`, and the amounts that need it are null: never one to one.
        """
        today = clock.today()
        first = (parameters.day(request, "start") or first_of_month(today, months=-11)).replace(day=1)
        last = (parameters.day(request, "end") or today).replace(day=1)
        if not (EARLIEST <= first <= last <= LATEST and last < first_of_month(first, months=total_spend.LONGEST)):
            raise parameters.invalid("start", f"At most {total_spend.LONGEST} months, between {EARLIEST} and {LATEST}.")
        months = DayRange(first, first_of_month(last, months=1))
        currency = parameters.text(request, "currency").upper()
        if currency and currency not in rates.known_currencies():
            raise parameters.invalid("currency", "No rate of this currency is stored.")
        found = total_spend.total(person(request), months, currency)
        return Response(TotalSpendSerializer(told(found.course)).data)


class MonthlyRateSerializer(serializers.ModelSerializer[MonthlyRate]):
    per_euro = MoneyField(help_text="How much of the currency one euro was worth.")

    class Meta:
        model = MonthlyRate
        fields = ["id", "currency", "month", "source", "per_euro", "days", "set_by_name", "set_at"]
        read_only_fields = fields


class NewRateSerializer(serializers.Serializer[Any]):
    currency = serializers.RegexField(r"^[A-Z]{3}$")
    month = serializers.DateField(help_text="Any day of the month.")
    per_euro = serializers.DecimalField(max_digits=22, decimal_places=10)


class ExchangeRates(ListApiView):
    permission = {"GET": Perm.SELF, "POST": Perm.ACCOUNTS_MANAGE}
    serializer_class = MonthlyRateSerializer
    queryset = MonthlyRate.objects.none()

    def get_queryset(self) -> QuerySet[MonthlyRate]:
        return rates.all_of(
            currency=parameters.text(self.request, "currency").upper(),
            month=parameters.day(self.request, "month"),
            source=next(iter(parameters.choices(self.request, "source", RateSource.values)), ""),
        )

    @extend_schema(
        parameters=[
            OpenApiParameter("currency", str),
            OpenApiParameter("month", str, description="Any day of the month."),
            OpenApiParameter("source", str, enum=RateSource.values),
        ],
        tags=["expenses"],
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Monthly rates, newest first: the European Central Bank's averages, and those set here, which count more."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewRateSerializer, responses={201: MonthlyRateSerializer}, tags=["expenses"])
    def post(self, request: Request) -> Response:
        """Set a month's rate. 400 `rate_refused` for what is no rate."""
        rate = services.set_own(**valid(NewRateSerializer, request), by=person(request))
        return Response(MonthlyRateSerializer(rate).data, status=status.HTTP_201_CREATED)


class OneExchangeRate(ApiView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(responses={204: None}, tags=["expenses"])
    def delete(self, request: Request, rate_id: int) -> Response:
        """Remove a rate that was set here: the central bank's counts again."""
        services.remove_own(rate=rates.own(rate_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
