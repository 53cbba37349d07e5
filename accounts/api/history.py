"""/api/accounts/{id}/history: what is kept under an account's name, and deleting it once the account is disconnected."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.aws_accounts import DeletionSerializer
from accounts.api.requests import person, valid
from accounts.models import AwsAccount
from accounts.selectors import aws_accounts as selectors
from accounts.selectors import hanging
from accounts.services import aws_accounts
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm


class KeptSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="What kind of rows, in words.")
    count = serializers.IntegerField()


class HistorySerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="account.pk")
    alias = serializers.CharField(source="account.alias")
    account_id = serializers.CharField(source="account.account_id")
    disconnected_at = serializers.DateTimeField(source="account.deleted_at", allow_null=True)
    kept = KeptSerializer(many=True)


class History(ApiView):
    permission = Perm.ACCOUNTS_MANAGE

    @extend_schema(responses=HistorySerializer, tags=["accounts"])
    def get(self, request: Request, account_id: int) -> Response:
        """How much is kept of an account, connected or not. By its id alone: names and numbers can be used again."""
        account = _account(request, account_id)
        return Response(HistorySerializer({"account": account, "kept": hanging.hanging_on(account)}).data)

    @extend_schema(
        parameters=[OpenApiParameter("confirm", str, description="The alias of the account; may come in the body instead.")],
        responses={204: None},
        tags=["accounts"],
    )
    def delete(self, request: Request, account_id: int) -> Response:
        """Purge a disconnected account: its costs and runs are gone for good, the audit trail stays. 409 `account_connected`."""
        account = _account(request, account_id)
        confirm = request.query_params.get("confirm") or valid(DeletionSerializer, request)["confirm"]
        aws_accounts.purge(account=account, confirm=confirm, by=person(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _account(request: Request, account_id: int) -> AwsAccount:
    gone = hanging.disconnected(person(request)).filter(pk=account_id).first()
    return gone or selectors.get_for(person(request), account_id, Perm.ACCOUNTS_MANAGE)
