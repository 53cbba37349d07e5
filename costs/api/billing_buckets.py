"""/api/costs/billing-buckets: buckets into which AWS writes exports, looked into every hour."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import aws_accounts
from cloudconsole.api.fields import ChoiceField
from cloudconsole.api.views import ApiView, ListApiView
from cloudconsole.aws import names
from cloudconsole.core.permissions import Perm
from cloudconsole.environment import COST_ENGINES
from costs.api.parameters import reader
from costs.models import BillingBucket, Engine, engine_for
from costs.selectors import imports as selectors
from costs.services.billing import buckets as services


class BillingBucketSerializer(serializers.ModelSerializer[BillingBucket]):
    account = serializers.IntegerField(source="account_id")
    engine_in_use = ChoiceField(choices=sorted(COST_ENGINES), read_only=True, help_text="Differs where `engine` is `default`.")

    class Meta:
        model = BillingBucket
        fields = [
            "id", "account", "bucket", "region", "prefix", "engine", "engine_in_use",
            "by_itself", "database", "table", "workgroup",
            "error_code", "error_detail", "error_remedy", "checked_at", "next_check_at", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewBillingBucketSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, help_text="Id, alias or 12-digit number; its credentials read the bucket.")
    bucket = serializers.RegexField(names.BUCKET)
    region = serializers.RegexField(names.REGION)
    prefix = serializers.CharField(max_length=512, required=False, default="", allow_blank=True)
    engine = ChoiceField(
        choices=Engine.values,
        required=False,
        default=Engine.INSTALLATION.value,
        help_text="`default`: as this installation does (COST_ENGINE).",
    )
    by_itself = serializers.BooleanField(required=False, default=True, help_text="Store files without a fault by itself.")
    database = serializers.CharField(max_length=255, required=False, default="", allow_blank=True)
    table = serializers.CharField(max_length=255, required=False, default="", allow_blank=True)
    workgroup = serializers.CharField(max_length=128, required=False, default="", allow_blank=True)

    def validate(self, attrs: Any) -> Any:
        if engine_for(Engine(attrs["engine"])) == Engine.ATHENA:
            for name in ("database", "table"):
                if not attrs[name]:
                    raise serializers.ValidationError({name: ["Athena needs the database and the table of the export."]})
        return attrs


class ConfirmSerializer(serializers.Serializer[Any]):
    confirm = serializers.CharField(max_length=63, help_text="The bucket's name.")


def new_bucket(given: Any, user: Any) -> services.NewBucket:
    """The wish, with the account that `user` may refresh. Raises AccountNotFound, NotAllowedHere."""
    account = aws_accounts.get_for(user, given["account"], Perm.COSTS_REFRESH)
    values = {name: value for name, value in given.items() if name not in {"account", "engine"}}
    return services.NewBucket(account=account, engine=Engine(given["engine"]), **values)


class BillingBuckets(ListApiView):
    permission = {"GET": Perm.COSTS_VIEW, "POST": Perm.COSTS_REFRESH}
    serializer_class = BillingBucketSerializer
    queryset = BillingBucket.objects.none()

    def get_queryset(self) -> QuerySet[BillingBucket]:
        return selectors.buckets(reader(self.request))

    @extend_schema(tags=["costs"])
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """The buckets that are looked into."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewBillingBucketSerializer, responses={201: BillingBucketSerializer}, tags=["costs"])
    def post(self, request: Request) -> Response:
        """Look into a bucket from now on. 409 `billing_bucket_taken`."""
        body = NewBillingBucketSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        made = services.add(new=new_bucket(body.validated_data, reader(request)), by=reader(request))
        return Response(BillingBucketSerializer(made).data, status=status.HTTP_201_CREATED)


class OneBillingBucket(ApiView):
    permission = {"GET": Perm.COSTS_VIEW, "DELETE": Perm.COSTS_REFRESH}
    object_decides = True

    @extend_schema(responses=BillingBucketSerializer, tags=["costs"])
    def get(self, request: Request, bucket_id: int) -> Response:
        """One bucket, with why it could not be looked into, if so."""
        return Response(BillingBucketSerializer(selectors.bucket_for(reader(request), bucket_id, Perm.COSTS_VIEW)).data)

    @extend_schema(request=ConfirmSerializer, parameters=[ConfirmSerializer], responses={204: None}, tags=["costs"])
    def delete(self, request: Request, bucket_id: int) -> Response:
        """Look no more; `confirm` is the bucket's name. What was stored from it stays."""
        bucket = selectors.bucket_for(reader(request), bucket_id, Perm.COSTS_REFRESH)
        body = ConfirmSerializer(data=request.data or request.query_params)
        body.is_valid(raise_exception=True)
        services.remove(bucket=bucket, confirm=body.validated_data["confirm"], by=reader(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class LookIntoBucket(ApiView):
    permission = Perm.COSTS_REFRESH
    object_decides = True

    @extend_schema(request=None, responses={202: BillingBucketSerializer}, tags=["costs"])
    def post(self, request: Request, bucket_id: int) -> Response:
        """Look as soon as a worker can, not only when it is due."""
        bucket = selectors.bucket_for(reader(request), bucket_id, Perm.COSTS_REFRESH)
        services.soon(bucket=bucket, by=reader(request))
        bucket.refresh_from_db()
        return Response(BillingBucketSerializer(bucket).data, status=status.HTTP_202_ACCEPTED)
