"""/api/automation/scaling-rules: instances that start and stop as a metric goes up and down, and what each rule saw."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import aws_accounts
from cloudconsole.api.views import ApiView, ListApiView, UnboundedListApiView
from cloudconsole.core.permissions import Perm
from resources.api.automation import PointSerializer, TagSerializer
from resources.api.plans import LIST_PERMISSIONS, TAGS, OnePlan, PlanView, SwitchPlan, documented, documented_switch
from resources.api.requests import reader, sent
from resources.models import ScalingRule, Slot
from resources.models.scaling import KINDS, METRIC_CHOICES, PERIOD_CHOICES, STATISTICS, STOPS
from resources.rules.metrics import Kind, Statistic
from resources.rules.scaling import Stops
from resources.selectors import scaling_rules as selectors
from resources.services.automation import previews
from resources.services.automation import scaling_rules as services
from resources.services.automation.scaling_rules import WantedRule


class WantedScalingRuleSerializer(serializers.Serializer[Any]):
    """A scaling rule. At least one threshold, and at least one of tags and instances."""

    name = serializers.CharField(max_length=80)
    account = serializers.CharField(max_length=63, help_text="Its id, alias or number.")
    region = serializers.CharField(max_length=32)
    kind = serializers.ChoiceField(choices=[name for name, _ in KINDS], help_text="What is watched.")
    watched = serializers.CharField(
        max_length=512, help_text="An instance id, a group's name, the ARN of a balancer or target group."
    )
    metric = serializers.ChoiceField(choices=[name for name, _ in METRIC_CHOICES])
    statistic = serializers.ChoiceField(choices=[name for name, _ in STATISTICS], default=Statistic.AVERAGE.value)
    period_s = serializers.ChoiceField(choices=[seconds for seconds, _ in PERIOD_CHOICES], default=300)
    start_above = serializers.FloatField(allow_null=True, default=None, min_value=0)
    stop_below = serializers.FloatField(allow_null=True, default=None, min_value=0, help_text="Lower than start_above.")
    needed = serializers.IntegerField(default=3, min_value=1, max_value=services.MOST_POINTS)
    window = serializers.IntegerField(default=3, min_value=1, max_value=services.MOST_POINTS)
    cooldown_s = serializers.IntegerField(default=900, min_value=0, max_value=86_400)
    starts_per_hour = serializers.IntegerField(default=2, min_value=1, max_value=100)
    at_once = serializers.IntegerField(default=1, min_value=1, max_value=services.MOST_AT_ONCE)
    stops = serializers.ChoiceField(choices=[name for name, _ in STOPS], default=Stops.STARTED.value)
    tags = TagSerializer(many=True, default=list)
    instances = serializers.ListField(child=serializers.CharField(max_length=64), default=list, max_length=200)


class ScalingRuleSerializer(serializers.ModelSerializer[ScalingRule]):
    owner = serializers.CharField(source="owner.username", default=None, allow_null=True)
    account = serializers.IntegerField(source="account_id")
    alias = serializers.CharField(source="account.alias")
    unit = serializers.CharField(source="measure.unit", help_text="Of the thresholds and of value.")
    tags = serializers.SerializerMethodField()

    class Meta:
        model = ScalingRule
        fields = [
            "id", "name", "owner", "state", "state_reason", "account", "alias", "region", "kind", "watched", "metric",
            "statistic", "unit", "period_s", "start_above", "stop_below", "needed", "window", "cooldown_s", "starts_per_hour",
            "at_once", "stops", "tags", "instances", "arms_at", "failures", "next_at", "read_at", "value", "reading",
            "created_at", "updated_at",
        ]  # fmt: skip
        read_only_fields = fields

    def get_tags(self, rule: ScalingRule) -> list[dict[str, str]]:
        return [{"key": key, "value": value} for key, value in rule.tags]


class ReadingSerializer(serializers.ModelSerializer[Slot]):
    """One look at the metric: the points that were seen, and what they came to."""

    points = PointSerializer(source="seen", many=True)
    action = serializers.CharField(source="deed", help_text="What the points called for; empty: nothing.")
    acted_on = serializers.IntegerField(source="matched", allow_null=True, help_text="To how many instances it was done.")

    class Meta:
        model = Slot
        fields = ["id", "at", "status", "trial", "action", "detail", "acted_on", "points"]
        read_only_fields = fields


class MomentSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    action = serializers.CharField(source="deed")
    count = serializers.IntegerField(help_text="Instances.")
    why = serializers.CharField()


class ScalingPreviewSerializer(serializers.Serializer[Any]):
    moments = MomentSerializer(many=True, help_text="As if each start and stop had worked at once, without changing the metric.")
    points = PointSerializer(many=True)
    instances = serializers.IntegerField(help_text="That it may start and stop now.")


def _wanted(request: Request) -> WantedRule:
    given = sent(WantedScalingRuleSerializer, request)
    account = aws_accounts.accounts_in_scope(reader(request), Perm.RESOURCES_OPERATE, [given.pop("account")])[0]
    tags = [(one["key"], one["value"]) for one in given.pop("tags")]
    return WantedRule(
        account=account,
        kind=Kind(given.pop("kind")),
        statistic=Statistic(given.pop("statistic")),
        stops=Stops(given.pop("stops")),
        cooldown=timedelta(seconds=given.pop("cooldown_s")),
        tags=tags,
        **given,
    )


class ScalingRules(ListApiView):
    permission = LIST_PERMISSIONS
    serializer_class = ScalingRuleSerializer
    queryset = ScalingRule.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[ScalingRule]:
        return selectors.visible(reader(self.request))

    @extend_schema(tags=TAGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The rules of every account you may see."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=WantedScalingRuleSerializer, responses={201: ScalingRuleSerializer}, tags=TAGS)
    def post(self, request: Request) -> Response:
        """Make one. It is on trial for a week: it tells what it would do, and does nothing, until it is armed."""
        made = services.create(wanted=_wanted(request), by=reader(request))
        return Response(ScalingRuleSerializer(made).data, status=status.HTTP_201_CREATED)


class _ScalingRule(PlanView[ScalingRule]):
    find = staticmethod(selectors.get_for)
    plans = services
    shown = ScalingRuleSerializer
    key = "rule_id"


@documented(WantedScalingRuleSerializer, ScalingRuleSerializer)
class OneScalingRule(_ScalingRule, OnePlan[ScalingRule]):
    wanted = staticmethod(_wanted)


@documented_switch(ScalingRuleSerializer)
class SwitchScalingRule(_ScalingRule, SwitchPlan[ScalingRule]):
    pass


class ScalingRulePreview(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True
    calls_aws = True

    @extend_schema(responses=ScalingPreviewSerializer, tags=TAGS)
    def get(self, request: Request, rule_id: int) -> Response:
        """What it would have done in the last 24 hours: CloudWatch is asked for the points."""
        rule = selectors.get_for(reader(request), rule_id, Perm.RESOURCES_OPERATE)
        return Response(ScalingPreviewSerializer(previews.preview(rule=rule)).data)


class ScalingReadings(UnboundedListApiView):
    permission = Perm.RESOURCES_VIEW
    object_decides = True
    serializer_class = ReadingSerializer
    queryset = Slot.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Slot]:
        user = reader(self.request)
        rule = selectors.get_for(user, self.kwargs["rule_id"], Perm.RESOURCES_VIEW)
        return selectors.slots(user, rule)

    @extend_schema(tags=TAGS)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every look at its metric: the points, and what they came to. What led to nothing is kept for a week."""
        return super().get(request, *args, **kwargs)
