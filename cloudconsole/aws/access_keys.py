"""An IAM user's own access keys: listed, made, switched off and deleted as that user (IAM API reference)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cloudconsole.aws import calls, regions
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access, StaticKey

MAX_KEYS = 2  # per user; a quota that cannot be raised


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key as IAM lists it: never with its secret."""

    access_key_id: str
    is_active: bool
    created_at: datetime


def own(access: Access) -> list[AccessKey]:
    """The keys of the user who asks, oldest first. Raises AwsError."""
    region = regions.home(access.region)
    found = calls.call(access, "iam", "ListAccessKeys", region, lambda: _list(region))
    return sorted(found, key=lambda key: key.created_at)


def create(access: Access) -> StaticKey:
    """A second key for the user who asks. Its secret is told this once. Raises AwsError."""
    region = regions.home(access.region)
    return calls.call(access, "iam", "CreateAccessKey", region, lambda: _create(region))


def set_status(access: Access, access_key_id: str, status: Literal["Active", "Inactive"]) -> None:
    """Switch a key of the user who asks on or off; doing it twice changes nothing. Raises AwsError."""
    region = regions.home(access.region)

    def request() -> None:
        client("iam", region).update_access_key(AccessKeyId=access_key_id, Status=status)

    calls.call(access, "iam", "UpdateAccessKey", region, request)


def delete(access: Access, access_key_id: str) -> None:
    """Delete a key of the user who asks, for good. Raises AwsError (cause NOT_FOUND when it is gone already)."""
    region = regions.home(access.region)

    def request() -> None:
        client("iam", region).delete_access_key(AccessKeyId=access_key_id)

    calls.call(access, "iam", "DeleteAccessKey", region, request)


def _list(region: str) -> list[AccessKey]:
    pages = client("iam", region).get_paginator("list_access_keys").paginate()
    return [
        AccessKey(key["AccessKeyId"], key["Status"] == "Active", key["CreateDate"])
        for page in pages
        for key in page["AccessKeyMetadata"]
    ]


def _create(region: str) -> StaticKey:
    made = client("iam", region).create_access_key()["AccessKey"]
    return StaticKey(made["AccessKeyId"], made["SecretAccessKey"])
