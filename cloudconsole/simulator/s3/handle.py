"""What a test or a benchmark may arrange with the simulated buckets from outside."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Ask = Callable[[str, str, object], Any]


class S3Handle:
    """The S3 part of a running simulator. Accounts are 12 digits, regions as AWS names them."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def make(self, account: str, region: str, count: int) -> list[str]:
        """`count` more buckets; their names."""
        found: list[str] = self._say("make", account=account, region=region, count=count)["names"]
        return found

    def fill(self, bucket: str, count: int, *, prefix: str = "", storage_class: str = "STANDARD") -> None:
        """`count` more small objects."""
        self._say("fill", bucket=bucket, count=count, prefix=prefix, storage_class=storage_class)

    def lock(self, bucket: str, prefix: str) -> None:
        """What is below `prefix` cannot be deleted any more."""
        self._say("lock", bucket=bucket, prefix=prefix)

    def unfinished(self, bucket: str) -> list[str]:
        """The keys of multipart uploads that have not come to an end."""
        found: list[str] = self._say("unfinished", bucket=bucket)["keys"]
        return found

    def _say(self, name: str, **body: object) -> Any:
        return self._ask("POST", f"s3/{name}", body)
