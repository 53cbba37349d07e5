"""Answers as the API shows them: money is a string decimal beside its currency, never a float; null is not known.

An answer may hold thousands of groups, so its document is made by hand; the serializers here describe it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from costs.rules.amounts import plain
from costs.rules.windows import DayRange
from costs.selectors.forecasts import Outlook
from costs.selectors.questions import Answer, Completeness, Group, Period
from costs.selectors.summary import Span, Summary


@extend_schema_field(OpenApiTypes.STR)
class MoneyField(serializers.Field[Decimal, Any, str, Any]):
    """An exact amount as text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(read_only=True, **options)

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else plain(amount)


# --- GET /api/costs


class GroupSerializer(serializers.Serializer[Any]):
    keys = serializers.ListField(child=serializers.CharField(), help_text="AWS's own strings, in the order of group_by.")
    labels = serializers.ListField(child=serializers.CharField(), help_text="The same for people.")
    amount = MoneyField()


class PeriodSerializer(serializers.Serializer[Any]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="Exclusive.")
    estimated = serializers.BooleanField(help_text="AWS has not closed the month.")
    complete = serializers.BooleanField(help_text="Every day had settled when it was fetched, for each account AWS tells of.")
    total = MoneyField(allow_null=True)
    residual = MoneyField(help_text="What AWS told in total but in no group.")
    groups = GroupSerializer(many=True)


class CompletenessSerializer(serializers.Serializer[Any]):
    account = serializers.IntegerField()
    alias = serializers.CharField()
    account_id = serializers.CharField()
    status = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()
    remedy = serializers.CharField()
    observed_at = serializers.DateTimeField(allow_null=True)
    missing_days = serializers.IntegerField()


class AnswerSerializer(serializers.Serializer[Any]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="Exclusive.")
    granularity = serializers.CharField()
    metric = serializers.CharField()
    currency = serializers.CharField(allow_null=True)
    group_by = serializers.ListField(child=serializers.CharField())
    results = PeriodSerializer(many=True)
    total = MoneyField(allow_null=True)
    residual = MoneyField()
    as_of = serializers.DateTimeField(allow_null=True)
    completeness = CompletenessSerializer(many=True)


def answer_document(answer: Answer, completeness: tuple[Completeness, ...]) -> dict[str, Any]:
    question = answer.question
    return {
        "start": question.days.start.isoformat(),
        "end": question.days.end.isoformat(),
        "granularity": question.granularity.value,
        "metric": question.metric.value,
        "currency": answer.currency,
        "group_by": [dimension.word for dimension in question.group_by],
        "results": [_period(period) for period in answer.periods],
        "total": _text(answer.total),
        "residual": plain(answer.residual),
        "as_of": answer.as_of,
        "completeness": CompletenessSerializer(completeness, many=True).data,
    }


def _period(period: Period) -> dict[str, Any]:
    return {
        "start": period.start.isoformat(),
        "end": period.end.isoformat(),
        "estimated": period.estimated,
        "complete": period.complete,
        "total": _text(period.total),
        "residual": plain(period.residual),
        "groups": [_group(group) for group in period.groups],
    }


def _group(group: Group) -> dict[str, Any]:
    return {"keys": group.keys, "labels": group.labels, "amount": plain(group.amount)}


# --- GET /api/costs/summary


class SpanSerializer(serializers.Serializer[Span]):
    start = serializers.DateField(source="days.start")
    end = serializers.DateField(source="days.end", help_text="Exclusive.")
    amount = MoneyField(allow_null=True)


class DaysSerializer(serializers.Serializer[DayRange]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="Exclusive.")


class ForecastSerializer(serializers.Serializer[Outlook]):
    amount = MoneyField()
    low = MoneyField()
    high = MoneyField()
    level = serializers.IntegerField(help_text="Percent that the interval is meant to hold.")
    method = serializers.CharField()


class MoverSerializer(serializers.Serializer[Any]):
    service = serializers.CharField()
    before = MoneyField()
    after = MoneyField()
    change = MoneyField()


class SummarySerializer(serializers.Serializer[Summary]):
    currency = serializers.CharField(allow_null=True)
    month_to_date = SpanSerializer()
    month_to_date_settled = SpanSerializer(source="settled", allow_null=True, help_text="Its complete days: these are compared.")
    same_span_last_month = SpanSerializer(allow_null=True)
    full_last_month = SpanSerializer()
    forecast = serializers.SerializerMethodField()
    forecast_reason = serializers.CharField(source="outlook.reason", help_text="Why there is no forecast; else empty.")
    gross = MoneyField(allow_null=True, help_text="Charged, before credits and refunds.")
    credits = MoneyField(allow_null=True, help_text="Credits and refunds, negative.")
    tax = MoneyField(allow_null=True, help_text="Within gross.")
    movers = MoverSerializer(many=True)
    movers_before = DaysSerializer(source="days_before")
    movers_after = DaysSerializer(source="days_after")
    as_of = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(ForecastSerializer(allow_null=True))
    def get_forecast(self, summary: Summary) -> Any:
        return None if summary.outlook.amount is None else ForecastSerializer(summary.outlook).data
