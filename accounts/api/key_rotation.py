"""/api/accounts/{id}/rotation: an access key replaced step by step."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.aws_accounts import AccountView
from accounts.api.requests import person
from accounts.models import KeyRotation
from accounts.services import key_rotation
from cloudconsole.core.permissions import Perm


class RotationSerializer(serializers.ModelSerializer[KeyRotation]):
    class Meta:
        model = KeyRotation
        fields = [
            "id", "account", "status", "old_key_hint", "new_key_hint", "error_code", "error_detail", "error_remedy",
            "created_at", "changed_at",
        ]  # fmt: skip
        read_only_fields = fields


class Rotation(AccountView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(responses=RotationSerializer, tags=["accounts"])
    def get(self, request: Request, account_id: str) -> Response:
        """The rotation under way. 409 `no_rotation`."""
        return Response(RotationSerializer(key_rotation.open_rotation(self.account(account_id))).data)

    @extend_schema(request=None, responses={201: RotationSerializer}, tags=["accounts"])
    def post(self, request: Request, account_id: str) -> Response:
        """Start: AWS is asked for a second access key. Needs the capability `key_rotation`."""
        made = key_rotation.start(account=self.account(account_id), by=person(request))
        return Response(RotationSerializer(made).data, status=status.HTTP_201_CREATED)


class NextStep(AccountView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(request=None, responses=RotationSerializer, tags=["accounts"])
    def post(self, request: Request, account_id: str) -> Response:
        """The next step: prove the new key, use it, switch the old one off, delete it."""
        rotation = key_rotation.open_rotation(self.account(account_id))
        return Response(RotationSerializer(key_rotation.advance(rotation=rotation, by=person(request))).data)


class Undo(AccountView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(request=None, responses=RotationSerializer, tags=["accounts"])
    def post(self, request: Request, account_id: str) -> Response:
        """Back to the old key; the new one is deleted. Possible until the old one is."""
        rotation = key_rotation.open_rotation(self.account(account_id))
        return Response(RotationSerializer(key_rotation.undo(rotation=rotation, by=person(request))).data)
