"""Refuses what botocore lets pass as success: answers that were cut short, and JSON answers that are no JSON.

botocore switches off urllib3's check of the length, and turns unreadable JSON into an empty answer.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import IncompleteReadError
from botocore.model import OperationModel
from botocore.parsers import ResponseParserError
from botocore.session import Session


def guard(session: Session) -> None:
    """Make all clients of `session` raise IncompleteReadError and ResponseParserError for such answers."""
    session.register("before-parse", _check, unique_id="cloudconsole-integrity")


def _check(**event: Any) -> None:
    operation_model: OperationModel = event["operation_model"]
    response: Mapping[str, Any] = event["response_dict"]
    body = response["body"]
    if not isinstance(body, bytes) or operation_model.http.get("method") == "HEAD":
        return  # a stream checks its own length
    promised = response["headers"].get("content-length", "")
    if promised.isdigit() and len(body) != int(promised):
        raise IncompleteReadError(actual_bytes=len(body), expected_bytes=int(promised))
    protocol = operation_model.service_model.resolved_protocol
    if protocol in ("json", "rest-json") and response["status_code"] < 300 and body and not _is_json(body):
        raise ResponseParserError("The answer is not JSON.")


def _is_json(body: bytes) -> bool:
    try:
        json.loads(body)
    except ValueError:
        return False
    return True
