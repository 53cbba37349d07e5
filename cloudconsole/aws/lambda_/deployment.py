"""Making, changing and publishing functions. `revision_id` makes AWS refuse where somebody else was quicker."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable
from typing import Any, cast

import requests
from botocore import xform_name

from cloudconsole.aws import calls, codes
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import client, once
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind, DeadlineExceeded
from cloudconsole.aws.lambda_.functions import AliasFacts, FunctionFacts, alias_facts, configuration, facts
from cloudconsole.aws.translation import garbled

# AWS takes a zip of 50 MiB at the most with the request; one that came through S3 may be larger.
MAX_CODE = 250 * 1024 * 1024
_DOWNLOAD_TIMEOUT_S = 30
_FIRST_PAUSE_S = 0.25
_LONGEST_PAUSE_S = 4.0


def create_function(
    access: Access,
    region: str,
    name: str,
    *,
    code: bytes,
    runtime: str,
    handler: str,
    role_arn: str,
    memory_mb: int = 128,
    timeout_s: int = 3,
    observer: Observer | None = None,
) -> FunctionFacts:
    """A new function from a zip; it is Pending at first. ResourceConflictException where one of this name exists."""
    wish = {
        "FunctionName": name,
        "Runtime": runtime,
        "Handler": handler,
        "Role": role_arn,
        "Code": {"ZipFile": code},
        "MemorySize": memory_mb,
        "Timeout": timeout_s,
    }
    return _change(access, region, "CreateFunction", wish, observer)


def update_code(
    access: Access,
    region: str,
    name: str,
    *,
    code: bytes,
    revision_id: str | None = None,
    observer: Observer | None = None,
) -> FunctionFacts:
    """Replace the code of $LATEST."""
    wish = {"FunctionName": name, "ZipFile": code, **_expected(revision_id)}
    return _change(access, region, "UpdateFunctionCode", wish, observer)


def update_configuration(
    access: Access,
    region: str,
    name: str,
    *,
    runtime: str | None = None,
    handler: str | None = None,
    role_arn: str | None = None,
    memory_mb: int | None = None,
    timeout_s: int | None = None,
    revision_id: str | None = None,
    observer: Observer | None = None,
) -> FunctionFacts:
    """Change what is given of the configuration of $LATEST; the environment stays as it is."""
    changes = {
        "Runtime": runtime,
        "Handler": handler,
        "Role": role_arn,
        "MemorySize": memory_mb,
        "Timeout": timeout_s,
    }
    wish = {"FunctionName": name, **{key: value for key, value in changes.items() if value is not None}}
    wish |= _expected(revision_id)
    return _change(access, region, "UpdateFunctionConfiguration", wish, observer)


def publish_version(
    access: Access,
    region: str,
    name: str,
    *,
    code_sha256: str | None = None,
    description: str | None = None,
    observer: Observer | None = None,
) -> FunctionFacts:
    """$LATEST as a version that never changes; the last one where nothing has changed since. `code_sha256` guards it."""
    wish = {"FunctionName": name}
    wish |= {"CodeSha256": code_sha256} if code_sha256 else {}
    wish |= {"Description": description} if description is not None else {}
    return _change(access, region, "PublishVersion", wish, observer)


def point_alias(
    access: Access,
    region: str,
    name: str,
    *,
    alias: str,
    version: str,
    observer: Observer | None = None,
) -> AliasFacts:
    """Let `alias` mean `version`, wholly; it is made where there is none."""
    wish: dict[str, Any] = {"FunctionName": name, "Name": alias, "FunctionVersion": version}

    def do(operation: str, **more: Any) -> AliasFacts:
        send = getattr(once("lambda", region), xform_name(operation))
        return calls.call(access, "lambda", operation, region, lambda: alias_facts(send(**wish, **more)), observer=observer)

    try:
        return do("UpdateAlias", RoutingConfig={"AdditionalVersionWeights": {}})
    except AwsError as error:
        if error.cause is not AwsErrorKind.NOT_FOUND:
            raise
    return do("CreateAlias")


def wait_until_active(
    access: Access,
    region: str,
    name: str,
    *,
    deadline_s: float,
    pause: Callable[[float], None] = time.sleep,
    observer: Observer | None = None,
) -> FunctionFacts:
    """Ask until the function is Active and its last update done, for `deadline_s` seconds at most.

    Raises AwsError where AWS says that it failed, with its reason, and DeadlineExceeded.
    """
    until, wait = time.monotonic() + deadline_s, _FIRST_PAUSE_S
    while True:
        found = configuration(access, region, name, observer=observer)
        if found.state == "Failed" or found.last_update_status == "Failed":
            raise _failed(found)
        if found.state != "Pending" and found.last_update_status != "InProgress":
            return found
        if time.monotonic() + wait > until:
            raise DeadlineExceeded(f"{name} was not ready after {deadline_s:.0f} seconds; AWS is still working on it.")
        pause(wait)
        wait = min(wait * 2, _LONGEST_PAUSE_S)


def code_of(access: Access, region: str, name: str, *, version: str, observer: Observer | None = None) -> bytes:
    """The zip of a version, by the short-lived link that GetFunction gives; compared with the version's checksum."""

    def request() -> tuple[str, str]:
        found = cast("dict[str, Any]", client("lambda", region).get_function(FunctionName=name, Qualifier=version))
        return str(found["Code"]["Location"]), str(found["Configuration"]["CodeSha256"])

    link, expected = calls.call(access, "lambda", "GetFunction", region, request, observer=observer)
    code = _download(link)
    if base64.b64encode(hashlib.sha256(code).digest()).decode() != expected:
        raise garbled("lambda", "GetFunction", "The code is not the one that its checksum names.")
    return code


def _change(access: Access, region: str, operation: str, wish: dict[str, Any], observer: Observer | None) -> FunctionFacts:
    send = getattr(once("lambda", region), xform_name(operation))
    return calls.call(access, "lambda", operation, region, lambda: facts(send(**wish)), observer=observer)


def _expected(revision_id: str | None) -> dict[str, str]:
    return {"RevisionId": revision_id} if revision_id else {}


def _failed(found: FunctionFacts) -> AwsError:
    reason = found.state_reason if found.state == "Failed" else found.last_update_reason
    return AwsError(
        service="lambda",
        operation="GetFunctionConfiguration",
        cause=AwsErrorKind.CONFLICT,
        meaning=f"AWS could not bring the function into service: {reason or 'it gives no reason.'}",
        remedy="Correct what AWS names and deploy again; the published versions still answer.",
        aws_code=found.state if found.state == "Failed" else f"Update{found.last_update_status}",
    )


def _download(link: str) -> bytes:
    """The link comes from AWS; what a failure says of it stays here, since the link is a secret."""
    code = bytearray()
    try:
        with requests.get(link, stream=True, timeout=_DOWNLOAD_TIMEOUT_S, allow_redirects=False) as answer:
            if answer.status_code != 200:
                raise garbled("lambda", "GetFunction", f"The link to the code answers {answer.status_code}.")
            for chunk in answer.iter_content(1024 * 1024):
                code += chunk
                if len(code) > MAX_CODE:
                    raise garbled("lambda", "GetFunction", "The code is larger than Lambda allows.")
    except requests.RequestException:
        reading = codes.UNREACHABLE
    else:
        return bytes(code)
    raise AwsError(service="lambda", operation="GetFunction", cause=reading.cause, meaning=reading.meaning, remedy=reading.remedy)
