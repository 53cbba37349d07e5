"""/api/ec2/start, /stop, /reboot, /terminate and /bulk: doing something about instances."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources.api.operations import OperationSerializer, accepted
from resources.api.requests import reader
from resources.models import Instance
from resources.selectors import instances as selectors
from resources.services import operations as services
from resources.services.operations import Bulk

_WORDS = ("start", "stop", "reboot", "terminate")


class WishSerializer(serializers.Serializer[Any]):
    """In the body or in the query string, whichever a client likes."""

    account = serializers.CharField(max_length=63, required=False, default="", help_text="Tells two of the same id apart.")
    dry_run = serializers.BooleanField(required=False, default=False, help_text="Prove the permission; change nothing.")
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class ConfirmedWishSerializer(WishSerializer):
    confirm = serializers.CharField(max_length=256, required=False, default="", help_text="The instance id.")


class BulkWishSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=_WORDS)
    targets = serializers.ListField(child=serializers.CharField(max_length=64), min_length=1, max_length=1000)
    confirm = serializers.CharField(
        max_length=256, required=False, default="", help_text="What happens to how many, such as “stop 3”; of one, its id."
    )
    account = serializers.CharField(max_length=63, required=False, default="")
    dry_run = serializers.BooleanField(required=False, default=False)
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class RefusedSerializer(serializers.Serializer[Any]):
    target = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class BulkSerializer(serializers.Serializer[Any]):
    batch = serializers.UUIDField()
    count = serializers.IntegerField()
    results = OperationSerializer(many=True)
    refused = RefusedSerializer(many=True, help_text="Targets for which nothing was asked for, and why.")


class _ActOnInstance(ApiView):
    """The service decides who may: 404 to those who may not see the instance, 403 to those who may only see it."""

    permission = Perm.RESOURCES_OPERATE
    object_decides = True
    action: ClassVar[str]

    def act(self, request: Request, instance_id: str, wish: type[WishSerializer]) -> Response:
        body = wish(data={**request.query_params.dict(), **_plain(request.data)})
        body.is_valid(raise_exception=True)
        given, user = body.validated_data, reader(request)
        instance = selectors.get_for(user, instance_id, Perm.RESOURCES_VIEW, account=given["account"])
        operation = services.request(
            action=self.action,
            target=services.instance_target(instance),
            by=user,
            confirm=given.get("confirm", ""),
            dry_run=given["dry_run"],
            reason=given["reason"],
        )
        return accepted(operation)


class Start(_ActOnInstance):
    action = "ec2.start"

    @extend_schema(request=WishSerializer, responses={202: OperationSerializer}, tags=["ec2"])
    def post(self, request: Request, instance_id: str) -> Response:
        """Start the instance. 409 `incorrect_instance_state` where its state forbids it."""
        return self.act(request, instance_id, WishSerializer)


class Stop(_ActOnInstance):
    action = "ec2.stop"

    @extend_schema(request=WishSerializer, responses={202: OperationSerializer}, tags=["ec2"])
    def post(self, request: Request, instance_id: str) -> Response:
        """Stop the instance. 409 `stop_protected`, `incorrect_instance_state`."""
        return self.act(request, instance_id, WishSerializer)


class Reboot(_ActOnInstance):
    action = "ec2.reboot"

    @extend_schema(request=WishSerializer, responses={202: OperationSerializer}, tags=["ec2"])
    def post(self, request: Request, instance_id: str) -> Response:
        """Reboot the instance. 409 `incorrect_instance_state`."""
        return self.act(request, instance_id, WishSerializer)


class Terminate(_ActOnInstance):
    action = "ec2.terminate"

    @extend_schema(request=ConfirmedWishSerializer, responses={202: OperationSerializer}, tags=["ec2"])
    def delete(self, request: Request, instance_id: str) -> Response:
        """Terminate it, for good; `confirm` is its id. In production it waits for approval. 409 `termination_protected`."""
        return self.act(request, instance_id, ConfirmedWishSerializer)


class BulkOperation(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True

    @extend_schema(request=BulkWishSerializer, responses={202: BulkSerializer}, tags=["ec2"])
    def post(self, request: Request) -> Response:
        """One operation for each target, each with its own outcome. A target that is refused stops no other."""
        body = BulkWishSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        given, user = body.validated_data, reader(request)
        names = list(dict.fromkeys(given["targets"]))
        found = selectors.several(user, names, account=given["account"])
        targets = [services.instance_target(one) for one in found.values() if isinstance(one, Instance)]
        missing = {name: error for name, error in found.items() if isinstance(error, CloudconsoleError)}
        if not targets:
            raise missing[names[0]]
        bulk = services.request_many(
            action=f"ec2.{given['action']}",
            targets=targets,
            named=names,
            by=user,
            confirm=given["confirm"],
            dry_run=given["dry_run"],
            reason=given["reason"],
        )
        if not bulk.operations:
            raise bulk.refused[0].error
        return Response(_answer(bulk, missing), status=202)


def _answer(bulk: Bulk, missing: dict[str, CloudconsoleError]) -> dict[str, Any]:
    refused = [(one.target.id, one.error) for one in bulk.refused] + list(missing.items())
    return {
        "batch": str(bulk.batch),
        "count": len(bulk.operations),
        "results": OperationSerializer(bulk.operations, many=True).data,
        "refused": [{"target": name, "code": error.code, "detail": error.detail} for name, error in refused],
    }


def _plain(data: Any) -> dict[str, Any]:
    """The body's fields, from JSON or from a form."""
    return data.dict() if hasattr(data, "dict") else dict(data) if isinstance(data, dict) else {}
