"""/api/stats: what your requests came to, and the log of them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person
from cloudconsole.api import streams
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.pagination import CursorPagination
from cloudconsole.api.views import ApiView, UnboundedListApiView
from cloudconsole.core.permissions import Perm
from gateway.api.rate_limits import RateWindowSerializer
from gateway.models import RequestLog, Via
from gateway.rules.keys import METHODS
from gateway.selectors import captures, rate_windows, statistics
from gateway.selectors.statistics import DAYS, MOST_DAYS, OUTCOMES, LogFilter, Sums

_LARGEST = 2**63 - 1  # that a database numbers


class DaysParameters(serializers.Serializer[Any]):
    days = serializers.IntegerField(default=DAYS, min_value=1, max_value=MOST_DAYS, help_text="UTC days, today included.")


class LogParameters(DaysParameters):
    api_key_id = serializers.IntegerField(default=None, min_value=1, max_value=_LARGEST, allow_null=True)
    api_name = serializers.CharField(default="", max_length=64)
    host = serializers.CharField(default="", max_length=260, help_text="As rows have it: with its port where that is unusual.")
    method = ChoiceField(choices=METHODS, default="")
    outcome = ChoiceField(choices=OUTCOMES, default="")
    via = ChoiceField(choices=Via.values, default="")


class SumsSerializer(serializers.Serializer[Sums]):
    api_calls = serializers.IntegerField(source="calls")
    succeeded = serializers.IntegerField(help_text="Answered with a status below 400, and whole.")
    failed = serializers.IntegerField()
    unanswered = serializers.IntegerField(help_text="Of those that failed: to which no answer came.")
    success_rate = serializers.FloatField(allow_null=True, help_text="Percent; null where nothing was called.")
    request_bytes = serializers.IntegerField()
    response_bytes = serializers.IntegerField()
    average_latency_ms = serializers.FloatField(
        source="latency.mean_ms", default=None, allow_null=True, help_text="Of answered requests."
    )
    p50_latency_ms = serializers.IntegerField(source="latency.p50_ms", default=None, allow_null=True)
    p95_latency_ms = serializers.IntegerField(source="latency.p95_ms", default=None, allow_null=True)


class ApiStatisticsSerializer(SumsSerializer):
    host = serializers.CharField(help_text="Empty where no address could be read.")
    name = serializers.CharField(help_text="Of the service, where its host is well known.")


class LatencySerializer(serializers.Serializer[Any]):
    """Of answered requests; null where none was."""

    average_latency_ms = serializers.FloatField(source="sums.latency.mean_ms", default=None, allow_null=True)
    p50_latency_ms = serializers.IntegerField(source="sums.latency.p50_ms", default=None, allow_null=True)
    p95_latency_ms = serializers.IntegerField(source="sums.latency.p95_ms", default=None, allow_null=True)


class KeyStatisticsSerializer(SumsSerializer):
    api_key_id = serializers.IntegerField(allow_null=True, help_text="Null without a key, or where it is gone.")
    api_name = serializers.CharField()


class DayStatisticsSerializer(LatencySerializer):
    day = serializers.DateField()
    api_calls = serializers.IntegerField(source="sums.calls")
    succeeded = serializers.IntegerField(source="sums.succeeded")
    failed = serializers.IntegerField(source="sums.failed")
    request_bytes = serializers.IntegerField(source="sums.request_bytes")
    response_bytes = serializers.IntegerField(source="sums.response_bytes")


class PersonStatisticsSerializer(LatencySerializer):
    username = serializers.CharField()
    api_calls = serializers.IntegerField(source="sums.calls")
    succeeded = serializers.IntegerField(source="sums.succeeded")
    failed = serializers.IntegerField(source="sums.failed")
    request_bytes = serializers.IntegerField(source="sums.request_bytes")
    response_bytes = serializers.IntegerField(source="sums.response_bytes")


class StatisticsSerializer(SumsSerializer):
    """Sums of the last `days`. `rate_limits`: of each API the window that runs out first."""

    days = serializers.IntegerField()
    since = serializers.DateTimeField()
    total_api_keys = serializers.IntegerField()
    causes = serializers.DictField(child=serializers.IntegerField(), help_text="Failed requests by status or cause.")
    by_key = KeyStatisticsSerializer(many=True)
    by_api = ApiStatisticsSerializer(many=True, help_text="By host, whatever keys were used there.")
    by_day = DayStatisticsSerializer(many=True)
    by_user = PersonStatisticsSerializer(many=True, help_text="Sums of everybody, for admins; empty for others.")
    rate_limits = serializers.DictField(child=RateWindowSerializer())


class RequestLogSerializer(serializers.ModelSerializer[RequestLog]):
    """One request: never a query string, a header or a body."""

    api_key_id = serializers.IntegerField(source="key_id", allow_null=True)
    status_code = serializers.IntegerField(source="status", allow_null=True, help_text="Null: no answer came; `error` says why.")
    time_taken_ms = serializers.IntegerField(source="duration_ms")
    captured = serializers.BooleanField(source="is_kept", help_text="Headers and bodies are at /api/keys/{key}/captured/{id}.")

    class Meta:
        model = RequestLog
        fields = [
            "id",
            "at",
            "api_key_id",
            "api_name",
            "via",
            "method",
            "scheme",
            "host",
            "path",
            "status_code",
            "error",
            "time_taken_ms",
            "request_bytes",
            "response_bytes",
            "attempts",
            "ip",
            "captured",
        ]
        read_only_fields = fields


class GatewayStatistics(ApiView):
    permission = Perm.SELF

    @extend_schema(parameters=[DaysParameters], responses=OpenApiResponse(StatisticsSerializer), tags=["gateway"])
    def get(self, request: Request) -> Response:
        """Your keys and what was sent with them: calls, successes, latency, errors, bytes; and what is left of the limits."""
        by, days = person(request), _asked(DaysParameters, request)["days"]
        found = statistics.of(by, LogFilter(days))
        told = {
            "days": found.days,
            "since": found.since,
            "total_api_keys": found.keys,
            **SumsSerializer(found.total).data,
            "causes": found.by_cause,
            "by_key": [
                {"api_key_id": one.key_id, "api_name": one.api_name, **SumsSerializer(one.sums).data} for one in found.by_key
            ],
            "by_api": [{"host": one.host, "name": one.name, **SumsSerializer(one.sums).data} for one in found.by_api],
            "by_day": DayStatisticsSerializer(found.by_day, many=True).data,
            "by_user": PersonStatisticsSerializer(statistics.of_people(by, days), many=True).data,
            "rate_limits": {name: RateWindowSerializer(one).data for name, one in rate_windows.tightest(by).items()},
        }
        return Response(told)


def _asked(serializer: type[DaysParameters], request: Request) -> dict[str, Any]:
    """The query as `serializer` reads it. Raises ValidationError."""
    parameters = serializer(data=request.query_params)
    parameters.is_valid(raise_exception=True)
    found: dict[str, Any] = parameters.validated_data
    return found


_COLUMNS = (
    *("at", "api_name", "via", "method", "host", "path", "status", "error"),
    *("duration_ms", "request_bytes", "response_bytes", "attempts", "ip", "scheme"),
)


class RequestLogExport(ApiView):
    permission = Perm.SELF

    @extend_schema(parameters=[LogParameters], responses={(200, "text/csv"): OpenApiTypes.STR}, tags=["gateway"])
    def get(self, request: Request) -> HttpResponseBase:
        """What the same filters show, whole, as CSV. Text that a spreadsheet would run as a formula is neutralised."""
        rows = _wanted_logs(request).values_list(*_COLUMNS).iterator(chunk_size=2_000)
        lines = streams.csv_lines(_COLUMNS, ((row[0].isoformat(), *row[1:]) for row in rows))
        return streams.streamed(request._request, lines, content_type="text/csv; charset=utf-8", filename="requests.csv")


def _wanted_logs(request: Request) -> QuerySet[RequestLog]:
    given = _asked(LogParameters, request)
    return statistics.logs(person(request), LogFilter(key=given.pop("api_key_id"), **given))


class NewestFirst(CursorPagination):
    ordering = ("-at", "-pk")  # type: ignore[assignment]  # the stubs know of one name alone


class RequestLogs(UnboundedListApiView):
    permission = Perm.SELF
    serializer_class = RequestLogSerializer
    pagination_class = NewestFirst
    queryset = RequestLog.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[RequestLog]:
        return captures.marked(_wanted_logs(self.request))

    @extend_schema(parameters=[LogParameters], tags=["gateway"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your requests of the last days, newest first."""
        return super().get(request, *args, **kwargs)
