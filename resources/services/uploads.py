"""Storing what people send in a bucket: streamed, checked from end to end, nothing overwritten unless it is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import BinaryIO

from accounts.models import User
from cloudconsole.aws import s3
from cloudconsole.aws.errors import AwsError
from cloudconsole.aws.s3 import Uploaded
from cloudconsole.core.errors import CloudconsoleError, Kind
from resources.models import Bucket
from resources.rules import object_keys
from resources.services import operations
from resources.services.operations import Target

# Until the first bytes move; from then on the operation is held for as long as some do.
_LASTS = timedelta(hours=1)
_EXISTS_CODES = frozenset({"PreconditionFailed", "ConditionalRequestConflict"})


class InvalidKey(CloudconsoleError):
    code = "key_invalid"
    title = "Nothing can be stored under this key"


class ObjectExists(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "object_exists"
    title = "There is an object of this name"
    remedy = "Upload it under another name, or ask for the object to be replaced."


def upload(*, bucket: Bucket, key: str, stream: BinaryIO, size: int, content_type: str, if_absent: bool, by: User) -> Uploaded:
    """Store `size` bytes of `stream` as `key`; `if_absent` refuses to replace an object.

    Raises InvalidKey, ObjectExists, AwsError, and what `operations.carried_out` raises.
    """
    if fault := object_keys.fault_of(key):
        raise InvalidKey(fault, attr="key")
    with operations.carried_out(
        action="s3.upload",
        target=Target(bucket.account, bucket.region, bucket.name, f"{key} in {bucket.name}"),
        by=by,
        parameters={"key": key, "size": size, "if_absent": if_absent},
        lasts=_LASTS,
    ) as doing:
        try:
            stored = s3.upload(
                doing.access,
                bucket.region,
                bucket.name,
                key,
                stream,
                size=size,
                content_type=object_keys.content_type(key, content_type),
                if_absent=if_absent,
                on_progress=lambda done: doing.reporter.report(done, size),
                alive=doing.reporter.is_stopped,
                observer=doing.observer,
            )
        except AwsError as error:
            if error.aws_code in _EXISTS_CODES:
                raise ObjectExists(f"{bucket.name} has an object {key} already; it was left as it is.", attr="key") from error
            raise
        doing.result = {"size": stored.size, "etag": stored.etag, "version_id": stored.version_id, "checksum": stored.checksum}
    return stored
