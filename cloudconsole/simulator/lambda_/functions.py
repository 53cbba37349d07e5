"""A function with its versions and aliases, and the states that it goes through (Lambda guide, "Lambda function states")."""

from __future__ import annotations

import base64
import hashlib
import uuid
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

LATEST = "$LATEST"


@dataclass(frozen=True, slots=True)
class Configuration:
    """What AWS calls a FunctionConfiguration, of $LATEST or of a version. `code` is the zip."""

    name: str
    account_id: str
    region: str
    runtime: str
    handler: str
    role_arn: str
    code: bytes = field(repr=False)
    modified_at: datetime
    memory_mb: int = 128
    timeout_s: int = 3
    description: str = ""
    architectures: tuple[str, ...] = ("x86_64",)
    environment: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    version: str = LATEST
    revision_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def code_sha256(self) -> str:
        return base64.b64encode(hashlib.sha256(self.code).digest()).decode()

    @property
    def arn(self) -> str:
        suffix = "" if self.version == LATEST else f":{self.version}"
        return f"arn:aws:lambda:{self.region}:{self.account_id}:function:{self.name}{suffix}"

    def changed(self, now: datetime, **changes: Any) -> Configuration:
        return replace(self, modified_at=now, revision_id=str(uuid.uuid4()), **changes)


@dataclass(slots=True)
class Alias:
    name: str
    version: str
    description: str = ""
    weights: dict[str, float] = field(default_factory=dict)
    revision_id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True)
class Function:
    """`latest` changes, `versions` never. Until `created_until` it is Pending, until `updated_until` an update is going on."""

    latest: Configuration
    created_until: datetime
    updated_until: datetime
    versions: list[Configuration] = field(default_factory=list)
    aliases: dict[str, Alias] = field(default_factory=dict)
    published: int = 0
    # Of the story: how busy it is in an hour, and the share that fails.
    per_hour: float = 0.0
    took_ms: float = 0.0
    used_mb: int | None = None
    failing: float = 0.0
    # A function that AWS could not bring into service, and why.
    failure: str = ""
    # Why its updates do not succeed.
    update_failure: str = ""

    def state(self, now: datetime) -> str:
        if now < self.created_until:
            return "Pending"
        return "Failed" if self.failure else "Active"

    def update_status(self, now: datetime) -> str:
        if now < max(self.updated_until, self.created_until):
            return "InProgress"
        return "Failed" if self.update_failure else "Successful"

    def configuration(self, qualifier: str) -> Configuration | None:
        """$LATEST, a version by its number, or what an alias means."""
        if qualifier in ("", LATEST):
            return self.latest
        alias = self.aliases.get(qualifier)
        version = alias.version if alias else qualifier
        if version == LATEST:
            return self.latest
        return next((found for found in self.versions if found.version == version), None)

    def publish(self, description: str | None) -> Configuration:
        """$LATEST as a version; the newest one where nothing has changed since."""
        newest = self.versions[-1] if self.versions else None
        if newest is not None and _same(newest, self.latest):
            return newest
        self.published += 1
        made = replace(self.latest, version=str(self.published), revision_id=str(uuid.uuid4()))
        if description is not None:
            made = replace(made, description=description)
        self.versions.append(made)
        return made


def _same(version: Configuration, latest: Configuration) -> bool:
    as_latest = replace(version, version=LATEST, revision_id=latest.revision_id, modified_at=latest.modified_at)
    return replace(as_latest, description=latest.description) == latest


def described(function: Function, configuration: Configuration, now: datetime) -> dict[str, Any]:
    """A FunctionConfiguration as the API tells it."""
    is_latest = configuration.version == LATEST
    state = function.state(now)
    told: dict[str, Any] = {
        "FunctionName": configuration.name,
        "FunctionArn": configuration.arn,
        "Runtime": configuration.runtime,
        "Role": configuration.role_arn,
        "Handler": configuration.handler,
        "CodeSize": len(configuration.code),
        "Description": configuration.description,
        "Timeout": configuration.timeout_s,
        "MemorySize": configuration.memory_mb,
        "LastModified": configuration.modified_at.strftime("%Y-%m-%dT%H:%M:%S.") + "000+0000",
        "CodeSha256": configuration.code_sha256,
        "Version": configuration.version,
        "TracingConfig": {"Mode": "PassThrough"},
        "RevisionId": configuration.revision_id,
        "State": state if is_latest else "Active",
        "LastUpdateStatus": function.update_status(now) if is_latest else "Successful",
        "PackageType": "Zip",
        "Architectures": list(configuration.architectures),
        "EphemeralStorage": {"Size": 512},
    }
    if configuration.environment:
        told["Environment"] = {"Variables": dict(configuration.environment)}
    if told["LastUpdateStatus"] == "Failed":
        told |= {"LastUpdateStatusReason": function.update_failure, "LastUpdateStatusReasonCode": "InternalError"}
    if state == "Pending" and is_latest:
        told |= {"StateReason": "The function is being created.", "StateReasonCode": "Creating"}
    if state == "Failed" and is_latest:
        told |= {"StateReason": function.failure, "StateReasonCode": "InternalError"}
    return told
