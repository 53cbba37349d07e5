"""Invocations. They are sent once and never again: a function may have done its work before the answer was lost."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Any, Literal, cast

from cloudconsole.aws import calls
from cloudconsole.aws.attempts import Observer
from cloudconsole.aws.clients import once
from cloudconsole.aws.credentials import Access

InvocationType = Literal["RequestResponse", "Event", "DryRun"]

_BILLED = re.compile(r"^REPORT RequestId:.*\bBilled Duration: (\d+) ms", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Invocation:
    """What came of an invocation that reached the function. Payload and log may hold secrets of the function's own.

    `status_code`: 200 answered, 202 taken up for later, 204 would be permitted. `function_error` is empty, or Handled or
    Unhandled where the function itself failed: the payload then tells its error. `log_tail`: the last 4 KB of the log.
    """

    status_code: int
    function_error: str
    payload: bytes
    log_tail: str
    billed_ms: int | None
    executed_version: str
    request_id: str


def invoke(
    access: Access,
    region: str,
    name: str,
    *,
    payload: bytes,
    invocation_type: InvocationType = "RequestResponse",
    qualifier: str | None = None,
    observer: Observer | None = None,
) -> Invocation:
    """Invoke the function, or the version or alias `qualifier`; waits as long as it runs, 15 minutes at most.

    Raises AwsError where it did not come to an invocation, or where the answer was lost (UNREACHABLE: it may have run).
    """
    asked: dict[str, Any] = {"FunctionName": name, "InvocationType": invocation_type, "Payload": payload}
    if qualifier:
        asked["Qualifier"] = qualifier
    if invocation_type == "RequestResponse":
        asked["LogType"] = "Tail"
    return calls.call(access, "lambda", "Invoke", region, lambda: _invoke(region, asked), observer=observer)


def _invoke(region: str, asked: dict[str, Any]) -> Invocation:
    answer = cast("dict[str, Any]", once("lambda", region).invoke(**asked))
    log = _decoded(answer.get("LogResult", ""))
    billed = _BILLED.search(log)
    return Invocation(
        status_code=answer["StatusCode"],
        function_error=answer.get("FunctionError", ""),
        payload=answer["Payload"].read(),
        log_tail=log,
        billed_ms=int(billed[1]) if billed else None,
        executed_version=answer.get("ExecutedVersion", ""),
        request_id=answer["ResponseMetadata"].get("RequestId", ""),
    )


def _decoded(log: str) -> str:
    try:
        return base64.b64decode(log).decode(errors="replace")
    except binascii.Error:
        return ""
