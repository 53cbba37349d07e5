"""Objects on their way here: written to a file piece by piece, or read whole where they are known to be small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cloudconsole.aws import calls, translation
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access

_PIECE = 1 << 20


def download(access: Access, region: str, bucket: str, key: str, to: Path, *, alive: Callable[[int], None]) -> int:
    """Write the object to the file `to`; its size. `alive` hears how much is there and may end it. Raises AwsError."""

    def request() -> int:
        body = client("s3", region).get_object(Bucket=bucket, Key=key)["Body"]
        size = 0
        with to.open("wb") as file:
            while piece := body.read(_PIECE):
                file.write(piece)
                size += len(piece)
                alive(size)
        return size

    return calls.call(access, "s3", "GetObject", region, request)


def read(access: Access, region: str, bucket: str, key: str, *, most: int) -> bytes:
    """A small object whole. Raises AwsError, also for one of more than `most` bytes."""

    def request() -> bytes:
        found: dict[str, Any] = dict(client("s3", region).get_object(Bucket=bucket, Key=key))
        if found["ContentLength"] > most:
            raise translation.garbled("s3", "GetObject", f"The object is larger than {most:,} bytes.")
        return bytes(found["Body"].read())

    return calls.call(access, "s3", "GetObject", region, request)
