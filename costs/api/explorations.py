"""/api/costs/pivot and /explanation: a report as the explorer shows it, and why its figures may differ from AWS's console."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from costs.api import report_parameters
from costs.api.answers import DaysSerializer, MoneyField
from costs.api.parameters import reader
from costs.api.report_parameters import ReportParameters
from costs.rules.pivots import Kind, Row
from costs.selectors import explanations, explorer
from costs.selectors.costs import Reader
from costs.selectors.explanations import Command, Explanation, Reason
from costs.selectors.explorer import Exploration, Settled


class RowSerializer(serializers.Serializer[Row]):
    kind = serializers.ChoiceField(
        choices=[one.value for one in Kind],
        help_text="Groups, the others as one, what AWS tells in no group (residual), and the total of all of these.",
    )
    key = serializers.CharField(allow_blank=True, help_text="AWS's value of the first grouping; empty unless it is a group.")
    label = serializers.CharField(  # type: ignore[assignment]  # a field, called as the other answers call it
        allow_blank=True, help_text="AWS's name of it."
    )
    amount = MoneyField()
    share = MoneyField(allow_null=True, help_text="Of the total: 1 is all of it. Null where that is zero.")
    before = MoneyField(allow_null=True, help_text="In the span before; null where not compared or not known.")
    change = MoneyField(allow_null=True)
    cells = serializers.ListField(
        child=MoneyField(allow_null=True), help_text="One for each column; null where AWS does not tell it."
    )


class ColumnSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(allow_null=True, help_text="First day of the period, or second grouping's value; null: others.")
    label = serializers.CharField(allow_null=True)  # type: ignore[assignment]


class SettledSerializer(serializers.Serializer[Settled]):
    days = serializers.IntegerField(help_text="Complete days at the start of the span.")
    amount = MoneyField()
    before = MoneyField(allow_null=True, help_text="As many days of the span before.")


class PivotSerializer(serializers.Serializer[Any]):
    start = serializers.DateField()
    end = serializers.DateField(help_text="Exclusive.")
    before = DaysSerializer(allow_null=True, help_text="The span that it is compared with.")
    currency = serializers.CharField(allow_null=True)
    group_by = serializers.ListField(child=serializers.CharField())
    columns = ColumnSerializer(many=True)
    rows = RowSerializer(many=True, help_text="Rows and columns add up to the total, to the last digit. None: nothing is known.")
    others = serializers.IntegerField(help_text="How many groups the row of others holds.")
    settled = SettledSerializer(allow_null=True, help_text="What can be compared while AWS still adds to the newest days.")
    as_of = serializers.DateTimeField(allow_null=True)


class ReasonSerializer(serializers.Serializer[Reason]):
    title = serializers.CharField()
    here = serializers.CharField(help_text="What holds for this figure.")
    there = serializers.CharField(help_text="What to look for in the console.")


class CommandSerializer(serializers.Serializer[Command]):
    account = serializers.CharField(source="alias", help_text="Whose credentials it is asked with.")
    command = serializers.CharField(source="text", help_text="For the AWS CLI. AWS charges for it.")
    url = serializers.CharField(help_text="The same in the console's Cost Explorer.")


class ExplanationSerializer(serializers.Serializer[Explanation]):
    reasons = ReasonSerializer(many=True)
    commands = CommandSerializer(many=True)
    more = serializers.IntegerField(help_text="How many further bills the figure is made of.")


class CostPivot(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[ReportParameters], responses=PivotSerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """A report as the explorer's table: largest groups, others, what no group tells and the total, beside the span before.

        It takes what stands in the explorer's address, and so the `query` of a saved report.
        """
        _, found = _explored(request)
        return Response(PivotSerializer(_document(found)).data)


class CostExplanation(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[ReportParameters], responses=ExplanationSerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """Why the figures of a report may differ from those of AWS's console, with the same question for AWS to answer."""
        costs, found = _explored(request)
        return Response(ExplanationSerializer(explanations.explain(costs, found, clock.today())).data)


def _explored(request: Request) -> tuple[Reader, Exploration]:
    report = report_parameters.read(request.query_params)
    costs = explorer.reader_for(reader(request), report)
    return costs, explorer.explore(costs, report, clock.today())


def _document(found: Exploration) -> dict[str, Any]:
    pivot = found.pivot
    return {
        "start": found.days.start,
        "end": found.days.end,
        "before": found.before_days,
        "currency": found.by_period.currency,
        "group_by": [dimension.word for dimension in found.report.group_by],
        "columns": [{"key": key, "label": found.labels.get(key, key) if key else None} for key in pivot.heads] if pivot else [],
        "rows": list(_rows(found)),
        "others": found.others,
        "settled": found.settled,
        "as_of": found.by_period.as_of,
    }


def _rows(found: Exploration) -> Iterator[dict[str, Any]]:
    for row in found.pivot.rows if found.pivot else ():
        if not found.report.group_by and row.kind is not Kind.TOTAL:
            continue
        key = row.key if row.kind is Kind.GROUP else ""
        label = found.labels.get(key, key) if key else ""
        told = {name: getattr(row, name) for name in ("amount", "share", "before", "change", "cells")}
        yield {"kind": row.kind.value, "key": key, "label": label, **told}
