"""/api/s3/create, /api/s3/upload and /api/s3/{name}: making, filling and deleting buckets."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import aws_accounts
from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from resources.api.buckets import BucketSerializer
from resources.api.objects import ACCOUNT_HELP, KeyField
from resources.api.operations import OperationSerializer, accepted
from resources.api.requests import file_in, named, reader, sent, sent_anywhere
from resources.selectors import objects as selectors
from resources.services import buckets as services
from resources.services import uploads


class NewBucketSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, help_text=ACCOUNT_HELP)
    name = serializers.CharField(max_length=63)
    region = serializers.CharField(max_length=32)
    versioning = serializers.BooleanField(required=False, default=False)


class DeleteBucketQuery(serializers.Serializer[Any]):
    """In the body or in the query string, whichever a client likes."""

    account = serializers.CharField(max_length=63, required=False, default="", help_text=ACCOUNT_HELP)
    confirm = serializers.CharField(max_length=63, required=False, default="", allow_blank=True, help_text="The bucket's name.")
    empty = serializers.BooleanField(required=False, default=False, help_text="Delete everything in it before.")
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class UploadSerializer(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, required=False, default="", help_text=ACCOUNT_HELP)
    bucket = serializers.CharField(max_length=63)
    key = KeyField()
    if_absent = serializers.BooleanField(required=False, default=False, help_text="409 `object_exists` instead of replacing.")
    file = serializers.FileField(allow_empty_file=True, max_length=1024)


class UploadedSerializer(serializers.Serializer[Any]):
    bucket = serializers.CharField()
    key = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    etag = serializers.CharField()
    version_id = serializers.CharField(allow_null=True)
    checksum = serializers.CharField(help_text="CRC-32 of the whole, in base64, as S3 confirmed it.")


class CreateBucket(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True
    calls_aws = True

    @extend_schema(
        request=NewBucketSerializer,
        responses={201: BucketSerializer, 202: OpenApiResponse(OperationSerializer, description="AWS is still at work.")},
        tags=["s3"],
    )
    def post(self, request: Request) -> Response:
        """A new bucket: private, encrypted. 409 `bucket_name_taken`, or `aws_conflict` where somebody else has the name."""
        account = aws_accounts.get_for(reader(request), named(request, "account"), Perm.RESOURCES_OPERATE)
        wish = sent(NewBucketSerializer, request)
        made = services.create(
            account=account, name=wish["name"], region=wish["region"], versioning=wish["versioning"], by=reader(request)
        )
        if made.bucket is None:
            return accepted(made.operation)
        return Response(BucketSerializer(made.bucket).data, status=201)


class BucketView(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True
    calls_aws = True

    @extend_schema(parameters=[DeleteBucketQuery], request=None, responses={202: OperationSerializer}, tags=["s3"])
    def delete(self, request: Request, bucket: str) -> Response:
        """Delete the bucket; `confirm` is its name. 409 `bucket_not_empty` unless `empty=true`."""
        found = selectors.bucket_for(reader(request), bucket, Perm.RESOURCES_OPERATE, account=named(request, "account"))
        wish = sent_anywhere(DeleteBucketQuery, request)
        operation = services.delete(
            bucket=found, confirm=wish["confirm"], and_empty=wish["empty"], by=reader(request), reason=wish["reason"]
        )
        return accepted(operation)


class Upload(ApiView):
    permission = Perm.RESOURCES_OPERATE
    object_decides = True
    calls_aws = True
    takes_files = True
    parser_classes = [MultiPartParser]

    @extend_schema(request={"multipart/form-data": UploadSerializer}, responses={201: UploadedSerializer}, tags=["s3"])
    def post(self, request: Request) -> Response:
        """Store a file of any size. It goes through in parts and is never whole in memory; S3 compares its checksum."""
        user, name = reader(request), named(request, "bucket")
        bucket = selectors.bucket_for(user, name, Perm.RESOURCES_OPERATE, account=named(request, "account"))
        wish = sent(UploadSerializer, request)
        file = wish["file"]
        stored = uploads.upload(
            bucket=bucket,
            key=wish["key"],
            stream=file_in(file),
            size=file.size or 0,
            content_type=file.content_type or "",
            if_absent=wish["if_absent"],
            by=user,
        )
        answer = {"bucket": name, "key": wish["key"], "size": stored.size, "etag": stored.etag}
        return Response({**answer, "version_id": stored.version_id, "checksum": stored.checksum}, status=201)
