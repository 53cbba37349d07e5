"""Deleting objects and versions: up to a thousand with one request, each with an outcome of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from cloudconsole.aws import calls
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.s3.objects import VersionFacts, object_versions

# What DeleteObjects takes at most.
_BATCH = 1_000
# XML 1.0 cannot hold these, so that DeleteObjects, whose keys are XML, cannot name such an object.
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")

Target = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Deletion:
    """What became of one key. `code` and `message` are AWS's where it refused.

    `marker_version_id`: the delete marker that was made instead, in a bucket with versions.
    """

    key: str
    version_id: str | None
    deleted: bool
    marker_version_id: str | None = None
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Emptied:
    """How much is gone: current objects, older versions, delete markers, unfinished uploads; and what AWS refused."""

    objects: int = 0
    versions: int = 0
    markers: int = 0
    uploads: int = 0
    refused: int = 0
    first_refusal: Deletion | None = None
    stopped: bool = False

    @property
    def total(self) -> int:
        return self.objects + self.versions + self.markers + self.uploads


def delete_objects(
    access: Access, region: str, bucket: str, targets: Sequence[Target], *, observer: Observer | None = None
) -> list[Deletion]:
    """Delete each (key, version id); without a version id a bucket with versions gets a delete marker.

    The outcomes are in the order of `targets`. A key that does not exist counts as deleted, as with AWS. Raises AwsError
    where the request as a whole failed; what earlier requests deleted stays deleted.
    """
    outcomes: dict[Target, Deletion] = {}
    for batch in _batches([target for target in targets if not _NOT_IN_XML.search(target[0])]):
        outcomes |= calls.call(access, "s3", "DeleteObjects", region, partial(_delete, region, bucket, batch), observer=observer)
    for target in targets:
        if target not in outcomes:
            outcomes[target] = _delete_one(access, region, bucket, target, observer)
    return [outcomes[target] for target in targets]


def empty_bucket(
    access: Access,
    region: str,
    bucket: str,
    *,
    on_progress: Callable[[Emptied], None] = lambda _: None,
    should_stop: Callable[[], bool] = lambda: False,
    observer: Observer | None = None,
) -> Emptied:
    """Delete everything: all versions, delete markers and unfinished uploads. Raises AwsError.

    It may be called again after a failure or a stop and goes on with what is left. What AWS refuses (an object lock) is
    counted and passed by.
    """
    done = Emptied()
    for versions in _pages_of_versions(access, region, bucket):
        if should_stop():
            return replace(done, stopped=True)
        targets: list[Target] = [(version.key, version.version_id) for version in versions]
        done = _added(done, versions, delete_objects(access, region, bucket, targets, observer=observer))
        on_progress(done)
    for uploads in _pages_of_uploads(access, region, bucket):
        if should_stop():
            return replace(done, stopped=True)
        for key, upload_id in uploads:
            abort_upload(access, region, bucket, key, upload_id, observer=observer)
        done = replace(done, uploads=done.uploads + len(uploads))
        on_progress(done)
    return done


def abort_upload(access: Access, region: str, bucket: str, key: str, upload_id: str, *, observer: Observer | None = None) -> None:
    """Give up a multipart upload, so that its parts are no longer stored and paid for; one that is gone is no error."""

    def request() -> object:
        return client("s3", region).abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)

    try:
        calls.call(access, "s3", "AbortMultipartUpload", region, request, observer=observer)
    except AwsError as error:
        if error.aws_code != "NoSuchUpload":
            raise


def _pages_of_versions(access: Access, region: str, bucket: str) -> Iterator[tuple[VersionFacts, ...]]:
    token: str | None = None
    while True:
        page = object_versions(access, region, bucket, token=token)
        if page.versions:
            yield page.versions
        token = page.next_token
        if token is None:
            return


def _pages_of_uploads(access: Access, region: str, bucket: str) -> Iterator[list[tuple[str, str]]]:
    asked: dict[str, Any] = {"Bucket": bucket}

    def request() -> dict[str, Any]:
        return cast("dict[str, Any]", client("s3", region).list_multipart_uploads(**asked))

    while True:
        page = calls.call(access, "s3", "ListMultipartUploads", region, request)
        if page.get("Uploads"):
            yield [(upload["Key"], upload["UploadId"]) for upload in page["Uploads"]]
        if not page.get("IsTruncated"):
            return
        asked |= {"KeyMarker": page["NextKeyMarker"], "UploadIdMarker": page["NextUploadIdMarker"]}


def _added(done: Emptied, versions: Sequence[VersionFacts], outcomes: Sequence[Deletion]) -> Emptied:
    gone = [version for version, outcome in zip(versions, outcomes, strict=True) if outcome.deleted]
    refused = [outcome for outcome in outcomes if not outcome.deleted]
    markers = sum(version.is_delete_marker for version in gone)
    current = sum(version.is_latest and not version.is_delete_marker for version in gone)
    return replace(
        done,
        objects=done.objects + current,
        versions=done.versions + len(gone) - markers - current,
        markers=done.markers + markers,
        refused=done.refused + len(refused),
        first_refusal=done.first_refusal or next(iter(refused), None),
    )


def _batches(targets: Sequence[Target]) -> Iterator[Sequence[Target]]:
    return (targets[start : start + _BATCH] for start in range(0, len(targets), _BATCH))


def _delete(region: str, bucket: str, targets: Sequence[Target]) -> dict[Target, Deletion]:
    wish = [{"Key": key, **({"VersionId": version_id} if version_id else {})} for key, version_id in targets]
    answer = cast("Any", client("s3", region)).delete_objects(Bucket=bucket, Delete={"Objects": wish})
    deleted = {(found["Key"], found.get("VersionId")): found for found in answer.get("Deleted", ())}
    errors = {(found["Key"], found.get("VersionId") or None): found for found in answer.get("Errors", ())}
    return {target: _outcome(target, deleted.get(target), errors.get(target)) for target in targets}


def _outcome(target: Target, deleted: dict[str, Any] | None, error: dict[str, Any] | None) -> Deletion:
    key, version_id = target
    if deleted is not None:
        made = deleted.get("DeleteMarkerVersionId") if version_id is None else None
        return Deletion(key, version_id, True, made)
    if error is not None:
        return Deletion(key, version_id, False, None, str(error.get("Code", "")), str(error.get("Message", "")))
    return Deletion(key, version_id, False, None, "", "AWS did not say what became of it.")


def _delete_one(access: Access, region: str, bucket: str, target: Target, observer: Observer | None) -> Deletion:
    key, version_id = target
    wish = {"Bucket": bucket, "Key": key, **({"VersionId": version_id} if version_id else {})}
    s3 = cast("Any", client("s3", region))
    try:
        answer = calls.call(access, "s3", "DeleteObject", region, lambda: s3.delete_object(**wish), observer=observer)
    except AwsError as error:
        return Deletion(key, version_id, False, None, error.aws_code or error.code, error.detail)
    return Deletion(key, version_id, True, answer.get("VersionId") if version_id is None else None)
