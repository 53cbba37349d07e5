"""/api/keys: one's own keys of other services. Secrets go in and never come out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.requests import person, valid
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from gateway.models import ApiKey
from gateway.models.keys import AUTH_SCHEMES, KEY_STATUSES, WHEN_EMPTY, ApiKeyQuerySet
from gateway.rules.headers import Headers, value_of
from gateway.rules.keys import METHODS, AuthScheme, WhenEmpty
from gateway.selectors import captures
from gateway.selectors import keys as selectors
from gateway.selectors.keys import KeyFilter
from gateway.services import captures as open_captures
from gateway.services import imports, key_tests, keys, proxying
from gateway.services.key_inputs import NEVER, KeyInput


class KeyBudgetSerializer(serializers.Serializer[Any]):
    requests_per_minute = serializers.IntegerField(allow_null=True, read_only=True)
    requests_per_day = serializers.IntegerField(allow_null=True, read_only=True)
    bytes_per_day = serializers.IntegerField(allow_null=True, read_only=True)
    used_this_minute = serializers.IntegerField(read_only=True)
    used_today = serializers.IntegerField(read_only=True)
    bytes_today = serializers.IntegerField(read_only=True)


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    key_hint = serializers.CharField(read_only=True, help_text="The last four characters.")
    status = ChoiceField(choices=KEY_STATUSES, read_only=True)
    budget = KeyBudgetSerializer(read_only=True)
    previous_key_hint = serializers.CharField(source="previous_hint", read_only=True, allow_null=True)
    previous_usable_until = serializers.DateTimeField(
        read_only=True, allow_null=True, help_text="Until then the secret from before the last rotation can be used."
    )

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "api_name",
            "description",
            "key_hint",
            "status",
            "base_url",
            "auth_scheme",
            "auth_name",
            "auth_template",
            "allowed_methods",
            "allowed_paths",
            "preset",
            "dialect",
            "plain_http",
            "follow_redirects",
            "retries",
            "when_empty",
            "test_method",
            "test_path",
            "enabled",
            "expires_at",
            "capture_until",
            "budget",
            "previous_key_hint",
            "previous_usable_until",
            "rotated_at",
            "last_used_at",
            "last_used_ip",
            "last_used_auth",
            "tested_at",
            "test_works",
            "test_detail",
            "created_at",
            "updated_at",
        ]
        read_only_fields = fields


class ApiKeyInputSerializer(serializers.Serializer[Any]):
    api_name = serializers.CharField(required=False, max_length=200)
    api_key = serializers.CharField(
        required=False, write_only=True, trim_whitespace=False, max_length=8192, help_text="The secret. It never comes back."
    )
    description = serializers.CharField(required=False, allow_blank=True, max_length=2000)
    base_url = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=2048,
        help_text="Scheme, host, port and beginning of the path. Without it nothing is sent with the key.",
    )
    auth_scheme = ChoiceField(
        choices=AUTH_SCHEMES,
        required=False,
        help_text="`headers`: `api_key` holds one `Name: value` on each line; `path`: `base_url` holds `{key}`.",
    )
    auth_name = serializers.CharField(
        required=False, allow_blank=True, max_length=255, help_text="The header, the parameter, or the user name of `basic`."
    )
    auth_template = serializers.CharField(
        required=False, allow_blank=True, max_length=255, help_text="What the header of `header` holds, such as `Token {key}`."
    )
    allowed_methods = serializers.ListField(
        child=serializers.CharField(max_length=16), required=False, max_length=len(METHODS), help_text="Empty: all."
    )
    allowed_paths = serializers.ListField(
        child=serializers.CharField(max_length=500),
        required=False,
        max_length=50,
        help_text="Below `base_url`; `*` stands for one segment, `**` for several. Empty: all.",
    )
    preset = serializers.CharField(required=False, allow_blank=True, max_length=40)
    dialect = serializers.CharField(required=False, allow_blank=True, max_length=40)
    plain_http = serializers.BooleanField(required=False, help_text="Speak http without TLS to a public host.")
    follow_redirects = serializers.BooleanField(required=False)
    retries = serializers.IntegerField(required=False, min_value=0, max_value=3)
    when_empty = ChoiceField(choices=WHEN_EMPTY, required=False)
    test_method = serializers.CharField(required=False, max_length=8)
    test_path = serializers.CharField(required=False, allow_blank=True, max_length=1024)
    enabled = serializers.BooleanField(required=False)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    capture_until = serializers.DateTimeField(
        required=False, allow_null=True, help_text="Until then headers and bodies are kept, sealed. At most seven days."
    )
    requests_per_minute = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    requests_per_day = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    bytes_per_day = serializers.IntegerField(required=False, allow_null=True, min_value=1)


class NewApiKeySerializer(ApiKeyInputSerializer):
    api_name = serializers.CharField(max_length=200)
    api_key = serializers.CharField(
        write_only=True, trim_whitespace=False, max_length=8192, help_text="The secret. It never comes back."
    )


class ReplacedApiKeySerializer(ApiKeyInputSerializer):
    api_name = serializers.CharField(max_length=200)


class RotationSerializer(serializers.Serializer[Any]):
    api_key = serializers.CharField(write_only=True, trim_whitespace=False, max_length=8192, help_text="The new secret.")
    overlap_hours = serializers.IntegerField(
        required=False, min_value=0, max_value=90 * 24, default=24, help_text="How long the old secret stays usable."
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None, help_text="Of the new secret.")


class KeyTestSerializer(serializers.Serializer[Any]):
    works = serializers.BooleanField(allow_null=True, help_text="Null: an answer came, and it tells nothing about the key.")
    status_code = serializers.IntegerField(allow_null=True)
    detail = serializers.CharField()
    time_taken_ms = serializers.IntegerField()


class MessageSerializer(serializers.Serializer[Any]):
    headers = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    body = serializers.CharField()
    body_encoding = ChoiceField(choices=[("utf-8", "Text"), ("base64", "Base64")])


class CapturedSerializer(serializers.Serializer[Any]):
    request = MessageSerializer()
    response = MessageSerializer()
    echoed = serializers.BooleanField(help_text="The answer held the secret, which was taken out.")
    expires_at = serializers.DateTimeField()


class KeyImportSerializer(serializers.Serializer[Any]):
    text = serializers.CharField(
        write_only=True, trim_whitespace=False, max_length=imports.LONGEST, help_text="A .env file, or JSON."
    )
    names = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=500, help_text="Which to create. None: a preview."
    )


class ImportedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="As it is called in the text.")
    api_name = serializers.CharField()
    key_hint = serializers.CharField()
    base_url = serializers.CharField()
    auth_scheme = serializers.CharField()
    preset = serializers.CharField()
    verdict = serializers.CharField(help_text="`new`, `created`, `name_taken`, `same_secret` or `invalid`.")
    detail = serializers.CharField()


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
