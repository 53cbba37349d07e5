"""/api/s3/{name}/objects and /api/s3/{name}/presign: looking into a bucket, and links that download from it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudconsole.api.views import ApiView
from cloudconsole.core.permissions import Perm
from resources.api.requests import queried, reader, sent
from resources.rules import object_keys
from resources.selectors import objects as selectors
from resources.services import objects as services

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


class LinkSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="A secret: whoever has it may download the object until it expires.")
    expires_at = serializers.DateTimeField()


class Objects(ApiView):
    permission = Perm.OBJECTS_READ
    object_decides = True
    calls_aws = True

    @extend_schema(parameters=[ListingQuery], responses=ListingSerializer, tags=["s3"])
    def get(self, request: Request, name: str) -> Response:
        """What is in the bucket below `prefix`, asked of S3 now: folders and objects, a page at a time."""
        asked = queried(ListingQuery, request)
        bucket = selectors.bucket_for(reader(request), name, Perm.OBJECTS_READ, account=asked.pop("account"))
        browse = services.browse_versions if asked.pop("versions") else services.browse
        page = browse(bucket=bucket, by=reader(request), size=asked.pop("page_size"), **asked)
        return Response(ListingSerializer(page).data)


class Presign(ApiView):
    permission = Perm.OBJECTS_READ
    object_decides = True
    calls_aws = True

    @extend_schema(request=LinkQuery, responses=LinkSerializer, tags=["s3"])
    def post(self, request: Request, name: str) -> Response:
        """A link that downloads one object, without further sign-in, for a short time."""
        asked = sent(LinkQuery, request)
        bucket = selectors.bucket_for(reader(request), name, Perm.OBJECTS_READ, account=asked.pop("account"))
        return Response(LinkSerializer(services.link(bucket=bucket, by=reader(request), **asked)).data)
