"""Links by which a browser fetches an object from S3 itself. Such a link is a secret: whoever has it may download."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

from cloudconsole.aws import calls
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access

# AWS's bound for signature version 4; a role session may end earlier, and its links with it.
MAX_SECONDS = 604_800


def presign_get(
    access: Access,
    region: str,
    bucket: str,
    key: str,
    *,
    version_id: str | None = None,
    seconds: int = 300,
    filename: str = "",
) -> str:
    """A link that downloads the object for `seconds` (1..604800), as an attachment called `filename`. Raises AwsError.

    Nothing is asked of S3: a link to an object that is not there is made too. Browsers take ".." out of an address, so that
    a link to a key with such a part leads them elsewhere, where S3 refuses them.
    """
    parameters: dict[str, Any] = {
        "Bucket": bucket,
        "Key": key,
        # Never shown in the browser: what is in a bucket is not to be trusted.
        "ResponseContentDisposition": attachment(filename or key.rstrip("/").rpartition("/")[2]),
        "ResponseContentType": "application/octet-stream",
    }
    if version_id:
        parameters["VersionId"] = version_id
    lasts = max(1, min(seconds, MAX_SECONDS))
    s3 = client("s3", region)
    return calls.call(
        access, "s3", "GetObject", region, lambda: s3.generate_presigned_url("get_object", Params=parameters, ExpiresIn=lasts)
    )


def attachment(filename: str) -> str:
    """A Content-Disposition header for any name (RFC 6266): an ASCII one, and the real one beside it."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", filename) or "download"
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(filename or 'download', safe='')}"
