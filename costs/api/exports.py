"""/api/costs/export: what is stored, as plain CSV or as FOCUS 1.2 in CSV or Parquet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from cloudconsole.api import streams
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from costs.api.parameters import CostParameters, question, reader, valid
from costs.rules import focus
from costs.rules.cubes import Dimension
from costs.selectors import exports
from costs.selectors.costs import Reader
from costs.selectors.questions import NotStored, Question
from costs.services import parquet
from costs.services.billing import lines

FORMATS = ("csv", "focus", "parquet")
DETAILS = ("stored", "lines")
# The sums of FOCUS can be narrowed by these.
TOLD_TOGETHER = frozenset((Dimension.SERVICE, Dimension.RECORD_TYPE))


class ExportParameters(CostParameters):
    format = ChoiceField(
        choices=FORMATS,
        default="csv",
        help_text="`csv`: the answer of /api/costs as rows; `focus`: FOCUS 1.2 as CSV; `parquet`: FOCUS 1.2 as Parquet.",
    )

    detail = ChoiceField(
        choices=DETAILS,
        default="stored",
        help_text="Of FOCUS. `stored`: the sums that are stored; `lines`: of months that a billing file tells that is kept here, "
        "every line with all its columns (ResourceId, SkuId, Tags …), and of other months what is stored.",
    )


class CostExport(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(
        parameters=[ExportParameters],
        responses={(200, "text/csv"): OpenApiTypes.STR, (200, "application/vnd.apache.parquet"): OpenApiTypes.BINARY},
        tags=["costs"],
    )
    def get(self, request: Request) -> HttpResponseBase:
        """Exactly what the range and the filters say, streamed. FOCUS tells every stored metric, service by service and charge by
        charge, so `group_by`, `granularity` and `metric` count for `csv` only. What AWS told in no group is a row of its own.

        FOCUS can be narrowed by region, usage type or tag where `detail=lines` finds a kept file for every month; else it is a
        400 `not_stored`."""
        given = valid(ExportParameters, request)
        costs, wanted = Reader(reader(request), given["account"]), Wanted(given["format"], given["detail"])
        return exported(request._request, costs, question(given), wanted)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One of FORMATS, and one of DETAILS."""

    format: str
    detail: str


def exported(request: HttpRequest, costs: Reader, asked: Question, wanted: Wanted) -> HttpResponseBase:
    """The download. Raises what the selectors raise, before anything is sent."""
    name = f"costs-{asked.days.start}-{asked.days.end}"
    if wanted.format == "csv":
        text = streams.csv_lines(exports.answer_header(asked), exports.answer_rows(costs, asked))
        return streams.streamed(request, text, content_type="text/csv; charset=utf-8", filename=f"{name}.csv")
    rows = _rows(costs, asked, wanted.detail)
    if wanted.format == "focus":
        text = streams.csv_lines(focus.header(), rows)
        return streams.streamed(request, text, content_type="text/csv; charset=utf-8", filename=f"focus-{name}.csv")
    pieces = parquet.pieces(rows)
    return streams.streamed(request, pieces, content_type="application/vnd.apache.parquet", filename=f"focus-{name}.parquet")


def _rows(costs: Reader, asked: Question, detail: str) -> Iterator[Sequence[object]]:
    if detail == "lines":
        return iter(lines.rows(costs, asked))
    try:
        charges = exports.charges(costs, asked)
    except NotStored as error:
        hint = "With detail=lines, months whose billing file is kept here can be narrowed by all of these."
        raise NotStored(f"{error.detail} {hint}", attr=error.attr) from error
    return (row for charge in charges for row in focus.rows(charge))
