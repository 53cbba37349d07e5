"""/api/rate-limits: what is left of the limits of your keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from gateway.models import RateWindow
from gateway.models.rate_windows import POLICY_LENGTH, UNITS
from gateway.rules.rate_windows import Unit
from gateway.selectors import keys
from gateway.selectors import rate_windows as selectors
from gateway.services import manual_windows
from gateway.services.manual_windows import MOST, WindowInput

_YEAR_S = 366 * 86_400


class RateWindowSerializer(serializers.ModelSerializer[RateWindow]):
    """One window. Numbers that the API did not tell are null."""

    api_key_id = serializers.IntegerField(source="key_id")
    api_name = serializers.CharField(source="key.api_name")
    window = serializers.IntegerField(source="seconds", allow_null=True, help_text="Its length in seconds.")
    percentage = serializers.SerializerMethodField(help_text="How much is left, of a hundred.")
    manual = serializers.BooleanField(source="is_manual", help_text="Kept by hand; requests through the proxy use it up.")

    class Meta:
        model = RateWindow
        fields = [
            "id",
            "api_key_id",
            "api_name",
            "policy",
            "unit",
            "scope",
            "limit",
            "remaining",
            "used",
            "percentage",
            "reset_at",
            "window",
            "source",
            "dialect",
            "manual",
            "observed_at",
        ]
        read_only_fields = fields

    def get_percentage(self, window: RateWindow) -> float | None:
        share = window.share_left
        return None if share is None else round(100 * share, 1)


class ApiRateLimitSerializer(RateWindowSerializer):
    """The window of an API that runs out first, and all that are known in `windows`."""

    windows = serializers.SerializerMethodField()

    class Meta(RateWindowSerializer.Meta):
        fields = [*RateWindowSerializer.Meta.fields, "windows"]
        read_only_fields = fields

    @extend_schema_field(RateWindowSerializer(many=True))
    def get_windows(self, window: RateWindow) -> list[dict[str, Any]]:
        return [dict(RateWindowSerializer(one).data) for one in self.context["windows"]]


class ManualWindowSerializer(serializers.Serializer[Any]):
    """A limit that the API does not tell."""

    limit = serializers.IntegerField(min_value=0, max_value=MOST)
    remaining = serializers.IntegerField(min_value=0, max_value=MOST, default=None, allow_null=True, help_text="None: all of it.")
    reset_at = serializers.DateTimeField(
        default=None, allow_null=True, help_text="When it is full again. None: a `window` from now, or never without one."
    )
    window = serializers.IntegerField(
        min_value=1,
        max_value=_YEAR_S,
        default=None,
        allow_null=True,
        help_text="Its length in seconds: then it fills up again by itself.",
    )
    unit = ChoiceField(choices=UNITS, default=Unit.REQUESTS.value)
    policy = serializers.CharField(
        max_length=POLICY_LENGTH, default="", allow_blank=True, help_text="Tells several limits of an API apart."
    )


class NewManualWindowSerializer(ManualWindowSerializer):
    api_name = serializers.CharField(max_length=64, help_text="The name of one of your keys.")


class OneWindowParameters(serializers.Serializer[Any]):
    id = serializers.IntegerField(default=None, min_value=1, max_value=2**63 - 1, allow_null=True, help_text="None: all of them.")


class RateLimits(ListApiView):
    permission = Perm.SELF
    serializer_class = RateWindowSerializer
    queryset = RateWindow.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[RateWindow]:
        return selectors.known(person(self.request))

    @extend_schema(tags=["gateway"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every window of your keys that still holds. One past its reset is gone until the next answer tells it again."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewManualWindowSerializer, responses={201: RateWindowSerializer}, tags=["gateway"])
    def post(self, request: Request) -> Response:
        """Keep a limit by hand that the API does not tell. 409 where there is one of this policy and unit already."""
        given, by = valid(NewManualWindowSerializer, request), person(request)
        window = manual_windows.create(key=keys.named(by, given["api_name"]), given=_input(given), by=by)
        return Response(RateWindowSerializer(window).data, status=status.HTTP_201_CREATED)


class ApiRateLimit(ApiView):
    permission = Perm.SELF

    @extend_schema(responses=ApiRateLimitSerializer, tags=["gateway"])
    def get(self, request: Request, api_name: str) -> Response:
        """What is left of one API's limits: the one that runs out first, and all of them. 404 where nothing is known."""
        return _told(selectors.of_api(person(request), api_name))

    @extend_schema(request=ManualWindowSerializer, responses=ApiRateLimitSerializer, tags=["gateway"])
    def put(self, request: Request, api_name: str) -> Response:
        """Keep a limit by hand, in the place of one of the same policy and unit."""
        by = person(request)
        key = keys.named(by, api_name)
        manual_windows.put(key=key, given=_input(valid(ManualWindowSerializer, request)), by=by)
        return _told(selectors.of_api(by, api_name))

    @extend_schema(parameters=[OneWindowParameters], responses={204: None}, tags=["gateway"])
    def delete(self, request: Request, api_name: str) -> Response:
        """Forget everything known of an API's limits, or the one with this `id`; what it tells is back with its next answer."""
        by = person(request)
        key = keys.named(by, api_name)
        asked = OneWindowParameters(data=request.query_params)
        asked.is_valid(raise_exception=True)
        if asked.validated_data["id"] is None:
            manual_windows.forget(key=key, by=by)
        else:
            manual_windows.remove(window=selectors.get_for(by, asked.validated_data["id"], key), by=by)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _told(windows: list[RateWindow]) -> Response:
    return Response(ApiRateLimitSerializer(windows[0], context={"windows": windows}).data)


def _input(given: Mapping[str, Any]) -> WindowInput:
    return WindowInput(
        given["limit"], given["remaining"], given["reset_at"], given["window"], Unit(given["unit"]), given["policy"]
    )
