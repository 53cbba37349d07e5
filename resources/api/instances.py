"""/api/ec2/instances: what runs, since when, for about how much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from resources.api.inventory import InventoryList, PlaceSerializer
from resources.api.parameters import InstanceParameters
from resources.api.requests import reader
from resources.models import Instance, Service, StateTransition
from resources.selectors import instances as selectors
from resources.selectors.completeness import completeness
from resources.selectors.instances import Shown


class UptimeSerializer(serializers.Serializer[Any]):
    """Seconds: the best guess, and the bounds between which the truth lies."""

    seconds = serializers.IntegerField()
    at_least = serializers.IntegerField()
    at_most = serializers.IntegerField()


class EstimateSerializer(serializers.Serializer[Any]):
    """What it costs while it runs, at the on-demand list price: before discounts, storage, traffic and tax."""

    hourly = serializers.DecimalField(max_digits=28, decimal_places=12, normalize_output=True)
    monthly = serializers.DecimalField(max_digits=28, decimal_places=2, help_text="730 hours of running.")
    currency = serializers.CharField()


class InstanceSerializer(serializers.Serializer[Any]):
    """An EC2 instance as it was last seen."""

    id = serializers.CharField(source="instance.instance_id")
    account = serializers.IntegerField(source="instance.account_id")
    alias = serializers.CharField(source="instance.account.alias")
    region = serializers.CharField(source="instance.region")
    zone = serializers.CharField(source="instance.zone")
    name = serializers.CharField(source="instance.name")
    state = serializers.CharField(source="instance.state")
    instance_type = serializers.CharField(source="instance.instance_type")
    launched_at = serializers.DateTimeField(source="instance.launched_at", allow_null=True)
    uptime_seconds = serializers.IntegerField(source="running_for", allow_null=True, help_text="0 while it does not run.")
    uptime_30d_seconds = serializers.IntegerField(source="last_30_days.seconds")
    uptime_30d = UptimeSerializer(source="last_30_days")
    private_ip = serializers.CharField(source="instance.private_ip")
    public_ip = serializers.CharField(source="instance.public_ip")
    lifecycle = serializers.CharField(source="instance.lifecycle")
    platform = serializers.CharField(source="instance.platform")
    tags = serializers.DictField(child=serializers.CharField(), source="instance.tags")
    estimate = EstimateSerializer(allow_null=True)
    observed_at = serializers.DateTimeField(source="instance.observed_at")
    gone_at = serializers.DateTimeField(source="instance.gone_at", allow_null=True)


class TransitionSerializer(serializers.ModelSerializer[StateTransition]):
    """A change of state, at some moment between `not_before` and `not_after`."""

    class Meta:
        model = StateTransition
        fields = ["from_state", "to_state", "not_before", "not_after", "source", "reason"]
        read_only_fields = fields


class InstanceDetailSerializer(InstanceSerializer):
    """One instance with everything that is known of it."""

    private_dns = serializers.CharField(source="instance.private_dns")
    vpc_id = serializers.CharField(source="instance.vpc_id")
    subnet_id = serializers.CharField(source="instance.subnet_id")
    image_id = serializers.CharField(source="instance.image_id")
    key_name = serializers.CharField(source="instance.key_name")
    architecture = serializers.CharField(source="instance.architecture")
    root_device_type = serializers.CharField(source="instance.root_device_type")
    state_reason_code = serializers.CharField(source="instance.state_reason_code")
    state_reason = serializers.CharField(source="instance.state_reason")
    transition_reason = serializers.CharField(source="instance.transition_reason")
    first_seen_at = serializers.DateTimeField(source="instance.first_seen_at")
    transitions = serializers.SerializerMethodField()

    def get_transitions(self, shown: Shown) -> list[dict[str, Any]]:
        return list(TransitionSerializer(selectors.history_of(shown.instance), many=True).data)


class Instances(InventoryList):
    parameters = InstanceParameters
    queryset = Instance.objects.none()  # for the OpenAPI document, which has no reader
    serializer_class = InstanceSerializer

    def get_queryset(self) -> QuerySet[Instance]:
        return Instance.objects.none()

    def present(self, rows: Sequence[Instance]) -> list[Any]:
        return list(InstanceSerializer(selectors.shown(rows), many=True).data)

    @extend_schema(parameters=[InstanceParameters], tags=["ec2"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Instances of every account you may see, from the inventory; `completeness` says what it may lack."""
        return self.answer(request)


class InstanceDetail(ApiView):
    permission = Perm.RESOURCES_VIEW

    @extend_schema(responses=InstanceDetailSerializer, tags=["ec2"])
    def get(self, request: Request, instance_id: str) -> Response:
        """One instance with its history. 409 `ambiguous_target` when several accounts know the id: then say `account`."""
        user = reader(request)
        row = selectors.get_for(user, instance_id, self.permission, account=request.query_params.get("account", ""))
        answer = InstanceDetailSerializer(selectors.shown([row])[0]).data
        places = completeness(user, Service.EC2, [row.account], [row.region]).places
        return Response({**answer, "completeness": PlaceSerializer(places, many=True).data})
