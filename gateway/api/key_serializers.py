"""What the API says about keys of other services, and what it is told."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from cloudconsole.api.fields import ChoiceField
from gateway.models import ApiKey
from gateway.models.keys import AUTH_SCHEMES, KEY_STATUSES, WHEN_EMPTY
from gateway.rules.keys import METHODS
from gateway.services import imports


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
    preset = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="One of /api/keys/presets. It fills in what a new key leaves out.",
    )
    dialect = serializers.CharField(
        required=False, allow_blank=True, max_length=40, help_text="How limits are told; empty: as the preset, or found out."
    )
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


class PresetSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField(help_text="What a key's `preset` says.")
    name = serializers.CharField()
    base_url = serializers.CharField(help_text="A part in braces is your own; `{key}` is the secret.")
    auth_scheme = ChoiceField(source="scheme", choices=AUTH_SCHEMES)
    auth_name = serializers.CharField()
    auth_template = serializers.CharField(source="template")
    test_method = serializers.CharField()
    test_path = serializers.CharField()
    dialect = serializers.CharField(source="dialect.value", default="", help_text="How it tells its limits; empty: found out.")
    headers = serializers.DictField(child=serializers.CharField(), help_text="They go with every request.")


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
