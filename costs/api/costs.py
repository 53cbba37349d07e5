"""/api/costs: what AWS says it cost, from stored facts."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.permissions import Perm
from costs.api.answers import AnswerSerializer, SummarySerializer, answer_document
from costs.api.parameters import CostParameters, ScopeParameters, question, reader, valid
from costs.selectors import summary
from costs.selectors.costs import Reader


class Costs(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[CostParameters], responses=AnswerSerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """Costs by day or month, in up to two groups. Groups and residual add up to the total, to the last digit.

        Chosen tags are dimensions as well: `group_by=tag:team`, and as a filter `tag:team=web`, repeatable. `$none` is what
        Cost Explorer tells without a value: untagged, or with an empty one. Billing files tell `$untagged` and `$empty` apart.
        """
        given = valid(CostParameters, request)
        asked = question(given)
        costs = Reader(reader(request), given["account"])
        return Response(answer_document(costs.answer(asked), costs.completeness(asked)))


class CostSummary(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(parameters=[ScopeParameters], responses=SummarySerializer, tags=["costs"])
    def get(self, request: Request) -> Response:
        """This month so far, against the same days of the last, its forecast, and which services moved."""
        given = valid(ScopeParameters, request)
        found = summary.summary(
            Reader(reader(request), given["account"]), metric=Metric(given["metric"]), currency=given["currency"]
        )
        return Response(SummarySerializer(found).data)
