"""/api/automation: schedules, what they will do, and what they decided and why."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AwsAccount
from accounts.selectors import aws_accounts
from cloudconsole.api.views import ApiView, ListApiView, UnboundedListApiView
from cloudconsole.core.permissions import Perm
from resources.api.plans import LIST_PERMISSIONS, TAGS, OnePlan, PlanView, SwitchPlan, documented, documented_switch
from resources.api.requests import reader, sent
from resources.models import Decision, Schedule
from resources.models.automation import DEEDS, MISSED, MODES, OUTCOMES
from resources.rules.schedules import Deed, Missed, Mode
from resources.selectors import automation as selectors
from resources.services import automation as services
from resources.services.automation import schedules
from resources.services.automation.schedules import period_of

_TIME = serializers.TimeField


class PeriodSerializer(serializers.Serializer[Any]):
    days = serializers.ListField(
        child=serializers.CharField(max_length=16),
        min_length=1,
        max_length=40,
        help_text="mon … sun, mon#1 (the first), fri#last, 15 (of the month), last.",
    )
    begin = _TIME(required=False, allow_null=True, default=None, help_text="Local time. Without it, things are only stopped.")
    end = _TIME(
        required=False, allow_null=True, default=None, help_text="Not after begin: on the next day. Without it, only started."
    )


class TagSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(max_length=128)
    value = serializers.CharField(max_length=256, allow_blank=True, default="", help_text="Empty: any value.")


class WantedScheduleSerializer(serializers.Serializer[Any]):
    """A schedule. All given conditions have to fit; at least one of accounts, environments, tags and instances is given."""

    name = serializers.CharField(max_length=80)
    zone = serializers.CharField(max_length=64, help_text="For example Europe/Berlin.")
    periods = PeriodSerializer(many=True)
    holidays = serializers.ListField(child=serializers.DateField(), default=list, max_length=200)
    mode = serializers.ChoiceField(choices=[name for name, _ in MODES], default=Mode.EDGES.value)
    missed = serializers.ChoiceField(choices=[name for name, _ in MISSED], default=Missed.RUN_ONCE.value)
    accounts = serializers.ListField(child=serializers.CharField(max_length=63), default=list, max_length=500)
    environments = serializers.ListField(child=serializers.CharField(max_length=16), default=list, max_length=4)
    regions = serializers.ListField(child=serializers.CharField(max_length=32), default=list, max_length=50)
    tags = TagSerializer(many=True, default=list)
    instances = serializers.ListField(child=serializers.CharField(max_length=64), default=list, max_length=200)


class EdgeSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    action = serializers.CharField(source="deed")


class ScheduleSerializer(serializers.ModelSerializer[Schedule]):
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)
    accounts = serializers.SerializerMethodField()
    tags = serializers.SerializerMethodField()
    next = serializers.SerializerMethodField(help_text="What its hours do next, whether or not it is paused.")

    class Meta:
        model = Schedule
        fields = [
            "id", "name", "owner", "state", "state_reason", "zone", "periods", "holidays", "mode", "missed", "accounts",
            "environments", "regions", "tags", "instances", "override", "override_until", "arms_at", "failures", "next",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_accounts(self, schedule: Schedule) -> list[str]:
        return [account.alias for account in schedule.accounts.all()]

    def get_tags(self, schedule: Schedule) -> list[dict[str, str]]:
        return [{"key": key, "value": value} for key, value in schedule.tags]

    def get_next(self, schedule: Schedule) -> dict[str, str] | None:
        edge = selectors.next_edge(schedule)
        return EdgeSerializer(edge).data if edge else None


class MeantSerializer(serializers.Serializer[Any]):
    id = serializers.CharField(source="instance_id")
    name = serializers.CharField()
    account = serializers.CharField(source="account.alias")
    region = serializers.CharField()
    state = serializers.CharField()


class SchedulePreviewSerializer(serializers.Serializer[Any]):
    edges = EdgeSerializer(many=True, help_text="Of the next fourteen days.")
    instances = MeantSerializer(many=True, help_text="That it would act on now, as its owner may.")


class PointSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField(help_text="When the period begins.")
    value = serializers.FloatField(allow_null=True, help_text="Null: CloudWatch has none, which is not 0.")


class DecisionSerializer(serializers.ModelSerializer[Decision]):
    """Of a schedule or of a scaling rule: the other one is null."""

    schedule = serializers.IntegerField(source="slot.schedule_id", allow_null=True)
    schedule_name = serializers.CharField(source="slot.schedule.name", default=None, allow_null=True)
    scaling_rule = serializers.IntegerField(source="slot.rule_id", allow_null=True)
    scaling_rule_name = serializers.CharField(source="slot.rule.name", default=None, allow_null=True)
    points = PointSerializer(source="slot.seen", many=True, help_text="What a scaling rule saw, oldest first.")
    action = serializers.CharField(source="slot.deed")
    due_at = serializers.DateTimeField(source="slot.at")
    account = serializers.IntegerField(source="account_id")
    alias = serializers.CharField(source="account.alias")
    operation = serializers.IntegerField(source="operation_id", allow_null=True)

    class Meta:
        model = Decision
        fields = [
            "id", "at", "due_at", "schedule", "schedule_name", "scaling_rule", "scaling_rule_name", "action", "account", "alias",
            "region", "instance_id", "instance_name", "state", "outcome", "reason", "points", "operation",
        ]  # fmt: skip
        read_only_fields = fields


class OverrideSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=[*(name for name, _ in DEEDS), "none"], help_text="none: back to its hours.")
    until = serializers.DateTimeField(required=False, allow_null=True, default=None)


def _wanted(request: Request) -> services.Wanted:
    given = sent(WantedScheduleSerializer, request)
    return services.Wanted(
        name=given["name"],
        zone=given["zone"],
        periods=[period_of(one["days"], one["begin"], one["end"]) for one in given["periods"]],
        holidays=given["holidays"],
        mode=Mode(given["mode"]),
        missed=Missed(given["missed"]),
        accounts=_accounts(request, given["accounts"]),
        environments=given["environments"],
        regions=given["regions"],
        tags=[(one["key"], one["value"]) for one in given["tags"]],
        instances=given["instances"],
    )


def _accounts(request: Request, names: list[str]) -> list[AwsAccount]:
    return aws_accounts.accounts_in_scope(reader(request), Perm.RESOURCES_OPERATE, names) if names else []


class Schedules(ListApiView):
    permission = LIST_PERMISSIONS
    serializer_class = ScheduleSerializer
    queryset = Schedule.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Schedule]:
        return selectors.visible(reader(self.request)).prefetch_related("accounts")

    @extend_schema(tags=TAGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your schedules, and those of which you may see every account."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=WantedScheduleSerializer, responses={201: ScheduleSerializer}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Make one. It is on trial for a week: it tells what it would do, and does nothing, until it is armed."""
        made = services.create(wanted=_wanted(request), by=reader(request))
        return Response(ScheduleSerializer(made).data, status=status.HTTP_201_CREATED)


class _Schedule(PlanView[Schedule]):
    find = staticmethod(selectors.get_for)
    plans = schedules
    shown = ScheduleSerializer
    key = "schedule_id"


@documented(WantedScheduleSerializer, ScheduleSerializer)
class OneSchedule(_Schedule, OnePlan[Schedule]):
    wanted = staticmethod(_wanted)


@documented_switch(ScheduleSerializer)
class SwitchSchedule(_Schedule, SwitchPlan[Schedule]):
    pass


class OverrideSchedule(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True

    @extend_schema(request=OverrideSerializer, responses=ScheduleSerializer, tags=TAGS)
    def post(self, request: Request, schedule_id: int) -> Response:
        """Keep its instances running, or stopped, until a moment; `none` goes back to its hours."""
        schedule = selectors.get_for(reader(request), schedule_id, Perm.RESOURCES_OPERATE)
        given = sent(OverrideSerializer, request)
        deed = None if given["action"] == "none" else Deed(given["action"])
        changed = services.override(schedule=schedule, deed=deed, until=given["until"], by=reader(request))
        return Response(ScheduleSerializer(changed).data)


class SchedulePreview(ApiView):
    permission = Perm.RESOURCES_VIEW

    @extend_schema(responses=SchedulePreviewSerializer, tags=TAGS)
    def get(self, request: Request, schedule_id: int) -> Response:
        """What it will do in the next fourteen days, and to what."""
        user = reader(request)
        schedule = selectors.get_for(user, schedule_id, Perm.RESOURCES_VIEW)
        edges = [edge for day in selectors.ahead(schedule) for edge in day.edges]
        return Response(SchedulePreviewSerializer({"edges": edges, "instances": selectors.meant(user, schedule)}).data)


class DecisionQuery(serializers.Serializer[Any]):
    schedule = serializers.IntegerField(required=False, min_value=1)
    scaling_rule = serializers.IntegerField(required=False, min_value=1)
    outcome = serializers.ChoiceField(choices=[name for name, _ in OUTCOMES], required=False)


class Decisions(UnboundedListApiView):
    permission = Perm.RESOURCES_VIEW
    serializer_class = DecisionSerializer
    queryset = Decision.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Decision]:
        query = DecisionQuery(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        found = selectors.decisions(reader(self.request))
        if "schedule" in given:
            found = found.filter(slot__schedule=given["schedule"])
        if "scaling_rule" in given:
            found = found.filter(slot__rule=given["scaling_rule"])
        return found.filter(outcome=given["outcome"]) if "outcome" in given else found

    @extend_schema(parameters=[DecisionQuery], tags=TAGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """For every moment and instance: what was done, or why nothing was."""
        return super().get(request, *args, **kwargs)
