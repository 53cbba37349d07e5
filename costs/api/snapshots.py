"""/api/costs/snapshots: the runs that fetch costs from AWS, and asking for one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import aws_accounts
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from costs.api.answers import MoneyField
from costs.api.parameters import reader
from costs.models import CostExplorerRequest, CostRestatement, CostSnapshot, SnapshotStatus, SnapshotTrigger, SnapshotWindow
from costs.selectors import snapshots as selectors
from costs.services import snapshots as services


class WindowSerializer(serializers.ModelSerializer[SnapshotWindow]):
    cube = serializers.CharField(source="title")

    class Meta:
        model = SnapshotWindow
        fields = ["cube", "start", "end", "status", "pages", "rows", "error_code", "error_detail", "finished_at"]
        read_only_fields = fields


class RestatementSerializer(serializers.ModelSerializer[CostRestatement]):
    before = MoneyField(source="unblended_before")
    after = MoneyField(source="unblended_after")

    class Meta:
        model = CostRestatement
        fields = ["day", "currency", "before", "after", "detected_at"]
        read_only_fields = fields


class RequestSerializer(serializers.ModelSerializer[CostExplorerRequest]):
    class Meta:
        model = CostExplorerRequest
        fields = ["at", "operation", "page", "outcome", "charged", "aws_request_id", "duration_ms"]
        read_only_fields = fields


class SnapshotSerializer(serializers.ModelSerializer[CostSnapshot]):
    account = serializers.IntegerField(source="source.account_id")
    alias = serializers.CharField(source="source.account.alias")
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)
    windows_done = serializers.IntegerField()
    windows_total = serializers.IntegerField()
    windows_stored = serializers.IntegerField()
    windows_failed = serializers.IntegerField()
    price = MoneyField(help_text="What the run's requests cost, in USD.")

    class Meta:
        model = CostSnapshot
        fields = [
            "id", "account", "alias", "trigger", "status", "requested_by", "start", "end", "windows_done", "windows_total",
            "windows_stored", "windows_failed", "requests", "price", "rows", "restated", "error_code", "error_detail",
            "error_remedy", "not_before", "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class SnapshotDetailSerializer(SnapshotSerializer):
    current_window = serializers.SerializerMethodField()
    windows = serializers.SerializerMethodField()
    restatements = serializers.SerializerMethodField()
    ledger = serializers.SerializerMethodField()

    class Meta(SnapshotSerializer.Meta):
        fields = [*SnapshotSerializer.Meta.fields, "current_window", "windows", "restatements", "ledger"]
        read_only_fields = fields

    @extend_schema_field(WindowSerializer(allow_null=True))
    def get_current_window(self, run: CostSnapshot) -> Any:
        window = selectors.current_window(run)
        return None if window is None else WindowSerializer(window).data

    @extend_schema_field(WindowSerializer(many=True))
    def get_windows(self, run: CostSnapshot) -> Any:
        return WindowSerializer(selectors.windows_of(run), many=True).data

    @extend_schema_field(RestatementSerializer(many=True))
    def get_restatements(self, run: CostSnapshot) -> Any:
        return RestatementSerializer(selectors.restatements_of(run), many=True).data

    @extend_schema_field(RequestSerializer(many=True))
    def get_ledger(self, run: CostSnapshot) -> Any:
        return RequestSerializer(selectors.ledger_of(run), many=True).data


class NewSnapshotSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, help_text="Id, alias or 12-digit number.")


class SnapshotFilter(filters.FilterSet):  # type: ignore[misc]
    account = filters.CharFilter(method="of_account", help_text="Id, alias or 12-digit number.")
    status = filters.MultipleChoiceFilter(choices=SnapshotStatus.choices)
    trigger = filters.MultipleChoiceFilter(choices=SnapshotTrigger.choices)

    def of_account(self, queryset: QuerySet[CostSnapshot], name: str, value: str) -> QuerySet[CostSnapshot]:
        account = aws_accounts.accounts_in_scope(reader(self.request), Perm.COSTS_VIEW, [value])
        return queryset.filter(source__account__in=account)


class Snapshots(ListApiView):
    permission = {"GET": Perm.COSTS_VIEW, "POST": Perm.COSTS_REFRESH}
    object_decides = True
    serializer_class = SnapshotSerializer
    filterset_class = SnapshotFilter
    queryset = CostSnapshot.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[CostSnapshot]:
        return selectors.visible(reader(self.request))

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The runs you may see, newest first."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewSnapshotSerializer, responses={202: SnapshotSerializer}, tags=["costs"])
    def post(self, request: Request) -> Response:
        """Fetch an account's costs from AWS. Every page costs $0.01. While a run is open, that run is the answer."""
        body = NewSnapshotSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        run = services.request_for(account=body.validated_data["account"], by=reader(request))
        return Response(
            SnapshotSerializer(selectors.visible(reader(request)).get(pk=run.pk)).data,
            status=status.HTTP_202_ACCEPTED,
            headers={"Location": f"/api/costs/snapshots/{run.pk}"},
        )


class Snapshot(ApiView):
    permission = Perm.COSTS_VIEW

    @extend_schema(responses=SnapshotDetailSerializer, tags=["costs"])
    def get(self, request: Request, snapshot_id: int) -> Response:
        """One run with its windows, its requests, and the settled days it found changed."""
        return Response(SnapshotDetailSerializer(selectors.get_for(reader(request), snapshot_id, Perm.COSTS_VIEW)).data)


class CancelSnapshot(ApiView):
    permission = Perm.COSTS_REFRESH
    object_decides = True

    @extend_schema(request=None, responses=SnapshotSerializer, tags=["costs"])
    def post(self, request: Request, snapshot_id: int) -> Response:
        """Stop a run. What it stored stays. 409 `snapshot_is_over` when it has ended."""
        services.cancel(snapshot=selectors.get_for(reader(request), snapshot_id, Perm.COSTS_REFRESH), by=reader(request))
        return Response(SnapshotSerializer(selectors.get_for(reader(request), snapshot_id, Perm.COSTS_VIEW)).data)
