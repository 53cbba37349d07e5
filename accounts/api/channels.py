"""/api/notifications: where alerts are sent, and what became of every message. For admins."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import alerts
from accounts.api.requests import person, valid
from accounts.models import ChannelKind, Delivery, DeliveryStatus, NotificationChannel
from accounts.models.channels import DIGESTS, LEAST
from accounts.rules.notices import EVERY_KIND
from accounts.selectors import channels as selectors
from accounts.services import channels as services
from accounts.services import deliveries
from accounts.services.channels import ChannelInput
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm


class RouteSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField(
        max_length=64, allow_blank=True, help_text="A kind of alert; empty: every one without a route of its own."
    )
    at_least = ChoiceField(choices=LEAST, help_text="The least severity that is sent; `never` sends none of this kind.")


class ChannelSerializer(serializers.ModelSerializer[NotificationChannel]):
    routes = RouteSerializer(many=True, read_only=True)
    dead_letters = serializers.IntegerField(read_only=True, help_text="Messages that did not arrive and wait for a person.")
    quiet_from = serializers.TimeField(format="%H:%M", read_only=True)
    quiet_until = serializers.TimeField(format="%H:%M", read_only=True)
    digest_at = serializers.TimeField(format="%H:%M", read_only=True)

    class Meta:
        model = NotificationChannel
        fields = [
            "id",
            "name",
            "kind",
            "enabled",
            "hint",
            "recipients",
            "routes",
            "time_zone",
            "quiet_from",
            "quiet_until",
            "digest",
            "digest_at",
            "critical_at_once",
            "dead_letters",
            "created_at",
            "changed_at",
        ]
        read_only_fields = fields


class ChannelChangesSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, required=False)
    enabled = serializers.BooleanField(required=False)
    recipients = serializers.ListField(
        child=serializers.CharField(max_length=254), required=False, max_length=services.MOST_RECIPIENTS, help_text="For `email`."
    )
    address = serializers.CharField(
        required=False,
        write_only=True,
        max_length=2000,
        help_text="For `slack`, `teams` and `webhook` an https address; for `apprise` one such as discord://… Never shown again.",
    )
    signing_key = serializers.CharField(
        required=False, write_only=True, max_length=200, help_text="For `webhook`: whsec_ and 24 to 64 random bytes in base64."
    )
    routes = RouteSerializer(many=True, required=False)
    time_zone = serializers.CharField(max_length=64, required=False, help_text="Such as Europe/Berlin.")
    quiet_from = serializers.TimeField(required=False, allow_null=True, help_text="Both or none; on the clock of `time_zone`.")
    quiet_until = serializers.TimeField(required=False, allow_null=True)
    digest = ChoiceField(choices=DIGESTS, required=False)
    digest_at = serializers.TimeField(required=False, help_text="When a daily digest is sent.")
    critical_at_once = serializers.BooleanField(required=False)


class NewChannelSerializer(ChannelChangesSerializer):
    name = serializers.CharField(max_length=100)
    kind = ChoiceField(choices=ChannelKind.choices)


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    channel = serializers.IntegerField(source="channel_id", read_only=True, allow_null=True)
    alerts_count = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        model = Delivery
        fields = [
            "id",
            "uuid",
            "channel",
            "channel_name",
            "channel_kind",
            "is_test",
            "status",
            "attempts",
            "not_before",
            "http_status",
            "answer",
            "error_code",
            "error_detail",
            "alerts_count",
            "created_at",
            "finished_at",
        ]
        read_only_fields = fields


class KindSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    title = serializers.CharField()


class DeliveryFilter(filters.FilterSet):  # type: ignore[misc]
    status = filters.MultipleChoiceFilter(choices=DeliveryStatus.choices)
    channel = filters.NumberFilter(field_name="channel")

    class Meta:
        model = Delivery
        fields = ["status", "channel"]


def _given(body: Mapping[str, Any]) -> ChannelInput:
    quiet = (body.get("quiet_from"), body.get("quiet_until")) if "quiet_from" in body or "quiet_until" in body else None
    routes = [(route["kind"], route["at_least"]) for route in body["routes"]] if "routes" in body else None
    same = ("name", "enabled", "recipients", "address", "signing_key", "time_zone", "digest", "digest_at", "critical_at_once")
    return ChannelInput(quiet=quiet, routes=routes, **{name: body[name] for name in same if name in body})


class Channels(ListApiView):
    permission = Perm.NOTIFICATIONS_MANAGE
    serializer_class = ChannelSerializer
    queryset = NotificationChannel.objects.none()  # for the OpenAPI document, which has no reader
    filter_backends = []

    def get_queryset(self) -> QuerySet[NotificationChannel]:
        return selectors.visible(person(self.request))

    @extend_schema(tags=["notifications"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The channels, without their addresses and keys."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewChannelSerializer,
        responses={201: ChannelSerializer},
        tags=["notifications"],
        examples=[
            OpenApiExample(
                "A webhook",
                {
                    "name": "On call",
                    "kind": "webhook",
                    "address": "https://hooks.example.com/cloudconsole",
                    "routes": [{"kind": EVERY_KIND, "at_least": "critical"}],
                },
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Make one. 400 `address_refused` for an address that nothing is sent to. Without routes: all from `warning` on."""
        body = valid(NewChannelSerializer, request)
        made = services.create(kind=body["kind"], given=_given(body), by=person(request))
        return Response(_shown(request, made.pk), status=status.HTTP_201_CREATED)


class Channel(ApiView):
    permission = Perm.NOTIFICATIONS_MANAGE

    @extend_schema(responses=ChannelSerializer, tags=["notifications"])
    def get(self, request: Request, channel_id: int) -> Response:
        """One channel, without its address and key."""
        return Response(_shown(request, channel_id))

    @extend_schema(request=ChannelChangesSerializer, responses=ChannelSerializer, tags=["notifications"])
    def patch(self, request: Request, channel_id: int) -> Response:
        """Change what is said; the rest stays. `routes` are replaced as a whole."""
        channel = selectors.get_for(person(request), channel_id)
        services.change(channel=channel, given=_given(valid(ChannelChangesSerializer, request)), by=person(request))
        return Response(_shown(request, channel_id))

    @extend_schema(responses={204: None}, tags=["notifications"])
    def delete(self, request: Request, channel_id: int) -> Response:
        """Delete it. What waits for it is cancelled; its log stays."""
        services.delete(channel=selectors.get_for(person(request), channel_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class TestChannel(ApiView):
    permission = Perm.NOTIFICATIONS_MANAGE

    @extend_schema(request=None, responses=DeliverySerializer, tags=["notifications"])
    def post(self, request: Request, channel_id: int) -> Response:
        """Send a test message now. The answer says how it went: `status`, and what the receiver answered."""
        channel = selectors.get_for(person(request), channel_id)
        return Response(DeliverySerializer(deliveries.test(channel=channel, by=person(request))).data)


class Kinds(ApiView):
    permission = Perm.NOTIFICATIONS_MANAGE

    @extend_schema(responses=KindSerializer(many=True), tags=["notifications"])
    def get(self, request: Request) -> Response:
        """The kinds of alerts that a route can name."""
        kinds = sorted(alerts.REGISTRY.values(), key=lambda kind: kind.title)
        return Response(KindSerializer(kinds, many=True).data)


class Deliveries(ListApiView):
    permission = Perm.NOTIFICATIONS_MANAGE
    serializer_class = DeliverySerializer
    filterset_class = DeliveryFilter
    queryset = Delivery.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[Delivery]:
        return selectors.deliveries(person(self.request))

    @extend_schema(tags=["notifications"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every message, newest first. `dead` ones were given up; `unknown` ones may have arrived."""
        return super().get(request, *args, **kwargs)


class RetryDelivery(ApiView):
    permission = Perm.NOTIFICATIONS_MANAGE

    @extend_schema(request=None, responses={202: DeliverySerializer}, tags=["notifications"])
    def post(self, request: Request, delivery_id: int) -> Response:
        """Send a message again that was given up or ended as unknown. 409 `delivery_not_retryable` for any other."""
        delivery = deliveries.retry(delivery=selectors.delivery_for(person(request), delivery_id), by=person(request))
        return Response(DeliverySerializer(delivery).data, status=status.HTTP_202_ACCEPTED)


class DismissDelivery(ApiView):
    permission = Perm.NOTIFICATIONS_MANAGE

    @extend_schema(request=None, responses=DeliverySerializer, tags=["notifications"])
    def post(self, request: Request, delivery_id: int) -> Response:
        """Put a message aside that was given up or ended as unknown. 409 `delivery_not_retryable` for any other."""
        delivery = deliveries.dismiss(delivery=selectors.delivery_for(person(request), delivery_id), by=person(request))
        return Response(DeliverySerializer(delivery).data)


def _shown(request: Request, pk: int) -> Mapping[str, Any]:
    return ChannelSerializer(selectors.get_for(person(request), pk)).data
