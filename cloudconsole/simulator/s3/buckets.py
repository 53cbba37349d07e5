"""Buckets and what is in them, and how versions come and go (S3 user guide, "How S3 Versioning works")."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cloudconsole.simulator.s3.bodies import Blob, Body

NULL_VERSION = "null"
ALL_BLOCKED = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}


class Versioning(StrEnum):
    """OFF is AWS's silence about a bucket that never had versions."""

    OFF = ""
    ENABLED = "Enabled"
    SUSPENDED = "Suspended"


@dataclass(frozen=True, slots=True)
class Version:
    """One version of an object; without a body it is a delete marker."""

    key: str
    version_id: str
    modified_at: datetime
    body: Body | None = None
    content_type: str = "binary/octet-stream"
    storage_class: str = "STANDARD"
    # Header name → value, such as x-amz-checksum-crc32; all of them cover the full object.
    checksums: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_marker(self) -> bool:
        return self.body is None


@dataclass(slots=True)
class Upload:
    """A multipart upload that goes on; `parts` by number."""

    upload_id: str
    key: str
    started_at: datetime
    content_type: str
    parts: dict[int, Blob] = field(default_factory=dict)


@dataclass(slots=True)
class Bucket:
    """`objects`: the versions of each key, newest last."""

    name: str
    account_id: str
    region: str
    created_at: datetime
    versioning: Versioning = Versioning.OFF
    encryption: str = "AES256"
    public_access_block: dict[str, bool] | None = field(default_factory=lambda: dict(ALL_BLOCKED))
    tags: dict[str, str] = field(default_factory=dict)
    objects: dict[str, list[Version]] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    # Below these prefixes no version can be deleted.
    locked: tuple[str, ...] = ()

    def is_locked(self, key: str) -> bool:
        return key.startswith(self.locked) if self.locked else False

    @property
    def is_empty(self) -> bool:
        return not self.objects

    def keys(self) -> list[str]:
        """In the order of S3: by their bytes."""
        return sorted(self.objects, key=str.encode)

    def current(self, key: str) -> Version | None:
        """The newest version, which may be a delete marker."""
        versions = self.objects.get(key)
        return versions[-1] if versions else None

    def version(self, key: str, version_id: str) -> Version | None:
        return next((version for version in self.objects.get(key, ()) if version.version_id == version_id), None)

    def next_version_id(self) -> str:
        return uuid.uuid4().hex if self.versioning is Versioning.ENABLED else NULL_VERSION

    def put(self, version: Version) -> list[Blob]:
        """Make `version` the newest; what it replaces (a version of the same id) is given back."""
        replaced = self.remove(version.key, version.version_id)
        self.objects.setdefault(version.key, []).append(version)
        return replaced

    def remove(self, key: str, version_id: str) -> list[Blob]:
        """Remove a version for good; its blobs are given back. The newest that is left becomes the current one."""
        versions = self.objects.get(key, [])
        removed = [version for version in versions if version.version_id == version_id]
        left = [version for version in versions if version.version_id != version_id]
        if left:
            self.objects[key] = left
        else:
            self.objects.pop(key, None)
        return [blob for version in removed if version.body for blob in version.body.blobs]
