"""What the lists of resources share: scope, refreshing, completeness; and the runs that ask AWS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import AwsAccount
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.core.permissions import Perm
from resources.api import refreshes
from resources.api.parameters import ListParameters, accounts_of, question_of
from resources.api.requests import queried, reader, sent
from resources.models import WHAT_RUNS, InventorySync, ScanStatus, Service, SyncTrigger
from resources.selectors import syncs as selectors
from resources.selectors.completeness import completeness
from resources.selectors.lists import found, ordered
from resources.services.inventory import syncs

_AT_ONCE_S = 10.0


class PlaceSerializer(serializers.Serializer[Any]):
    """One account and region, and how its last scan ended."""

    account = serializers.IntegerField(source="account.pk")
    alias = serializers.CharField(source="account.alias")
    region = serializers.CharField(help_text="`global` where AWS is asked once for all regions.")
    status = serializers.ChoiceField(choices=ScanStatus.choices)
    code = serializers.CharField()
    detail = serializers.CharField()
    remedy = serializers.CharField()
    observed_at = serializers.DateTimeField(allow_null=True, help_text="When it last answered completely.")


class SyncSerializer(serializers.ModelSerializer[InventorySync]):
    """A run that asks AWS what there is."""

    accounts: Any = serializers.PrimaryKeyRelatedField(many=True, read_only=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None, allow_null=True)

    class Meta:
        model = InventorySync
        fields = [
            "id", "trigger", "accounts", "services", "requested_by", "status", "total", "done", "failed", "rows",
            "created_at", "started_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewSyncSerializer(serializers.Serializer[Any]):
    account = serializers.ListField(
        child=serializers.CharField(max_length=63),
        default=list,
        help_text="Ids, aliases or numbers; none: all that you may refresh.",
    )
    services = serializers.ListField(
        child=serializers.ChoiceField(choices=Service.choices), default=list, help_text="None: ec2, s3 and lambda."
    )


class InventoryList(ListApiView):
    """A list with the completeness of what it shows. `parameters` names the kind; `present` makes rows of models."""

    permission = Perm.RESOURCES_VIEW
    parameters: ClassVar[type[ListParameters]]

    def get_queryset(self) -> QuerySet[Any]:
        raise NotImplementedError

    def present(self, rows: Sequence[Any]) -> list[Any]:
        raise NotImplementedError

    def answer(self, request: Request) -> Response:
        """The page asked for; 202 with the refresh, as an operation, when asking AWS first takes too long."""
        given, kind = queried(self.parameters, request), self.parameters.kind
        accounts = accounts_of(request, given, self.permission)
        if given["refresh"] and (running := self._refreshed(request, given, kind.service)) is not None:
            return running
        question = question_of(kind, given, accounts)
        rows = ordered(kind, found(kind, reader(request), question), question.order)
        answer = self.get_paginated_response(self.present(self.paginate_queryset(rows) or []))
        known = completeness(reader(request), kind.service, accounts, question.filters.get("region", ()))
        answer.data["as_of"] = serializers.DateTimeField().to_representation(known.as_of) if known.as_of else None
        answer.data["completeness"] = PlaceSerializer(known.places, many=True).data
        return answer

    def _refreshed(self, request: Request, given: dict[str, Any], service: Service) -> Response | None:
        accounts: list[AwsAccount] = accounts_of(request, given, Perm.RESOURCES_REFRESH)
        sync = syncs.at_once(accounts=accounts, services=[service], by=reader(request), within_s=_AT_ONCE_S)
        return refreshes.accepted(sync) if sync.is_open else None


def accepted(sync: InventorySync) -> Response:
    return Response(
        SyncSerializer(sync).data,
        status=status.HTTP_202_ACCEPTED,
        headers={"Location": f"/api/inventory/syncs/{sync.pk}"},
    )


class Syncs(ApiView):
    permission = Perm.RESOURCES_REFRESH

    @extend_schema(request=NewSyncSerializer, responses={202: SyncSerializer}, tags=["inventory"])
    def post(self, request: Request) -> Response:
        """Ask AWS what runs. The same wish while one is open gets that one. 409 `nothing_to_refresh`."""
        given = sent(NewSyncSerializer, request)
        sync = syncs.request(
            accounts=accounts_of(request, given, self.permission),
            services=[Service(name) for name in given["services"]] or list(WHAT_RUNS),
            trigger=SyncTrigger.MANUAL,
            by=reader(request),
        )
        return accepted(sync)


class Sync(ApiView):
    permission = Perm.RESOURCES_VIEW

    @extend_schema(responses=SyncSerializer, tags=["inventory"])
    def get(self, request: Request, sync_id: int) -> Response:
        """One run: how far it is, and how it ended. Only those of your accounts are named."""
        return Response(SyncSerializer(selectors.get_for(reader(request), sync_id)).data)
