"""A refresh of the inventory as clients follow it: a run in the shape of an operation, under an id of its own kind."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from resources.api.operations import OperationSerializer
from resources.api.requests import reader
from resources.models import InventorySync, Operation, SyncStatus
from resources.rules.operations import Phase, Status
from resources.selectors import syncs as selectors

_STATUSES = {
    SyncStatus.QUEUED: Status.QUEUED,
    SyncStatus.RUNNING: Status.RUNNING,
    SyncStatus.SUCCEEDED: Status.SUCCEEDED,
    SyncStatus.PARTIAL: Status.FAILED,
    SyncStatus.FAILED: Status.FAILED,
}


class RefreshSerializer(OperationSerializer):
    """What a list answers when asking AWS takes longer. It changes nothing in AWS, so nobody approves or cancels it."""

    id = serializers.CharField(help_text="`inventory-` and a number.")
    account = serializers.IntegerField(allow_null=True, help_text="null where it asks several: see `accounts`.")
    alias = serializers.CharField(allow_null=True)
    accounts = serializers.ListField(child=serializers.IntegerField(), help_text="Those that you may see.")

    class Meta(OperationSerializer.Meta):
        fields = [*(name for name in OperationSerializer.Meta.fields if name != "uuid"), "accounts"]
        read_only_fields = fields


class RefreshView(ApiView):
    permission = Perm.RESOURCES_VIEW

    @extend_schema(responses=RefreshSerializer, tags=["operations"])
    def get(self, request: Request, sync_id: int) -> Response:
        """A refresh of the inventory: how far it is, and how it ended."""
        return Response(_told(selectors.get_for(reader(request), sync_id)))


def accepted(sync: InventorySync) -> Response:
    """202 with the refresh, and where to follow it."""
    told = _told(sync)
    return Response(told, status=202, headers={"Location": f"/api/operations/{told['id']}"})


def _told(sync: InventorySync) -> dict[str, Any]:
    told = dict(OperationSerializer(_as_operation(sync)).data)
    del told["uuid"]
    accounts = [account.pk for account in sync.accounts.all()]
    return {**told, "id": f"inventory-{sync.pk}", "title": "Refresh inventory", "accounts": accounts}


def _as_operation(sync: InventorySync) -> Operation:
    """Never saved: it lends the run its shape."""
    accounts = list(sync.accounts.all())
    only = accounts[0] if len(accounts) == 1 else None
    status = _STATUSES[SyncStatus(sync.status)]
    code, detail = _shortfall(sync) if status is Status.FAILED else ("", "")
    return Operation(
        action="inventory.refresh",
        **({"account": only, "environment": only.environment} if only else {}),
        target_type="inventory",
        target=", ".join(sync.services),
        status=status.value,
        phase=(Phase.SENT if sync.started_at else Phase.NEW).value,
        requested_by=sync.requested_by,
        progress_done=sync.done,
        progress_total=sync.total or None,
        outcome_code=code,
        outcome_detail=detail,
        result={"rows": sync.rows, "failed": sync.failed},
        created_at=sync.created_at,
        started_at=sync.started_at,
        finished_at=sync.finished_at,
    )


def _shortfall(sync: InventorySync) -> tuple[str, str]:
    if sync.failed:
        told = f"{sync.failed} of {sync.done} places did not answer; `completeness` beside the list says which, and why."
        return "inventory_incomplete", told
    return "worker_lost", "Its workers were lost on the way, and not every place was asked."
