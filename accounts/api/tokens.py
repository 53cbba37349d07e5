"""/api/auth/tokens: personal access tokens of whoever asks."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from accounts.models import PersonalToken, Scope
from accounts.selectors import personal_tokens as selectors
from accounts.services import personal_tokens as services
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm


class TokenSerializer(serializers.ModelSerializer[PersonalToken]):
    class Meta:
        model = PersonalToken
        fields = ["id", "name", "hint", "scope", "created_at", "expires_at", "last_used_at"]
        read_only_fields = fields


class MadeTokenSerializer(TokenSerializer):
    token = serializers.CharField(read_only=True, help_text="The token itself. It is shown now and never again.")

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]
        read_only_fields = fields


class NewTokenSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100, help_text="What it is for.")
    scope = ChoiceField(
        choices=Scope.choices,
        default=Scope.READ,
        help_text="`read` refuses everything but GET, HEAD and OPTIONS, and the proxy whatever the method.",
    )
    expires_at = serializers.DateTimeField(required=False, help_text=f"At most {services.LONGEST_DAYS} days from now.")
    expires_in_days = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=services.LONGEST_DAYS,
        help_text=f"Instead of `expires_at`; {services.DEFAULT_DAYS} if neither is said.",
    )

    def validate(self, given: dict[str, Any]) -> dict[str, Any]:
        if "expires_at" in given and "expires_in_days" in given:
            raise serializers.ValidationError({"expires_in_days": "Say either `expires_at` or `expires_in_days`."})
        return given


class Tokens(ListApiView):
    permission = Perm.SELF
    serializer_class = TokenSerializer
    queryset = PersonalToken.objects.none()  # for the OpenAPI document, which has no reader
    filter_backends = []

    def get_queryset(self) -> QuerySet[PersonalToken]:
        return selectors.visible(person(self.request))

    @extend_schema(tags=["identity"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your personal access tokens, without the tokens themselves."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewTokenSerializer,
        responses={201: MadeTokenSerializer},
        tags=["identity"],
        examples=[OpenApiExample("For a nightly script", {"name": "nightly report", "scope": "read"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Make one. Send it as `Authorization: Token …`. A token makes none that may do more or lasts longer than itself."""
        given = valid(NewTokenSerializer, request)
        until = given.get("expires_at")
        if "expires_in_days" in given:
            until = clock.now() + timedelta(days=given["expires_in_days"])
        within = request.auth if isinstance(request.auth, PersonalToken) else None
        made = services.create(
            user=person(request), name=given["name"], scope=Scope(given["scope"]), expires_at=until, within=within
        )
        return Response({**TokenSerializer(made.token).data, "token": made.plain}, status=status.HTTP_201_CREATED)


class Token(ApiView):
    permission = Perm.SELF

    @extend_schema(responses=TokenSerializer, tags=["identity"])
    def get(self, request: Request, token_id: int) -> Response:
        """One of your tokens, without the token itself."""
        return Response(TokenSerializer(selectors.get_for(person(request), token_id)).data)

    @extend_schema(responses={204: None}, tags=["identity"])
    def delete(self, request: Request, token_id: int) -> Response:
        """End a token with the next request."""
        services.revoke(token=selectors.get_for(person(request), token_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
