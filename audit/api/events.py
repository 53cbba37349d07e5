"""The trail over HTTP: read it, take it along, prove that it is whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit import selectors, verbs
from audit.models import AuditEvent, Outcome, Person
from audit.models.events import AuditEventQuerySet
from audit.selectors import EventFilter
from audit.services import exports, verification
from cloudconsole.api import parameters, streams
from cloudconsole.api.pagination import CursorPagination
from cloudconsole.api.views import ApiView, UnboundedListApiView
from cloudconsole.core.permissions import Perm

COLUMNS = (
    "id",
    "at",
    "actor",
    "role",
    "ip",
    "auth",
    "action",
    "sentence",
    "subject",
    "account_alias",
    "account_number",
    "account_environment",
    "region",
    "target",
    "outcome",
    "request_id",
    "aws_request_id",
    "detail",
    "hash",
)

FILTERS = [
    OpenApiParameter("action", enum=sorted(verbs.REGISTRY), many=True),
    OpenApiParameter("outcome", enum=Outcome.values, many=True),
    OpenApiParameter("account", many=True, description="Id, alias or 12-digit number of an AWS account."),
    OpenApiParameter("environment", many=True, description="Environment that the account had at the time."),
    OpenApiParameter("actor", description="Name or id of a person."),
    OpenApiParameter("target"),
    OpenApiParameter("region"),
    OpenApiParameter("request_id"),
    OpenApiParameter("start", OpenApiTypes.DATETIME, description="From this moment or day on."),
    OpenApiParameter("end", OpenApiTypes.DATETIME, description="Before this moment or day."),
    OpenApiParameter("search", description="Text in names, targets, addresses, request ids or the sentence of the action."),
]


class FrozenAccountSerializer(serializers.Serializer[AuditEvent]):
    """The AWS account as it was called then; it may be gone by now."""

    id = serializers.IntegerField(source="account_pk")
    alias = serializers.CharField(source="account_alias")
    account_id = serializers.CharField(source="account_number")
    environment = serializers.CharField(source="account_environment")


class ActorSerializer(serializers.Serializer[AuditEvent]):
    """Who acted. Without an id: the installation itself, by the name of what did it."""

    id = serializers.IntegerField(source="actor_id", allow_null=True)
    username = serializers.CharField(source="actor_name")


class AuditEventSerializer(serializers.ModelSerializer[AuditEvent]):
    id = serializers.IntegerField(source="seq")
    actor = serializers.SerializerMethodField()
    account = serializers.SerializerMethodField()
    sentence = serializers.CharField()
    detail = serializers.DictField()

    class Meta:
        model = AuditEvent
        fields = (
            "id",
            "at",
            "actor",
            "role",
            "ip",
            "auth",
            "action",
            "sentence",
            "subject",
            "account",
            "region",
            "target",
            "outcome",
            "request_id",
            "aws_request_id",
            "detail",
            "prev_hash",
            "hash",
        )

    @extend_schema_field(ActorSerializer(allow_null=True))
    def get_actor(self, event: AuditEvent) -> dict[str, Any] | None:
        return dict(ActorSerializer(event).data) if event.actor_name else None

    @extend_schema_field(FrozenAccountSerializer(allow_null=True))
    def get_account(self, event: AuditEvent) -> dict[str, Any] | None:
        return dict(FrozenAccountSerializer(event).data) if event.account_pk else None


class FindingSerializer(serializers.Serializer[Any]):
    harm = serializers.ChoiceField(choices=[harm.value for harm in verification.Harm])
    first = serializers.IntegerField(help_text="The first event concerned.")
    last = serializers.IntegerField(help_text="The last event concerned, inclusive.")
    words = serializers.CharField()


class ReportSerializer(serializers.Serializer[Any]):
    intact = serializers.BooleanField()
    events = serializers.IntegerField()
    checkpoints = serializers.IntegerField(allow_null=True, help_text="Null: there is no checkpoint file.")
    findings = FindingSerializer(many=True)


class NewestFirst(CursorPagination):
    ordering = "-seq"


class AuditList(UnboundedListApiView):
    """What happened, newest first. Admins see all, others what they did themselves."""

    permission = Perm.SELF
    serializer_class = AuditEventSerializer
    pagination_class = NewestFirst
    filter_backends = ()

    def get_queryset(self) -> AuditEventQuerySet:
        if getattr(self, "swagger_fake_view", False):
            return AuditEvent.objects.all()
        return selectors.events(self.request.user, wanted(self.request))

    @extend_schema(parameters=FILTERS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return super().get(request, *args, **kwargs)


class AuditExport(ApiView):
    """What the same filters show, whole, as CSV. Text that a spreadsheet would run as a formula is neutralised."""

    permission = Perm.SELF

    @extend_schema(parameters=FILTERS, responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponseBase:
        events = exports.export(reader=cast(Person, request.user), wanted=wanted(request))
        lines = streams.csv_lines(COLUMNS, (_row(event) for event in events))
        return streams.streamed(request._request, lines, content_type="text/csv; charset=utf-8", filename="audit.csv")


class AuditVerify(ApiView):
    """Read the whole trail and say whether it is as it was written."""

    permission = Perm.AUDIT_VIEW_ALL

    @extend_schema(request=None, responses=ReportSerializer)
    def post(self, request: Request) -> Response:
        return Response(ReportSerializer(verification.verify_for(cast(Person, request.user))).data)


def wanted(request: Request) -> EventFilter:
    """The filters of a request; 400 for what means nothing."""
    return EventFilter(
        actions=tuple(parameters.choices(request, "action", verbs.REGISTRY)),
        outcomes=tuple(parameters.choices(request, "outcome", Outcome.values)),
        accounts=tuple(value.strip() for value in request.query_params.getlist("account") if value.strip()),
        environments=tuple(value.strip() for value in request.query_params.getlist("environment") if value.strip()),
        actor=parameters.text(request, "actor"),
        target=parameters.text(request, "target"),
        region=parameters.text(request, "region"),
        request_id=parameters.text(request, "request_id"),
        since=parameters.moment(request, "start"),
        until=parameters.moment(request, "end"),
        search=parameters.text(request, "search"),
    )


def _row(event: AuditEvent) -> Sequence[object]:
    return [
        event.seq,
        event.at.isoformat(),
        event.actor_name,
        event.role,
        event.ip,
        event.auth,
        event.action,
        event.sentence,
        event.subject,
        event.account_alias,
        event.account_number,
        event.account_environment,
        event.region,
        event.target,
        event.outcome,
        event.request_id,
        event.aws_request_id,
        json.dumps(event.detail, ensure_ascii=False),
        event.hash,
    ]
