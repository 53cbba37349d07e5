"""/api/lambda/functions: which functions there are, and how often they ran and failed lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from resources.api.inventory import InventoryList
from resources.api.parameters import FunctionParameters
from resources.models import Function


class FunctionSerializer(serializers.ModelSerializer[Function]):
    """Environment variables are never here: their values are secrets."""

    alias = serializers.CharField(source="account.alias")

    class Meta:
        model = Function
        fields = [
            "name", "account", "alias", "region", "arn", "runtime", "handler", "memory_mb", "timeout_s", "code_size",
            "code_sha256", "modified_at", "state", "state_reason", "last_update_status", "package_type", "architectures",
            "description", "invocations_24h", "errors_24h", "activity_at", "observed_at", "gone_at",
        ]  # fmt: skip
        read_only_fields = fields


class Functions(InventoryList):
    parameters = FunctionParameters
    queryset = Function.objects.none()  # for the OpenAPI document, which has no reader
    serializer_class = FunctionSerializer

    def get_queryset(self) -> QuerySet[Function]:
        return Function.objects.none()

    def present(self, rows: Sequence[Function]) -> list[Any]:
        return list(FunctionSerializer(rows, many=True).data)

    @extend_schema(parameters=[FunctionParameters], tags=["lambda"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Functions of every account you may see, from the inventory; `completeness` says what it may lack."""
        return self.answer(request)
