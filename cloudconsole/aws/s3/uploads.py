"""Uploads of any size from a stream, in bounded memory, with a checksum from end to end.

Small files go in one request, larger ones in parts, one after the other. S3 compares the CRC-32 of each part and of the
whole with what was computed here while reading; a damaged upload never becomes an object.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO, Any, BinaryIO, cast

from cloudconsole.aws import calls, codes
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client, once
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.s3.deletion import abort_upload

_MIB = 1024 * 1024
# From here on in parts of at least this size (S3: 5 MiB to 5 GiB each, 10,000 at most).
MULTIPART_FROM = 16 * _MIB
_MAX_PARTS = 10_000
# Of an unknown size: every so many parts the next ones are twice as large; 10,000 of them hold 16 TiB.
_DOUBLE_EVERY = 1_000
# A part larger than this waits on disk.
_IN_MEMORY = 2 * MULTIPART_FROM
_READ = _MIB


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An object as S3 has it now; `checksum` is its CRC-32 in base64, `version_id` None in a bucket without versions."""

    size: int
    etag: str
    version_id: str | None
    checksum: str


class _Part(SpooledTemporaryFile[bytes]):
    """A part that tells when some of it is read, which is when some of it is sent."""

    def __init__(self, alive: Callable[[], object]) -> None:
        super().__init__(max_size=_IN_MEMORY)
        self._alive = alive

    def read(self, *size: int) -> bytes:
        self._alive()
        return super().read(*size)


@dataclass(slots=True)
class _Source:
    """The stream with what was read of it so far."""

    stream: BinaryIO
    on_progress: Callable[[int], None]
    alive: Callable[[], object]
    size: int = 0
    crc: int = 0

    @contextmanager
    def part(self, most: int) -> Iterator[IO[bytes]]:
        """The next bytes, `most` at the most; in memory where they are few."""
        left = most
        with _Part(self.alive) as part:
            while left and (chunk := self.stream.read(min(_READ, left))):
                self.alive()
                part.write(chunk)
                self.size += len(chunk)
                self.crc = zlib.crc32(chunk, self.crc)
                left -= len(chunk)
            part.seek(0)
            yield cast("IO[bytes]", part)

    @property
    def checksum(self) -> str:
        return base64.b64encode(self.crc.to_bytes(4, "big")).decode()


@dataclass(frozen=True, slots=True)
class _Destination:
    access: Access
    region: str
    bucket: str
    key: str
    content_type: str
    if_absent: bool
    observer: Observer | None

    @property
    def named(self) -> dict[str, Any]:
        return {"Bucket": self.bucket, "Key": self.key}

    @property
    def condition(self) -> dict[str, Any]:
        return {"IfNoneMatch": "*"} if self.if_absent else {}

    @property
    def last_word(self) -> Any:
        """The client for what makes the object: a condition that is sent again after a lost answer refutes itself."""
        return once("s3", self.region) if self.if_absent else client("s3", self.region)

    def call(self, operation: str, request: Callable[[], Any]) -> dict[str, Any]:
        return cast("dict[str, Any]", calls.call(self.access, "s3", operation, self.region, request, observer=self.observer))


def upload(
    access: Access,
    region: str,
    bucket: str,
    key: str,
    stream: BinaryIO,
    *,
    size: int | None = None,
    content_type: str = "application/octet-stream",
    if_absent: bool = False,
    on_progress: Callable[[int], None] = lambda _: None,
    alive: Callable[[], object] = lambda: None,
    observer: Observer | None = None,
) -> Uploaded:
    """Store what `stream` holds as `key`; `size` in bytes where it is known before, so that parts can be cut to fit.

    `if_absent` refuses to overwrite (AwsError with PreconditionFailed); then nothing is sent twice, so that a lost answer
    is an error and the object may exist. `on_progress` gets the bytes that S3 has confirmed; `alive` is called whenever
    bytes move, in or out. On any failure the parts that S3 already has are given up. Raises AwsError, and what `stream`
    or `on_progress` raise.
    """
    destination = _Destination(access, region, bucket, key, content_type, if_absent, observer)
    source = _Source(stream, on_progress, alive)
    with source.part(_part_size(1, size)) as first:
        if source.size < MULTIPART_FROM:
            return _put(destination, source, first)
        return _in_parts(destination, source, first, size)


def _put(destination: _Destination, source: _Source, body: IO[bytes]) -> Uploaded:
    s3 = destination.last_word
    answer = destination.call(
        "PutObject",
        lambda: s3.put_object(
            **destination.named,
            Body=_rewound(body),
            ContentType=destination.content_type,
            ChecksumCRC32=source.checksum,
            **destination.condition,
        ),
    )
    source.on_progress(source.size)
    return _uploaded(source, answer)


def _in_parts(destination: _Destination, source: _Source, first: IO[bytes], size: int | None) -> Uploaded:
    if destination.if_absent:
        _refuse_if_present(destination)
    with _multipart(destination) as upload_id:
        parts = [_send(destination, upload_id, 1, first)]
        source.on_progress(source.size)
        while True:
            number = len(parts) + 1
            with source.part(_part_size(number, size)) as part:
                if not _length(part):
                    break
                if number > _MAX_PARTS:
                    raise _too_large()
                parts.append(_send(destination, upload_id, number, part))
            source.on_progress(source.size)
        return _complete(destination, source, upload_id, parts)


@contextmanager
def _multipart(destination: _Destination) -> Iterator[str]:
    """A multipart upload that is given up unless the block comes to its end."""
    s3 = client("s3", destination.region)
    wish = {"ContentType": destination.content_type, "ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"}
    started = destination.call(
        "CreateMultipartUpload", lambda: cast("Any", s3).create_multipart_upload(**destination.named, **wish)
    )
    upload_id, finished = str(started["UploadId"]), False
    try:
        yield upload_id
        finished = True
    finally:
        if not finished:
            # The failure that led here is the one to tell; parts that stay are found and removed by emptying the bucket.
            with suppress(AwsError):
                abort_upload(destination.access, destination.region, destination.bucket, destination.key, upload_id)


def _send(destination: _Destination, upload_id: str, number: int, part: IO[bytes]) -> dict[str, Any]:
    s3 = client("s3", destination.region)
    checksum = _crc32(part)
    answer = destination.call(
        "UploadPart",
        lambda: s3.upload_part(
            **destination.named, UploadId=upload_id, PartNumber=number, Body=_rewound(part), ChecksumCRC32=checksum
        ),
    )
    return {"PartNumber": number, "ETag": answer["ETag"], "ChecksumCRC32": checksum}


def _complete(destination: _Destination, source: _Source, upload_id: str, parts: list[dict[str, Any]]) -> Uploaded:
    s3 = destination.last_word
    answer = destination.call(
        "CompleteMultipartUpload",
        lambda: s3.complete_multipart_upload(
            **destination.named,
            UploadId=upload_id,
            MultipartUpload={"Parts": parts},
            ChecksumCRC32=source.checksum,
            ChecksumType="FULL_OBJECT",
            MpuObjectSize=source.size,
            **destination.condition,
        ),
    )
    return _uploaded(source, answer)


def _uploaded(source: _Source, answer: dict[str, Any]) -> Uploaded:
    return Uploaded(source.size, str(answer["ETag"]).strip('"'), answer.get("VersionId"), source.checksum)


def _refuse_if_present(destination: _Destination) -> None:
    """Before gigabytes are sent in vain. What cannot be known now is decided by the condition at the end."""
    s3 = client("s3", destination.region)
    try:
        destination.call("HeadObject", lambda: s3.head_object(**destination.named))
    except AwsError as error:
        if error.cause in (AwsErrorKind.NOT_FOUND, AwsErrorKind.ACCESS_DENIED):
            return
        raise
    raise _refusal("PreconditionFailed")


def _too_large() -> AwsError:
    return _refusal("EntityTooLarge")


def _refusal(code: str) -> AwsError:
    reading = codes.reading_of("s3", "PutObject", code, "", 412)
    return AwsError(
        service="s3",
        operation="PutObject",
        cause=reading.cause,
        meaning=reading.meaning,
        remedy=reading.remedy,
        aws_code=code,
    )


def _part_size(number: int, size: int | None) -> int:
    """Bytes of part `number` (from 1) of an upload of `size` bytes, or of an unknown size."""
    if size is None:
        return MULTIPART_FROM << ((number - 1) // _DOUBLE_EVERY)
    needed = -(-size // _MAX_PARTS)
    return max(MULTIPART_FROM, -(-needed // _MIB) * _MIB)


def _crc32(part: IO[bytes]) -> str:
    crc = 0
    part.seek(0)
    while chunk := part.read(_READ):
        crc = zlib.crc32(chunk, crc)
    return base64.b64encode(crc.to_bytes(4, "big")).decode()


def _length(part: IO[bytes]) -> int:
    length = part.seek(0, 2)
    part.seek(0)
    return length


def _rewound(part: IO[bytes]) -> IO[bytes]:
    """A renewed session sends the same body once more, from its beginning."""
    part.seek(0)
    return part
