"""What is in a bucket, one page at a time. A key may hold any character; it is never a path of this machine."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from cloudconsole.aws import calls
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind

# What ListObjectsV2 gives at most.
MAX_PAGE = 1_000


@dataclass(frozen=True, slots=True)
class ObjectFacts:
    """An object; `size` in bytes, `storage_class` in AWS's words (STANDARD, GLACIER, …)."""

    key: str
    size: int
    etag: str
    modified_at: datetime
    storage_class: str


@dataclass(frozen=True, slots=True)
class ObjectPage:
    """A page of a listing: `prefixes` are the folders below, each with its delimiter at the end."""

    prefixes: tuple[str, ...]
    objects: tuple[ObjectFacts, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class VersionFacts:
    """A version of an object, or a delete marker (no size, no ETag). Unversioned objects have the version id "null"."""

    key: str
    version_id: str
    is_latest: bool
    is_delete_marker: bool
    size: int | None
    etag: str
    modified_at: datetime
    storage_class: str


@dataclass(frozen=True, slots=True)
class VersionPage:
    """A page of versions, newest first within a key."""

    prefixes: tuple[str, ...]
    versions: tuple[VersionFacts, ...]
    next_token: str | None


def objects(
    access: Access,
    region: str,
    bucket: str,
    *,
    prefix: str = "",
    delimiter: str = "/",
    token: str | None = None,
    size: int = MAX_PAGE,
) -> ObjectPage:
    """One page of the objects below `prefix`; `token` is the `next_token` of the page before. Raises AwsError."""
    asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "Delimiter": delimiter, "MaxKeys": size}
    if token:
        asked["ContinuationToken"] = token
    return calls.call(access, "s3", "ListObjectsV2", region, lambda: _objects(region, asked))


def object_versions(
    access: Access,
    region: str,
    bucket: str,
    *,
    prefix: str = "",
    delimiter: str = "",
    token: str | None = None,
    size: int = MAX_PAGE,
) -> VersionPage:
    """One page of all versions and delete markers below `prefix`. Raises AwsError, also for a `token` that is none."""
    asked: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix, "MaxKeys": size, **_markers(token)}
    if delimiter:
        asked["Delimiter"] = delimiter
    return calls.call(access, "s3", "ListObjectVersions", region, lambda: _versions(region, asked))


def _objects(region: str, asked: dict[str, Any]) -> ObjectPage:
    page = cast("dict[str, Any]", client("s3", region).list_objects_v2(**asked))
    return ObjectPage(
        prefixes=_prefixes(page),
        objects=tuple(
            ObjectFacts(
                found["Key"],
                found["Size"],
                _bare(found["ETag"]),
                found["LastModified"].astimezone(UTC),
                found.get("StorageClass", "STANDARD"),
            )
            for found in page.get("Contents", ())
        ),
        next_token=page.get("NextContinuationToken") if page.get("IsTruncated") else None,
    )


def _versions(region: str, asked: dict[str, Any]) -> VersionPage:
    page = cast("dict[str, Any]", client("s3", region).list_object_versions(**asked))
    found = [_version(version) for version in page.get("Versions", ())]
    found += [_version(marker) for marker in page.get("DeleteMarkers", ())]
    # AWS sends them mixed, botocore sorts them into two lists.
    found.sort(key=lambda version: (version.key, -version.modified_at.timestamp(), not version.is_latest))
    following = _token(page.get("NextKeyMarker", ""), page.get("NextVersionIdMarker", "")) if page.get("IsTruncated") else None
    return VersionPage(_prefixes(page), tuple(found), following)


def _version(found: dict[str, Any]) -> VersionFacts:
    is_marker = "Size" not in found
    return VersionFacts(
        key=found["Key"],
        version_id=found["VersionId"],
        is_latest=found["IsLatest"],
        is_delete_marker=is_marker,
        size=found.get("Size"),
        etag=_bare(found.get("ETag", "")),
        modified_at=found["LastModified"].astimezone(UTC),
        storage_class="" if is_marker else found.get("StorageClass", "STANDARD"),
    )


def _prefixes(page: dict[str, Any]) -> tuple[str, ...]:
    return tuple(found["Prefix"] for found in page.get("CommonPrefixes", ()))


def _bare(etag: str) -> str:
    return etag.strip('"')


def _token(key: str, version_id: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([key, version_id]).encode()).decode()


def _markers(token: str | None) -> dict[str, str]:
    """Versions are continued by two markers; a page's token holds both."""
    if not token:
        return {}
    try:
        key, version_id = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError):
        raise _no_such_page() from None
    if not isinstance(key, str) or not isinstance(version_id, str) or not key:
        raise _no_such_page()
    return {"KeyMarker": key, **({"VersionIdMarker": version_id} if version_id else {})}


def _no_such_page() -> AwsError:
    return AwsError(
        service="s3",
        operation="ListObjectVersions",
        cause=AwsErrorKind.INVALID_REQUEST,
        meaning="The listing has no such page.",
        remedy="Begin again at its first page.",
    )
