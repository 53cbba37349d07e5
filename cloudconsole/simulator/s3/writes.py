"""Writing objects: conditions, checksums, parts (S3 API reference: PutObject, UploadPart, CompleteMultipartUpload)."""

from __future__ import annotations

import base64
import hashlib
import uuid
import zlib
from collections.abc import Callable, Mapping
from datetime import datetime

from cloudconsole.simulator.s3 import xml
from cloudconsole.simulator.s3.bodies import Blob, Shelf, assembled, encoded, whole
from cloudconsole.simulator.s3.buckets import Bucket, Upload, Version, Versioning
from cloudconsole.simulator.s3.routes import S3Request
from cloudconsole.simulator.wire import AwsError, Response, element

_LONGEST_KEY = 1024
_LARGEST_PUT = 5 * 1024**3
_SMALLEST_PART = 5 * 1024**2
_DIGESTS: Mapping[str, Callable[[bytes], str]] = {
    "crc32": lambda content: encoded(zlib.crc32(content)),
    "sha1": lambda content: base64.b64encode(hashlib.sha1(content, usedforsecurity=False).digest()).decode(),
    "sha256": lambda content: base64.b64encode(hashlib.sha256(content).digest()).decode(),
}


def put_object(bucket: Bucket, request: S3Request, shelf: Shelf, now: datetime, request_id: str) -> Response:
    _check_key(request.key)
    _check_condition(bucket, request)
    if len(request.body) > _LARGEST_PUT:
        raise AwsError("EntityTooLarge", "Your proposed upload exceeds the maximum allowed size")
    checksums = _checked(request)
    body = whole(shelf.blob(request.body))
    made = Version(
        request.key, bucket.next_version_id(), now, body,
        request.headers.get("content-type", "binary/octet-stream"),
        request.headers.get("x-amz-storage-class", "STANDARD"),
        checksums or {"x-amz-checksum-crc32": body.crc32()},
    )  # fmt: skip
    shelf.discard(bucket.put(made))
    return _written(bucket, made, xml.empty(request_id))


def start_upload(bucket: Bucket, request: S3Request, now: datetime, request_id: str) -> Response:
    _check_key(request.key)
    upload = Upload(uuid.uuid4().hex, request.key, now, request.headers.get("content-type", "binary/octet-stream"))
    bucket.uploads[upload.upload_id] = upload
    inside = element("Bucket", bucket.name) + element("Key", request.key) + element("UploadId", upload.upload_id)
    return xml.answer("InitiateMultipartUploadResult", inside, request_id)


def upload_part(bucket: Bucket, request: S3Request, shelf: Shelf, request_id: str) -> Response:
    upload = _upload(bucket, request)
    number = request.query.get("partNumber", "")
    if not number.isdigit() or not 1 <= int(number) <= 10_000:
        raise AwsError("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
    checksums = _checked(request)
    blob = shelf.blob(request.body)
    replaced = upload.parts.get(int(number))
    upload.parts[int(number)] = blob
    shelf.discard([replaced] if replaced else [])
    made = xml.empty(request_id)
    return Response(200, b"", made.content_type, {**made.headers, "ETag": f'"{blob.md5}"', **checksums})


def complete_upload(bucket: Bucket, request: S3Request, shelf: Shelf, now: datetime, request_id: str) -> Response:
    upload = _upload(bucket, request)
    blobs = _parts(upload, request)
    _check_condition(bucket, request)
    body = assembled(blobs)
    checksums = {"x-amz-checksum-crc32": body.crc32()}
    expected = request.headers.get("x-amz-checksum-crc32")
    if expected not in (None, checksums["x-amz-checksum-crc32"]):
        raise _bad_checksum("crc32")
    if request.headers.get("x-amz-mp-object-size", str(body.size)) != str(body.size):
        raise AwsError("InvalidRequest", "The provided 'x-amz-mp-object-size' header does not match the size of the object.")
    del bucket.uploads[upload.upload_id]
    shelf.discard([blob for blob in upload.parts.values() if blob not in blobs])
    made = Version(request.key, bucket.next_version_id(), now, body, upload.content_type, checksums=checksums)
    shelf.discard(bucket.put(made))
    inside = element("Bucket", bucket.name) + element("Key", request.key) + element("ETag", f'"{body.etag}"')
    inside += element("ChecksumCRC32", checksums["x-amz-checksum-crc32"]) + element("ChecksumType", "FULL_OBJECT")
    return _written(bucket, made, xml.answer("CompleteMultipartUploadResult", inside, request_id))


def abort_upload(bucket: Bucket, request: S3Request, shelf: Shelf, request_id: str) -> Response:
    upload = _upload(bucket, request)
    del bucket.uploads[upload.upload_id]
    shelf.discard(list(upload.parts.values()))
    return xml.empty(request_id, status=204)


def list_parts(bucket: Bucket, request: S3Request, request_id: str) -> Response:
    upload = _upload(bucket, request)
    inside = element("Bucket", bucket.name) + element("Key", upload.key) + element("UploadId", upload.upload_id)
    inside += element("IsTruncated", "false") + xml.many(
        "Part",
        (
            element("PartNumber", number) + element("ETag", f'"{blob.md5}"') + element("Size", blob.size)
            for number, blob in sorted(upload.parts.items())
        ),
    )
    return xml.answer("ListPartsResult", inside, request_id)


def _written(bucket: Bucket, version: Version, response: Response) -> Response:
    headers = {**response.headers, **version.checksums, "x-amz-server-side-encryption": bucket.encryption}
    headers |= {"ETag": f'"{version.body.etag}"'} if version.body else {}
    if bucket.versioning is not Versioning.OFF:
        headers["x-amz-version-id"] = version.version_id
    return Response(response.status, response.body, response.content_type, headers)


def _check_key(key: str) -> None:
    if len(key.encode()) > _LONGEST_KEY:
        raise AwsError("KeyTooLongError", "Your key is too long", members={"MaxSizeAllowed": str(_LONGEST_KEY)})


def _check_condition(bucket: Bucket, request: S3Request) -> None:
    wanted = request.headers.get("if-none-match")
    if wanted is None:
        return
    if wanted != "*":
        raise AwsError("NotImplemented", "A header you provided implies functionality that is not implemented", 501)
    current = bucket.current(request.key)
    if current is not None and not current.is_marker:
        message = "At least one of the pre-conditions you specified did not hold"
        raise AwsError("PreconditionFailed", message, 412, members={"Condition": "If-None-Match"})


def _checked(request: S3Request) -> dict[str, str]:
    """The checksums that came along, compared with what arrived."""
    md5 = request.headers.get("content-md5")
    if md5 is not None and md5 != base64.b64encode(hashlib.md5(request.body, usedforsecurity=False).digest()).decode():
        raise AwsError("BadDigest", "The Content-MD5 you specified did not match what we received.")
    found: dict[str, str] = {}
    for name, digest in _DIGESTS.items():
        told = request.headers.get(f"x-amz-checksum-{name}")
        if told is None:
            continue
        if told != digest(request.body):
            raise _bad_checksum(name)
        found[f"x-amz-checksum-{name}"] = told
    return found


def _bad_checksum(name: str) -> AwsError:
    return AwsError("BadDigest", f"The {name.upper()} you specified did not match the calculated checksum.")


def _upload(bucket: Bucket, request: S3Request) -> Upload:
    upload = bucket.uploads.get(request.query.get("uploadId", ""))
    if upload is None or upload.key != request.key:
        message = (
            "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
        )
        raise AwsError("NoSuchUpload", message, 404)
    return upload


def _parts(upload: Upload, request: S3Request) -> list[Blob]:
    """The parts that the request names, in its order, which must be theirs."""
    named = [
        (int(part.findtext("PartNumber", "0")), part.findtext("ETag", "").strip('"'))
        for part in xml.parse(request.body).iter("Part")
    ]
    if not named:
        raise xml.malformed()
    if [number for number, _ in named] != sorted({number for number, _ in named}):
        raise AwsError("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.")
    blobs = [upload.parts.get(number) for number, _ in named]
    if any(blob is None or blob.md5 != etag for blob, (_, etag) in zip(blobs, named, strict=True)):
        message = "One or more of the specified parts could not be found."
        raise AwsError("InvalidPart", message)
    found = [blob for blob in blobs if blob is not None]
    if any(blob.size < _SMALLEST_PART for blob in found[:-1]):
        raise AwsError("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
    return found
