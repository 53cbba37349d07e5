"""/api/keys: one's own keys of other services. Secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.http.response import HttpResponseBase
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from cloudconsole.api import streams
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from gateway.api.key_serializers import (
    ApiKeyInputSerializer,
    ApiKeySerializer,
    CapturedSerializer,
    ImportedSerializer,
    KeyImportSerializer,
    KeyTestSerializer,
    NewApiKeySerializer,
    PresetSerializer,
    ReplacedApiKeySerializer,
    RotationSerializer,
)
from gateway.models import ApiKey
from gateway.models.keys import KEY_STATUSES, ApiKeyQuerySet
from gateway.rules import presets
from gateway.rules.headers import Headers, value_of
from gateway.rules.keys import AuthScheme, WhenEmpty
from gateway.selectors import captures
from gateway.selectors import keys as selectors
from gateway.selectors.keys import KeyFilter
from gateway.services import captures as open_captures
from gateway.services import imports, key_tests, keys, proxying
from gateway.services.key_inputs import NEVER, KeyInput


class ApiKeyFilter(filters.FilterSet):  # type: ignore[misc]
    search = filters.CharFilter(method="narrowed")
    status = filters.ChoiceFilter(choices=KEY_STATUSES, method="narrowed")

    class Meta:
        model = ApiKey
        fields: list[str] = []

    def narrowed(self, found: ApiKeyQuerySet, name: str, value: str) -> ApiKeyQuerySet:
        wanted = KeyFilter(words=value) if name == "search" else KeyFilter(status=value)
        return selectors.narrowed(found, wanted)


_DATES_AND_LIMITS = ("expires_at", "capture_until", "requests_per_minute", "requests_per_day", "bytes_per_day")


def _given(body: Mapping[str, Any]) -> KeyInput:
    said: dict[str, Any] = {name: NEVER if value is None and name in _DATES_AND_LIMITS else value for name, value in body.items()}
    return KeyInput(**said)


# What a PUT that does not say it means: as a new key has it.
_DEFAULTS: Mapping[str, Any] = {
    "description": "",
    "allowed_methods": [],
    "allowed_paths": [],
    "auth_scheme": AuthScheme.BEARER.value,
    "auth_name": "",
    "auth_template": "",
    "preset": "",
    "dialect": "",
    "plain_http": False,
    "follow_redirects": False,
    "retries": 2,
    "when_empty": WhenEmpty.WARN.value,
    "test_method": "GET",
    "test_path": "",
    "enabled": True,
    **dict.fromkeys(_DATES_AND_LIMITS),
}


class Keys(ListApiView):
    permission = Perm.SELF
    serializer_class = ApiKeySerializer
    filterset_class = ApiKeyFilter
    queryset = ApiKey.objects.none()  # for the OpenAPI document, which has no reader

    def get_queryset(self) -> QuerySet[ApiKey]:
        return selectors.visible(person(self.request))

    @extend_schema(tags=["gateway"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Your keys by name, without their secrets."""
        return super().get(request, *args, **kwargs)

    @extend_schema(
        request=NewApiKeySerializer,
        responses={201: ApiKeySerializer},
        tags=["gateway"],
        examples=[
            OpenApiExample(
                "GitHub",
                {"api_name": "github", "api_key": "ghp_…", "base_url": "https://api.github.com", "allowed_methods": ["GET"]},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Store one. 400 `address_refused` for a base address that nothing is sent to; 409 `key_name_taken`."""
        made = keys.create(given=_given(valid(NewApiKeySerializer, request)), by=person(request))
        return Response(_shown(request, made.pk), status=status.HTTP_201_CREATED)


# Not the hint either: four characters of a secret belong in no file that is sent around.
_COLUMNS = (
    *("api_name", "description", "status", "base_url", "allowed_methods", "allowed_paths", "auth_scheme", "auth_name", "preset"),
    *("expires_at", "previous_usable_until", "rotated_at", "last_used_at", "last_used_ip", "tested_at", "test_detail"),
    *("created_at", "updated_at"),
)


class KeyExportParameters(serializers.Serializer[Any]):
    search = serializers.CharField(default="", allow_blank=True, max_length=200)
    status = ChoiceField(choices=KEY_STATUSES, default="")


class KeyExport(ApiView):
    permission = Perm.SELF

    @extend_schema(parameters=[KeyExportParameters], responses={(200, "text/csv"): OpenApiTypes.STR}, tags=["gateway"])
    def get(self, request: Request) -> HttpResponseBase:
        """Your keys as the same filters show them, whole, as CSV, without their secrets and hints of those."""
        parameters = KeyExportParameters(data=request.query_params)
        parameters.is_valid(raise_exception=True)
        wanted = KeyFilter(parameters.validated_data["search"], parameters.validated_data["status"])
        rows = selectors.narrowed(selectors.visible(person(request)), wanted).iterator(chunk_size=2_000)
        lines = streams.csv_lines(_COLUMNS, ([_cell(getattr(row, name)) for name in _COLUMNS] for row in rows))
        return streams.streamed(request._request, lines, content_type="text/csv; charset=utf-8", filename="keys.csv")


def _cell(value: Any) -> object:
    if isinstance(value, list):
        return " ".join(value)
    return value.isoformat() if isinstance(value, datetime) else value


class Key(ApiView):
    permission = Perm.SELF

    @extend_schema(responses=ApiKeySerializer, tags=["gateway"])
    def get(self, request: Request, key_id: int) -> Response:
        """One of your keys, without its secret."""
        return Response(_shown(request, key_id))

    @extend_schema(request=ReplacedApiKeySerializer, responses=ApiKeySerializer, tags=["gateway"])
    def put(self, request: Request, key_id: int) -> Response:
        """Say everything anew. What is not said is as in a new key; the secret and `base_url` stay where they are not said."""
        key = selectors.get_for(person(request), key_id)
        return self._change(request, key, {**_DEFAULTS, **_without_blank(valid(ReplacedApiKeySerializer, request))})

    @extend_schema(request=ApiKeyInputSerializer, responses=ApiKeySerializer, tags=["gateway"])
    def patch(self, request: Request, key_id: int) -> Response:
        """Change what is said; the rest stays. 400 `secret_needed` where the key would be sent to another host."""
        return self._change(request, selectors.get_for(person(request), key_id), valid(ApiKeyInputSerializer, request))

    @extend_schema(responses={204: None}, tags=["gateway"])
    def delete(self, request: Request, key_id: int) -> Response:
        """Delete it, and erase its secrets. What was sent with it stays in the log."""
        keys.delete(key=selectors.get_for(person(request), key_id), by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _change(self, request: Request, key: ApiKey, body: Mapping[str, Any]) -> Response:
        keys.change(key=key, given=_given(body), by=person(request))
        return Response(_shown(request, key.pk))


class RotateKey(ApiView):
    permission = Perm.SELF

    @extend_schema(request=RotationSerializer, responses=ApiKeySerializer, tags=["gateway"])
    def post(self, request: Request, key_id: int) -> Response:
        """Send a new secret from now on. The old one stays usable for `overlap_hours`: name it by `secret: previous`."""
        key, body = selectors.get_for(person(request), key_id), valid(RotationSerializer, request)
        hours = body["overlap_hours"]
        keys.rotate(
            key=key,
            api_key=body["api_key"],
            previous_usable_until=clock.now() + timedelta(hours=hours) if hours else None,
            expires_at=body["expires_at"],
            by=person(request),
        )
        return Response(_shown(request, key_id))


class UndoRotation(ApiView):
    permission = Perm.SELF

    @extend_schema(request=None, responses=ApiKeySerializer, tags=["gateway"])
    def post(self, request: Request, key_id: int) -> Response:
        """Go back to the old secret while it is there; the new one is erased. 409 `nothing_to_undo`."""
        keys.undo_rotation(key=selectors.get_for(person(request), key_id), by=person(request))
        return Response(_shown(request, key_id))


class TestKey(ApiView):
    permission = Perm.SELF

    @extend_schema(request=None, responses=KeyTestSerializer, tags=["gateway"])
    def post(self, request: Request, key_id: int) -> Response:
        """Send the key's test request, and say what the service makes of it."""
        tested = key_tests.test(key=selectors.get_for(person(request), key_id), by=person(request))
        return Response(KeyTestSerializer(tested).data)


class RetireSecret(ApiView):
    permission = Perm.SELF

    @extend_schema(request=None, responses=ApiKeySerializer, tags=["gateway"])
    def post(self, request: Request, key_id: int) -> Response:
        """Erase the secret from before the last rotation before its time. Nothing happens where there is none."""
        keys.retire_old_secret(key=selectors.get_for(person(request), key_id), by=person(request))
        return Response(_shown(request, key_id))


class Presets(ApiView):
    permission = Perm.SELF

    @extend_schema(responses=PresetSerializer(many=True), tags=["gateway"])
    def get(self, request: Request) -> Response:
        """Well-known services: a new key with one as its `preset` is filled in with what is not said."""
        return Response(PresetSerializer(presets.PRESETS, many=True).data)


class Captured(ApiView):
    permission = Perm.SELF

    @extend_schema(responses=CapturedSerializer, tags=["gateway"])
    def get(self, request: Request, key_id: int, log_id: int) -> Response:
        """Headers and bodies of one request, while they are kept. At most 64 KiB of each body, without the secret."""
        capture = captures.get_for(person(request), key_id, log_id)
        kept = open_captures.opened(capture)
        told = {
            "request": _message(kept.request_headers, kept.request_body),
            "response": _message(kept.response_headers, kept.response_body),
            "echoed": kept.echoed,
            "expires_at": capture.expires_at,
        }
        return Response(CapturedSerializer(told).data)


def _message(headers: Headers, body: bytes) -> dict[str, Any]:
    text, encoding = proxying.text_of(body, value_of(headers, "content-type"))
    return {"headers": [list(pair) for pair in headers], "body": text, "body_encoding": encoding}


class ImportKeys(ApiView):
    permission = Perm.SELF

    @extend_schema(request=KeyImportSerializer, responses=ImportedSerializer(many=True), tags=["gateway"])
    def post(self, request: Request) -> Response:
        """Read keys out of a .env file or JSON. Without `names` nothing is stored: the answer is a preview."""
        body = valid(KeyImportSerializer, request)
        found = imports.preview(text=body["text"], by=person(request))
        if "names" in body:
            found = imports.create(found=found, names=body["names"], by=person(request))
        return Response(ImportedSerializer(found, many=True).data)


def _without_blank(body: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if not (name in ("api_key", "base_url") and value == "")}


def _shown(request: Request, pk: int) -> Mapping[str, Any]:
    return ApiKeySerializer(selectors.get_for(person(request), pk)).data
