"""/api/operations: what was asked of AWS, what became of it, and a second person's yes or no."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import aws_accounts
from cloudconsole.api import parameters
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from resources.api.requests import queried, reader, sent
from resources.models import Operation, OperationCall
from resources.models.operations import STATUSES
from resources.rules.actions import ACTIONS
from resources.rules.operations import OPEN
from resources.selectors import operations as selectors
from resources.selectors.operations import Question
from resources.services import operations as services

_STATUS_NAMES = [name for name, _ in STATUSES]


class ProgressSerializer(serializers.Serializer[Operation]):
    done = serializers.IntegerField(source="progress_done")
    total = serializers.IntegerField(source="progress_total", allow_null=True, help_text="null where nobody knows how many.")


class OutcomeSerializer(serializers.Serializer[Operation]):
    code = serializers.CharField(source="outcome_code", help_text="Stable; empty after success.")
    detail = serializers.CharField(source="outcome_detail")
    remedy = serializers.CharField(source="outcome_remedy")
    aws_code = serializers.CharField()
    aws_message = serializers.CharField(help_text="AWS's own words, without secrets.")
    state_before = serializers.CharField(source="before_state")
    state_after = serializers.CharField(source="after_state")
    result = serializers.JSONField()


class OperationSerializer(serializers.ModelSerializer[Operation]):
    account = serializers.IntegerField(source="account_id")
    alias = serializers.CharField(source="account.alias")
    title = serializers.CharField()
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)
    approved_by = serializers.CharField(source="approved_by.username", default=None, allow_null=True)
    progress = ProgressSerializer(source="*")
    outcome = serializers.SerializerMethodField()

    class Meta:
        model = Operation
        fields = [
            "id", "uuid", "action", "title", "account", "alias", "region", "target_type", "target", "target_name", "environment",
            "dry_run", "batch", "status", "phase", "requested_by", "by_automation", "approved_by", "decided_at", "reason",
            "decision_reason", "expires_at", "progress", "outcome", "aws_request_ids", "created_at", "started_at", "sent_at",
            "finished_at",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(OutcomeSerializer(allow_null=True))
    def get_outcome(self, operation: Operation) -> Any:
        """What became of it so far; null while there is nothing to tell."""
        told = operation.finished_at or operation.outcome_code or operation.after_state
        return OutcomeSerializer(operation).data if told else None


class CallSerializer(serializers.ModelSerializer[OperationCall]):
    operation = serializers.CharField(source="operation_name")

    class Meta:
        model = OperationCall
        fields = ["at", "service", "operation", "account", "region", "request_id", "ms", "retries", "error"]
        read_only_fields = fields


class OperationDetailSerializer(OperationSerializer):
    calls = serializers.SerializerMethodField()

    class Meta(OperationSerializer.Meta):
        fields = [*OperationSerializer.Meta.fields, "calls"]
        read_only_fields = fields

    @extend_schema_field(CallSerializer(many=True))
    def get_calls(self, operation: Operation) -> Any:
        """The AWS calls it made, in order: the first 500."""
        return CallSerializer(selectors.calls_of(operation), many=True).data


class OperationQuery(serializers.Serializer[Any]):
    status = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Repeatable; `open` is all open ones."
    )
    action = serializers.ListField(child=serializers.ChoiceField(choices=sorted(ACTIONS)), required=False)
    account = serializers.ListField(child=serializers.CharField(max_length=63), required=False, help_text="Repeatable.")
    region = serializers.ListField(child=serializers.CharField(max_length=32), required=False, help_text="Repeatable.")
    target = serializers.CharField(max_length=256, required=False)
    batch = serializers.UUIDField(required=False)
    mine = serializers.BooleanField(required=False, default=False, help_text="Only what you asked for yourself.")


class DecisionSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class Operations(ListApiView):
    permission = Perm.RESOURCES_VIEW
    serializer_class = OperationSerializer
    filter_backends: list[Any] = []
    queryset = Operation.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Operation]:
        request = self.request
        given = queried(OperationQuery, request)
        statuses = set(parameters.choices(request, "status", ["open", *_STATUS_NAMES]))
        if "open" in statuses:
            statuses = (statuses - {"open"}) | {status.value for status in OPEN}
        names = request.query_params.getlist("account")
        user = reader(request)
        question = Question(
            accounts=aws_accounts.accounts_in_scope(user, Perm.RESOURCES_VIEW, names) if names else None,
            regions=given.get("region", []),
            statuses=sorted(statuses),
            actions=parameters.choices(request, "action", sorted(ACTIONS)),
            target=given.get("target", ""),
            batch=given.get("batch"),
            mine=given["mine"],
        )
        return selectors.found(user, question)

    @extend_schema(parameters=[OperationQuery], tags=["operations"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Operations in the accounts you may see, newest first."""
        return super().get(request, *args, **kwargs)


class OperationView(ApiView):
    permission = Perm.RESOURCES_VIEW

    @extend_schema(responses=OperationDetailSerializer, tags=["operations"])
    def get(self, request: Request, operation_id: int) -> Response:
        """One operation with the AWS calls it made."""
        return Response(OperationDetailSerializer(selectors.get_for(reader(request), operation_id)).data)


class Approve(ApiView):
    permission = Perm.RESOURCES_APPROVE
    object_decides = True

    @extend_schema(request=DecisionSerializer, responses=OperationSerializer, tags=["operations"])
    def post(self, request: Request, operation_id: int) -> Response:
        """Let it happen. 403 `own_operation` for whoever asked for it, 409 `operation_not_waiting` when it waits no more."""
        operation, reason = selectors.get_for(reader(request), operation_id), sent(DecisionSerializer, request)["reason"]
        return Response(OperationSerializer(services.approve(operation=operation, by=reader(request), reason=reason)).data)


class Reject(ApiView):
    permission = Perm.RESOURCES_APPROVE
    object_decides = True

    @extend_schema(request=DecisionSerializer, responses=OperationSerializer, tags=["operations"])
    def post(self, request: Request, operation_id: int) -> Response:
        """Do not let it happen. Refused as approving is."""
        operation, reason = selectors.get_for(reader(request), operation_id), sent(DecisionSerializer, request)["reason"]
        return Response(OperationSerializer(services.reject(operation=operation, by=reader(request), reason=reason)).data)


class Cancel(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True

    @extend_schema(request=None, responses=OperationSerializer, tags=["operations"])
    def post(self, request: Request, operation_id: int) -> Response:
        """Take it back. 409 `operation_under_way` once AWS was asked, unless it goes on bit by bit."""
        operation = selectors.get_for(reader(request), operation_id)
        return Response(OperationSerializer(services.cancel(operation=operation, by=reader(request))).data)


def accepted(operation: Operation) -> Response:
    """The answer to a wish: 202 with the operation, and where to follow it."""
    return Response(OperationSerializer(operation).data, status=202, headers={"Location": f"/api/operations/{operation.pk}"})
