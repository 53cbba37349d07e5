"""Looking into buckets: what is in them is asked of AWS each time, and never stored here."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

import audit.services
from accounts.models import User
from accounts.services import credentials
from cloudconsole.aws import attempts, s3
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from resources import verbs
from resources.models import Bucket
from resources.rules import object_keys
from resources.services import capabilities

MAX_PAGE = 1_000
MIN_LINK_S, DEFAULT_LINK_S, MAX_LINK_S = 60, 300, 43_200
_WITHIN_S = 10  # a reader waits for the answer


class InvalidLinkTime(CloudconsoleError):
    code = "link_time_invalid"
    title = "A link does not last that long"


@dataclass(frozen=True, slots=True)
class Folder:
    """What keys share up to the next delimiter."""

    name: str
    prefix: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An object, or one version of it. `size` in bytes, None for a delete marker; no `version_id` where none was asked for."""

    key: str
    name: str
    size: int | None
    etag: str
    modified_at: datetime
    storage_class: str
    version_id: str | None = None
    is_latest: bool = True
    is_delete_marker: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of what is below a prefix; `next_token` asks for the following one."""

    prefix: str
    folders: tuple[Folder, ...]
    entries: tuple[Entry, ...]
    next_token: str | None


@dataclass(frozen=True, slots=True)
class Link:
    """A download for whoever has it, until it expires. The address is a secret: never stored, never logged."""

    url: str
    expires_at: datetime


def browse(*, bucket: Bucket, by: User, prefix: str = "", token: str = "", size: int = 100) -> Listing:
    """What is in the bucket below `prefix`, as folders and objects. Raises CapabilityOff, AwsError, DeadlineExceeded."""
    capabilities.require(bucket.account, "s3.objects")
    access = credentials.access_for(bucket.account, by)
    with attempts.until(time.monotonic() + _WITHIN_S):
        page = s3.objects(access, bucket.region, bucket.name, prefix=prefix, token=token or None, size=size)
    entries = tuple(
        Entry(found.key, object_keys.within(found.key, prefix), found.size, found.etag, found.modified_at, found.storage_class)
        for found in page.objects
    )
    return Listing(prefix, _folders(page.prefixes, prefix), entries, page.next_token)


def browse_versions(*, bucket: Bucket, by: User, prefix: str = "", token: str = "", size: int = 100) -> Listing:
    """The same with every version and delete marker. Raises as `browse` does."""
    capabilities.require(bucket.account, "s3.objects")
    access = credentials.access_for(bucket.account, by)
    with attempts.until(time.monotonic() + _WITHIN_S):
        page = s3.object_versions(
            access, bucket.region, bucket.name, prefix=prefix, delimiter=object_keys.DELIMITER, token=token or None, size=size
        )
    entries = tuple(
        Entry(
            found.key, object_keys.within(found.key, prefix), found.size, found.etag, found.modified_at, found.storage_class,
            found.version_id, found.is_latest, found.is_delete_marker,
        )
        for found in page.versions
    )  # fmt: skip
    return Listing(prefix, _folders(page.prefixes, prefix), entries, page.next_token)


def link(*, bucket: Bucket, key: str, by: User, version_id: str = "", seconds: int = DEFAULT_LINK_S) -> Link:
    """A link that downloads the object; who made it for which object is recorded, the link itself is not.

    Raises CapabilityOff, InvalidLinkTime, AwsError.
    """
    capabilities.require(bucket.account, "s3.objects")
    if not MIN_LINK_S <= seconds <= MAX_LINK_S:
        raise InvalidLinkTime(f"A link lasts {MIN_LINK_S} to {MAX_LINK_S} seconds.", attr="seconds")
    access = credentials.access_for(bucket.account, by)
    audit.services.record(
        verbs.OBJECT_LINKED,
        actor=by,
        subject=bucket.name,
        account=bucket.account,
        region=bucket.region,
        target=key,
        detail={"version_id": version_id, "seconds": seconds},
    )
    expires_at = clock.now() + timedelta(seconds=seconds)
    url = s3.presign_get(
        access,
        bucket.region,
        bucket.name,
        key,
        version_id=version_id or None,
        seconds=seconds,
        filename=object_keys.file_name(key),
    )
    return Link(url, expires_at)


def _folders(prefixes: tuple[str, ...], prefix: str) -> tuple[Folder, ...]:
    return tuple(Folder(object_keys.within(found, prefix).rstrip(object_keys.DELIMITER), found) for found in prefixes)
