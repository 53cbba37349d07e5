"""Listings of objects, versions and uploads: by the bytes of their keys, a thousand at a time, folders rolled up."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from cloudconsole.simulator.s3 import xml
from cloudconsole.simulator.s3.buckets import Bucket, Version
from cloudconsole.simulator.s3.routes import S3Request
from cloudconsole.simulator.wire import AwsError, element

_MOST = 1_000


@dataclass(frozen=True, slots=True)
class _Entry:
    """A line of a listing, or a folder (`prefix`) that stands for many. `mark` is what it is continued after."""

    inside: str
    name: str
    prefix: str
    mark: tuple[str, str]


def objects(bucket: Bucket, request: S3Request) -> str:
    """ListObjectsV2."""
    query = request.query
    after = _after(query.get("continuation-token"), query.get("start-after", ""))
    current = ((key, bucket.current(key)) for key in bucket.keys() if key.encode() > after.encode())  # noqa: SIM118 - sorted
    found = (
        (key, (key, ""), "Contents", _object(version, request))
        for key, version in current
        if version is not None and not version.is_marker
    )
    page, more = _page(found, request, skipped=after)
    token = element("NextContinuationToken", _token(page[-1].mark[0])) if more and page else ""
    return (
        element("Name", bucket.name)
        + element("Prefix", xml.encoded(query.get("prefix", ""), query))
        + element("KeyCount", len(page))
        + element("MaxKeys", _size(request, "max-keys"))
        + xml.optional("Delimiter", xml.encoded(query.get("delimiter", ""), query))
        + xml.optional("EncodingType", query.get("encoding-type", ""))
        + element("IsTruncated", str(more).lower())
        + token
        + _lines(page)
    )


def versions(bucket: Bucket, request: S3Request) -> str:
    """ListObjectVersions: newest first within a key."""
    query = request.query
    key_marker, version_marker = query.get("key-marker", ""), query.get("version-id-marker", "")
    if version_marker and not key_marker:
        raise AwsError("InvalidArgument", "A version-id marker cannot be specified without a key marker.")
    found = (
        (version.key, (version.key, version.version_id), _kind(version), _version(version, request, is_latest=is_latest))
        for version, is_latest in _after_markers(bucket, key_marker, version_marker)
    )
    page, more = _page(found, request, skipped="" if version_marker else key_marker)
    last = page[-1].mark if more and page else None
    return (
        element("Name", bucket.name)
        + element("Prefix", xml.encoded(query.get("prefix", ""), query))
        + element("KeyMarker", xml.encoded(key_marker, query))
        + element("VersionIdMarker", version_marker)
        + (element("NextKeyMarker", xml.encoded(last[0], query)) if last else "")
        + (xml.optional("NextVersionIdMarker", last[1]) if last else "")
        + element("MaxKeys", _size(request, "max-keys"))
        + xml.optional("Delimiter", xml.encoded(query.get("delimiter", ""), query))
        + xml.optional("EncodingType", query.get("encoding-type", ""))
        + element("IsTruncated", str(more).lower())
        + _lines(page)
    )


def uploads(bucket: Bucket, request: S3Request) -> str:
    """ListMultipartUploads: by key, then by age."""
    query = request.query
    markers = (query.get("key-marker", ""), query.get("upload-id-marker", ""))
    waiting = sorted(bucket.uploads.values(), key=lambda upload: (upload.key.encode(), upload.started_at, upload.upload_id))
    found = (
        (
            upload.key,
            (upload.key, upload.upload_id),
            "Upload",
            element("Key", xml.encoded(upload.key, query))
            + element("UploadId", upload.upload_id)
            + element("Initiated", xml.moment(upload.started_at))
            + element("StorageClass", "STANDARD"),
        )
        for upload in waiting
        if (upload.key, upload.upload_id) > markers
    )
    page, more = _page(found, request, size="max-uploads")
    last = page[-1].mark if more and page else None
    return (
        element("Bucket", bucket.name)
        + (element("NextKeyMarker", xml.encoded(last[0], query)) + element("NextUploadIdMarker", last[1]) if last else "")
        + element("MaxUploads", _size(request, "max-uploads"))
        + xml.optional("EncodingType", query.get("encoding-type", ""))
        + element("IsTruncated", str(more).lower())
        + _lines(page)
    )


_Found = tuple[str, tuple[str, str], str, str]  # key, mark, element name, what stands in it


def _page(found: Iterable[_Found], request: S3Request, *, size: str = "max-keys", skipped: str = "") -> tuple[list[_Entry], bool]:
    """The first entries below the prefix, and whether there are more. A folder that was on an earlier page is `skipped`."""
    most = _size(request, size)
    entries = list(islice(_rolled_up(found, request, skipped), most + 1))
    return entries[:most], len(entries) > most > 0


def _rolled_up(found: Iterable[_Found], request: S3Request, skipped: str) -> Iterator[_Entry]:
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    last = ""
    for key, mark, name, inside in found:
        if not key.startswith(prefix):
            continue
        rest = key[len(prefix) :]
        if not delimiter or delimiter not in rest:
            yield _Entry(inside, name, "", mark)
            continue
        folder = prefix + rest[: rest.index(delimiter) + len(delimiter)]
        if folder not in (last, skipped):
            yield _Entry(element("Prefix", xml.encoded(folder, request.query)), "CommonPrefixes", folder, (folder, ""))
        last = folder


def _lines(page: list[_Entry]) -> str:
    lines = [f"<{entry.name}>{entry.inside}</{entry.name}>" for entry in page if not entry.prefix]
    return "".join(lines) + "".join(f"<{entry.name}>{entry.inside}</{entry.name}>" for entry in page if entry.prefix)


def _after_markers(bucket: Bucket, key_marker: str, version_marker: str) -> Iterator[tuple[Version, bool]]:
    for key in bucket.keys():  # noqa: SIM118 - sorted
        if key.encode() < key_marker.encode() or (key == key_marker and not version_marker):
            continue
        newest_first = bucket.objects[key][::-1]
        passed = key != key_marker
        for version in newest_first:
            if passed:
                yield version, version is newest_first[0]
            passed = passed or version.version_id == version_marker


def _kind(version: Version) -> str:
    return "DeleteMarker" if version.is_marker else "Version"


def _object(version: Version, request: S3Request) -> str:
    body = version.body
    if body is None:
        return ""
    return (
        element("Key", xml.encoded(version.key, request.query))
        + element("LastModified", xml.moment(version.modified_at))
        + element("ETag", f'"{body.etag}"')
        + element("Size", body.size)
        + element("StorageClass", version.storage_class)
    )


def _version(version: Version, request: S3Request, *, is_latest: bool) -> str:
    which = element("VersionId", version.version_id) + element("IsLatest", str(is_latest).lower())
    if version.is_marker:
        key = element("Key", xml.encoded(version.key, request.query))
        return key + which + element("LastModified", xml.moment(version.modified_at))
    return _object(version, request) + which


def _size(request: S3Request, name: str) -> int:
    wanted = request.query.get(name, str(_MOST))
    if not wanted.isdigit():
        raise AwsError("InvalidArgument", f"Argument {name} must be an integer between 0 and 2147483647")
    return min(int(wanted), _MOST)


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _after(token: str | None, start_after: str) -> str:
    if token is None:
        return start_after
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError:  # not ASCII, not base64, or not UTF-8
        raise AwsError("InvalidArgument", "The continuation token provided is incorrect") from None
