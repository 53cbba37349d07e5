"""/api/costs/imports: billing files (FOCUS, Cost and Usage Reports) sent, looked at, stored and taken back."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api import streams
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import reader
from costs.models import CostImport, ImportRejection, ImportStatus, Owner
from costs.selectors import imports as selectors
from costs.services.billing import again
from costs.services.billing import imports as services


class ImportSerializer(serializers.ModelSerializer[CostImport]):
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)
    bucket = serializers.CharField(default=None, allow_null=True)
    tag_keys = serializers.ListField(
        child=serializers.CharField(),
        read_only=True,
        help_text="Tags that its lines carry; /api/costs/tags has those chosen.",
    )
    rounded = MoneyField(help_text="What rounding each line to twelve decimal places changed in total.")

    class Meta:
        model = CostImport
        fields = [
            "id", "name", "bucket", "size", "digest", "format", "status", "progress", "requested_by", "lines", "faulty",
            "rounded", "facts", "scanned", "tag_keys", "error_code", "error_detail", "error_remedy", "created_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    def to_representation(self, instance: CostImport) -> dict[str, Any]:
        told: dict[str, Any] = super().to_representation(instance)
        if instance.pk in self.context.get("only_parts", ()):
            told |= dict.fromkeys(("lines", "faulty", "rounded", "facts", "scanned")) | {"error_detail": "", "tag_keys": []}
        return told


class ImportedPeriodSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="period.pk")
    account_id = serializers.CharField(source="period.number", help_text="The account whose figures the period becomes.")
    payer = serializers.CharField(source="period.payer")
    month = serializers.DateField(source="period.month")
    currency = serializers.CharField(source="period.currency")
    lines = serializers.IntegerField(source="period.lines")
    unblended = MoneyField(source="period.unblended")
    amortized = MoneyField(source="period.amortized")
    accounts = serializers.ListField(source="period.accounts", child=serializers.CharField())
    owner = serializers.CharField(source="period.owner", help_text="file, cost_explorer, newer_file, nobody; or empty.")
    cost_explorer = MoneyField(allow_null=True, help_text="What Cost Explorer tells of the month, unblended; null: nothing.")
    cost_explorer_days = serializers.IntegerField(source="days")
    difference = MoneyField(allow_null=True, help_text="The file's total less Cost Explorer's.")
    replaces = serializers.IntegerField(source="replaces.cost_import_id", default=None, allow_null=True, help_text="The import.")


class ImportDetailSerializer(ImportSerializer):
    periods = ImportedPeriodSerializer(many=True)

    class Meta(ImportSerializer.Meta):
        fields = [*ImportSerializer.Meta.fields, "periods"]
        read_only_fields = fields


class RejectionSerializer(serializers.ModelSerializer[ImportRejection]):
    class Meta:
        model = ImportRejection
        fields = ["line", "column", "value", "reason"]
        read_only_fields = fields


class NewImportSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(
        allow_empty_file=True, max_length=1024, help_text="CSV or Parquet, as it is or packed by gzip or ZIP; any size."
    )


class CommitSerializer(serializers.Serializer[Any]):
    keep = serializers.ListField(
        child=serializers.IntegerField(), required=False, default=list, max_length=1000,
        help_text="Periods, by id, that Cost Explorer goes on telling.",
    )  # fmt: skip


class OwnerSerializer(serializers.Serializer[Any]):
    owner = ChoiceField(choices=[Owner.FILE.value, Owner.COST_EXPLORER.value])


class ImportFilter(filters.FilterSet):  # type: ignore[misc]
    status = filters.MultipleChoiceFilter(choices=ImportStatus.choices)


def _detail(request: Request, import_id: int) -> dict[str, Any]:
    user = reader(request)
    row = selectors.get_for(user, import_id)
    periods = ImportedPeriodSerializer(selectors.periods_of(user, row), many=True).data
    context = {"only_parts": selectors.only_parts(user, [row])}
    return {**ImportSerializer(row, context=context).data, "periods": periods}


def _changeable(request: Request, import_id: int) -> CostImport:
    return selectors.get_for(reader(request), import_id, Perm.COSTS_REFRESH)


class Imports(ListApiView):
    permission = {"GET": Perm.COSTS_VIEW, "POST": Perm.COSTS_REFRESH}
    takes_files = True
    parser_classes = [MultiPartParser]
    serializer_class = ImportSerializer
    filterset_class = ImportFilter
    queryset = CostImport.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[CostImport]:
        return selectors.visible(reader(self.request))

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Of a list, with which of its rows the reader sees only in part."""
        if not args or not kwargs.get("many"):
            return super().get_serializer(*args, **kwargs)
        only_parts = selectors.only_parts(reader(self.request), args[0])
        return ImportSerializer(*args, **kwargs, context={**self.get_serializer_context(), "only_parts": only_parts})

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The billing files you may see, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": NewImportSerializer},
        responses={201: ImportSerializer, 200: OpenApiResponse(ImportSerializer, description="The same file was sent before.")},
        tags=["costs"],
    )
    def post(self, request: Request) -> Response:
        """Send a FOCUS file or a Cost and Usage Report. It is read in the background; nothing is stored before `commit`."""
        body = NewImportSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        file = body.validated_data["file"]
        received = services.receive(name=file.name or "", file=file.file, by=reader(request))
        return Response(
            ImportSerializer(received.cost_import).data,
            status=status.HTTP_201_CREATED if received.created else status.HTTP_200_OK,
            headers={"Location": f"/api/costs/imports/{received.cost_import.pk}"},
        )


class Import(ApiView):
    permission = {"GET": Perm.COSTS_VIEW, "DELETE": Perm.COSTS_REFRESH}
    object_decides = True

    @extend_schema(responses=ImportDetailSerializer, tags=["costs"])
    def get(self, request: Request, import_id: int) -> Response:
        """One file with its periods: sums, accounts, what storing it would replace."""
        return Response(_detail(request, import_id))

    @extend_schema(responses={204: None}, tags=["costs"])
    def delete(self, request: Request, import_id: int) -> Response:
        """Discard a file that is not stored. 409 `import_state` for one that is."""
        services.discard(cost_import=_changeable(request, import_id), by=reader(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CommitImport(ApiView):
    permission = Perm.COSTS_REFRESH
    object_decides = True

    @extend_schema(request=CommitSerializer, responses={202: ImportDetailSerializer}, tags=["costs"])
    def post(self, request: Request, import_id: int) -> Response:
        """Store the file's figures, in the background. Faulty lines are left out. 409 `import_state` unless it is `ready`."""
        row = _changeable(request, import_id)
        body = CommitSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.accept(cost_import=row, by=reader(request), keep=body.validated_data["keep"])
        return Response(_detail(request, import_id), status=status.HTTP_202_ACCEPTED)


class ApplyImportAgain(ApiView):
    permission = Perm.COSTS_REFRESH
    object_decides = True

    @extend_schema(request=None, responses={202: ImportDetailSerializer}, tags=["costs"])
    def post(self, request: Request, import_id: int) -> Response:
        """Read a stored file again: by the tags that are chosen now, and divided among the accounts that are connected now.

        From a bucket that Athena sums it is asked again, which costs. 409 `import_state` unless it is `committed`.
        """
        again.apply(cost_import=_changeable(request, import_id), by=reader(request))
        return Response(_detail(request, import_id), status=status.HTTP_202_ACCEPTED)


class RollBackImport(ApiView):
    permission = Perm.COSTS_REFRESH
    object_decides = True

    @extend_schema(request=None, responses=ImportDetailSerializer, tags=["costs"])
    def post(self, request: Request, import_id: int) -> Response:
        """Take the file's figures away. Its months show again what Cost Explorer told of them."""
        services.roll_back(cost_import=_changeable(request, import_id), by=reader(request))
        return Response(_detail(request, import_id))


class RejectedLines(ListApiView):
    permission = Perm.COSTS_VIEW
    serializer_class = RejectionSerializer
    queryset = ImportRejection.objects.none()

    def get_queryset(self) -> QuerySet[ImportRejection]:
        user = reader(self.request)
        return selectors.rejections_of(user, selectors.get_for(user, self.kwargs["import_id"]))

    @extend_schema(
        tags=["costs"], parameters=[],
        responses={(200, "application/json"): RejectionSerializer(many=True), (200, "text/csv"): OpenApiTypes.STR},
    )  # fmt: skip
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:  # type: ignore[override]
        """The lines that could not be read, and why; `format=csv` for a download."""
        if request.query_params.get("format") == "csv":
            return rejected_csv(request._request, self.get_queryset())
        return super().get(request, *args, **kwargs)


def rejected_csv(request: Any, lines: QuerySet[ImportRejection]) -> HttpResponseBase:
    rows = lines.values_list("line", "column", "value", "reason").iterator(chunk_size=2_000)
    text = streams.csv_lines(["line", "column", "value", "reason"], rows)
    return streams.streamed(request, text, content_type="text/csv; charset=utf-8", filename="rejected-lines.csv")


class PeriodOwner(ApiView):
    permission = Perm.COSTS_REFRESH
    object_decides = True

    @extend_schema(request=OwnerSerializer, responses=ImportDetailSerializer, tags=["costs"])
    def post(self, request: Request, import_id: int, period_id: int) -> Response:
        """Say who tells the month's figures: this `file`, or `cost_explorer`."""
        row = _changeable(request, import_id)
        period = selectors.period_for(reader(request), row, period_id)
        body = OwnerSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        services.choose(period=period, owner=Owner(body.validated_data["owner"]), by=reader(request))
        return Response(_detail(request, import_id))
