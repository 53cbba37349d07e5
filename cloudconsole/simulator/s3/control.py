"""S3's part of the control API: what a test or a benchmark arranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudconsole.simulator.s3.service import S3


def make(s3: S3, body: Any) -> dict[str, Any]:
    """`count` further buckets of an account in a region."""
    return {"names": s3.make(str(body["account"]), str(body["region"]), int(body["count"]))}


def fill(s3: S3, body: Any) -> dict[str, Any]:
    """`count` further objects of a few bytes below `prefix`; `storage_class` as AWS names it."""
    s3.fill(str(body["bucket"]), str(body.get("prefix", "")), int(body["count"]), str(body.get("storage_class", "STANDARD")))
    return {}


def lock(s3: S3, body: Any) -> dict[str, Any]:
    """Objects below `prefix` cannot be deleted, as under a legal hold."""
    s3.lock(str(body["bucket"]), str(body["prefix"]))
    return {}


def unfinished(s3: S3, body: Any) -> dict[str, Any]:
    """The keys of multipart uploads that have not come to an end."""
    return {"keys": s3.unfinished(str(body["bucket"]))}


ACTIONS: dict[tuple[str, str], Callable[[S3, Any], dict[str, Any]]] = {
    ("POST", "s3/make"): make,
    ("POST", "s3/fill"): fill,
    ("POST", "s3/lock"): lock,
    ("POST", "s3/unfinished"): unfinished,
}
