"""/api/s3/buckets: which buckets there are, how they are kept, how large they were when S3 last measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from resources.api.inventory import InventoryList
from resources.api.parameters import BucketParameters
from resources.models import Bucket


class BucketSerializer(serializers.ModelSerializer[Bucket]):
    """Null is not known: of sizes and counts there is none before S3 has measured, on `measured_on`."""

    alias = serializers.CharField(source="account.alias")

    class Meta:
        model = Bucket
        fields = [
            "name", "account", "alias", "region", "created_at", "size_bytes", "size_by_class", "object_count", "measured_on",
            "public_access_blocked", "versioning", "encryption", "tags", "observed_at", "gone_at",
        ]  # fmt: skip
        read_only_fields = fields


class Buckets(InventoryList):
    parameters = BucketParameters
    queryset = Bucket.objects.none()  # for the OpenAPI document, which has no reader
    serializer_class = BucketSerializer

    def get_queryset(self) -> QuerySet[Bucket]:
        return Bucket.objects.none()

    def present(self, rows: Sequence[Bucket]) -> list[Any]:
        return list(BucketSerializer(rows, many=True).data)

    @extend_schema(parameters=[BucketParameters], tags=["s3"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Buckets of every account you may see, from the inventory; `completeness` says what it may lack."""
        return self.answer(request)
