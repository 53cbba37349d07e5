"""Reading and deleting objects (S3 API reference: GetObject, HeadObject, DeleteObject, DeleteObjects)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from email.utils import format_datetime

from cloudconsole.simulator.s3 import xml
from cloudconsole.simulator.s3.bodies import Body, Shelf
from cloudconsole.simulator.s3.buckets import NULL_VERSION, Bucket, Version, Versioning
from cloudconsole.simulator.s3.routes import S3Request
from cloudconsole.simulator.wire import AwsError, Response, element

_RANGE = re.compile(r"bytes=(?P<first>\d*)-(?P<last>\d*)")
_ARCHIVED = frozenset({"GLACIER", "DEEP_ARCHIVE"})
# Query parameter of a GET → the header that it replaces.
_OVERRIDES = {
    "response-content-type": "Content-Type",
    "response-content-disposition": "Content-Disposition",
    "response-cache-control": "Cache-Control",
    "response-content-encoding": "Content-Encoding",
    "response-expires": "Expires",
}
_MOST_DELETED = 1_000


def read_object(bucket: Bucket, request: S3Request, request_id: str) -> Response:
    """GetObject and HeadObject."""
    version = _wanted(bucket, request)
    body = version.body
    if body is None:
        raise _marker(version, named="versionId" in request.query)
    if version.storage_class in _ARCHIVED and request.operation == "GetObject":
        message = "The operation is not valid for the object's storage class"
        raise AwsError("InvalidObjectState", message, 403, members={"StorageClass": version.storage_class})
    start, end, status = _span(request.headers.get("range", ""), body)
    headers = _headers(bucket, version, request, request_id)
    if status == 206:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{body.size}"
    elif request.headers.get("x-amz-checksum-mode", "").upper() == "ENABLED":
        headers |= {**version.checksums, "x-amz-checksum-type": "FULL_OBJECT"}
    content_type = headers.pop("Content-Type")
    return Response(status, b"", content_type, headers, body.pieces(start, end), end - start)


def delete_object(bucket: Bucket, request: S3Request, shelf: Shelf, now: datetime, request_id: str) -> Response:
    made, is_marker = delete(bucket, request.key, request.query.get("versionId"), shelf, now)
    marker = {"x_amz_delete_marker": "true"} if is_marker else {}
    return xml.empty(request_id, status=204, x_amz_version_id=made, **marker)


def delete_objects(
    bucket: Bucket, request: S3Request, shelf: Shelf, now: datetime, refuse: Callable[[str, bool], AwsError | None]
) -> str:
    """Each key for itself; `refuse` (key, whether a version is named) decides about the permission."""
    root = xml.parse(request.body)
    named = [(found.findtext("Key", ""), found.findtext("VersionId")) for found in root.iter("Object")]
    if not 1 <= len(named) <= _MOST_DELETED or not all(key for key, _ in named):
        raise xml.malformed()
    quiet = root.findtext("Quiet", "false") == "true"
    results = []
    for key, version_id in named:
        which = element("Key", key) + xml.optional("VersionId", version_id or "")
        refusal = refuse(key, bool(version_id))
        if refusal is not None:
            results.append(f"<Error>{which}{element('Code', refusal.code)}{element('Message', refusal.message)}</Error>")
            continue
        made, is_marker = delete(bucket, key, version_id, shelf, now)
        if not quiet:
            marker = element("DeleteMarker", "true") + element("DeleteMarkerVersionId", made) if is_marker else ""
            results.append(f"<Deleted>{which}{marker}</Deleted>")
    return "".join(results)


def delete(bucket: Bucket, key: str, version_id: str | None, shelf: Shelf, now: datetime) -> tuple[str, bool]:
    """Delete as the bucket's versioning says: the version id that is told, and whether it is a delete marker's."""
    if version_id:
        found = bucket.version(key, version_id)
        shelf.discard(bucket.remove(key, version_id))
        return version_id, found is not None and found.is_marker
    if bucket.versioning is Versioning.OFF:
        shelf.discard(bucket.remove(key, NULL_VERSION))
        return "", False
    marker = Version(key, bucket.next_version_id(), now)
    shelf.discard(bucket.put(marker))
    return marker.version_id, True


def _wanted(bucket: Bucket, request: S3Request) -> Version:
    version_id = request.query.get("versionId")
    if version_id is None:
        version = bucket.current(request.key)
        if version is None:
            raise _no_such_key(request.key)
        return version
    version = bucket.version(request.key, version_id)
    if version is None:
        members = {"Key": request.key, "VersionId": version_id}
        raise AwsError("NoSuchVersion", "The specified version does not exist.", 404, members=members)
    return version


def _no_such_key(key: str, **headers: str) -> AwsError:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return AwsError("NoSuchKey", "The specified key does not exist.", 404, members={"Key": key}, headers=named)


def _marker(version: Version, *, named: bool) -> AwsError:
    if not named:
        return _no_such_key(version.key, x_amz_delete_marker="true", x_amz_version_id=version.version_id)
    message = "The specified method is not allowed against this resource."
    return AwsError("MethodNotAllowed", message, 405, headers={"x-amz-delete-marker": "true", "Allow": "DELETE"})


def _span(wanted: str, body: Body) -> tuple[int, int, int]:
    """First byte, byte after the last one, and the status. A range that makes no sense is ignored, as HTTP asks."""
    found = _RANGE.fullmatch(wanted)
    if not found or not (found["first"] or found["last"]):
        return 0, body.size, 200
    if not found["first"]:
        return max(0, body.size - int(found["last"])), body.size, 206
    first, last = int(found["first"]), int(found["last"] or body.size)
    if first >= body.size:
        raise AwsError("InvalidRange", "The requested range is not satisfiable", 416)
    return first, min(last + 1, body.size), 206


def _headers(bucket: Bucket, version: Version, request: S3Request, request_id: str) -> dict[str, str]:
    headers = {
        "Content-Type": version.content_type,
        "x-amz-request-id": request_id,
        "ETag": f'"{version.body.etag}"' if version.body else "",
        "Last-Modified": format_datetime(version.modified_at, usegmt=True),
        "Accept-Ranges": "bytes",
        "x-amz-server-side-encryption": bucket.encryption,
    }
    if bucket.versioning is not Versioning.OFF:
        headers["x-amz-version-id"] = version.version_id
    if version.storage_class != "STANDARD":
        headers["x-amz-storage-class"] = version.storage_class
    return headers | {name: request.query[told] for told, name in _OVERRIDES.items() if told in request.query}
