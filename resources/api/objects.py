"""/api/s3/{name}/objects and /api/s3/{name}/presign: looking into a bucket, and links that download from it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from resources.api.operations import OperationSerializer, accepted
from resources.api.requests import named, queried, reader, sent, sent_anywhere
from resources.rules import object_keys
from resources.selectors import objects as selectors
from resources.services import buckets
from resources.services import objects as services
from resources.services.buckets import ObjectRef

ACCOUNT_HELP = "Id, alias or 12-digit number."


class KeyField(serializers.CharField):
    """A key or a prefix, blanks at its ends included."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=object_keys.MAX_BYTES, trim_whitespace=False, **options)


class ListingQuery(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, required=False, default="", help_text=ACCOUNT_HELP)
    prefix = KeyField(required=False, default="", allow_blank=True)
    token = serializers.CharField(max_length=4096, required=False, default="", help_text="`next_token` of the page before.")
    page_size = serializers.IntegerField(min_value=1, max_value=services.MAX_PAGE, required=False, default=100)
    versions = serializers.BooleanField(required=False, default=False, help_text="Every version and delete marker.")


class FolderSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    prefix = serializers.CharField()


class EntrySerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    name = serializers.CharField(help_text="The key as it reads below the prefix.")
    size = serializers.IntegerField(allow_null=True, help_text="Bytes; null for a delete marker.")
    etag = serializers.CharField()
    modified_at = serializers.DateTimeField()
    storage_class = serializers.CharField()
    version_id = serializers.CharField(allow_null=True)
    is_latest = serializers.BooleanField()
    is_delete_marker = serializers.BooleanField()


class ListingSerializer(serializers.Serializer[Any]):
    prefix = serializers.CharField()
    folders = FolderSerializer(many=True)
    objects = EntrySerializer(many=True, source="entries")
    next_token = serializers.CharField(allow_null=True)


class LinkQuery(serializers.Serializer[Any]):
    account = serializers.CharField(max_length=63, required=False, default="", help_text=ACCOUNT_HELP)
    key = KeyField()
    version_id = serializers.CharField(max_length=1024, required=False, default="", allow_blank=True)
    seconds = serializers.IntegerField(
        min_value=services.MIN_LINK_S, max_value=services.MAX_LINK_S, required=False, default=services.DEFAULT_LINK_S
    )


class DeletionQuery(serializers.Serializer[Any]):
    """In the body or in the query string, whichever a client likes."""

    account = serializers.CharField(max_length=63, required=False, default="", help_text=ACCOUNT_HELP)
    key = KeyField()
    version_id = serializers.CharField(max_length=1024, required=False, default="", allow_blank=True)
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class LinkSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="A secret: whoever has it may download the object until it expires.")
    expires_at = serializers.DateTimeField()


class Objects(ApiView):
    permission = {"GET": Perm.OBJECTS_READ, "DELETE": Perm.RESOURCES_OPERATE}
    object_decides = True
    calls_aws = True

    @extend_schema(parameters=[ListingQuery], responses=ListingSerializer, tags=["s3"])
    def get(self, request: Request, bucket: str) -> Response:
        """What is in the bucket below `prefix`, asked of S3 now: folders and objects, a page at a time."""
        found = selectors.bucket_for(reader(request), bucket, Perm.OBJECTS_READ, account=named(request, "account"))
        asked = queried(ListingQuery, request)
        browse = services.browse_versions if asked["versions"] else services.browse
        wanted = {"prefix": asked["prefix"], "token": asked["token"], "size": asked["page_size"]}
        return Response(ListingSerializer(browse(bucket=found, by=reader(request), **wanted)).data)

    @extend_schema(parameters=[DeletionQuery], request=None, responses={202: OperationSerializer}, tags=["s3"])
    def delete(self, request: Request, bucket: str) -> Response:
        """Delete the object `key`, or one version of it; in a bucket with versions the object gets a delete marker."""
        found = selectors.bucket_for(reader(request), bucket, Perm.RESOURCES_OPERATE, account=named(request, "account"))
        wish = sent_anywhere(DeletionQuery, request)
        chosen = [ObjectRef(wish["key"], wish["version_id"])]
        return accepted(buckets.delete_objects(bucket=found, objects=chosen, by=reader(request), reason=wish["reason"]))


class Presign(ApiView):
    permission = Perm.OBJECTS_READ
    object_decides = True
    calls_aws = True

    @extend_schema(request=LinkQuery, responses=LinkSerializer, tags=["s3"])
    def post(self, request: Request, bucket: str) -> Response:
        """A link that downloads one object, without further sign-in, for a short time."""
        found = selectors.bucket_for(reader(request), bucket, Perm.OBJECTS_READ, account=named(request, "account"))
        asked = sent(LinkQuery, request)
        link = services.link(
            bucket=found, key=asked["key"], by=reader(request), version_id=asked["version_id"], seconds=asked["seconds"]
        )
        return Response(LinkSerializer(link).data)
