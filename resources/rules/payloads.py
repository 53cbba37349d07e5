"""What is given to a Lambda function and what it answers: JSON within AWS's limits.

Source: "Lambda quotas" in the Lambda developer guide: 6 MB for a call that waits, 1 MB for one that does not.
"""

from __future__ import annotations

import json
import math
from enum import StrEnum
from typing import Any, NoReturn

from cloudconsole.core.errors import CloudconsoleError, Kind


class InvocationType(StrEnum):
    """How a function is called: waiting for its answer, without waiting, or only asking whether one may."""

    REQUEST_RESPONSE = "RequestResponse"
    EVENT = "Event"
    DRY_RUN = "DryRun"


MAX_BYTES: dict[InvocationType, int] = {
    InvocationType.REQUEST_RESPONSE: 6 * 1024 * 1024,
    InvocationType.EVENT: 1024 * 1024,
    InvocationType.DRY_RUN: 6 * 1024 * 1024,
}


class InvalidPayload(CloudconsoleError):
    """What was typed is not JSON."""

    code = "payload_invalid"
    title = "The payload is not JSON"


class PayloadTooLarge(CloudconsoleError):
    """AWS does not take that much at once."""

    kind = Kind.TOO_LARGE
    code = "payload_too_large"
    title = "The payload is too large"


def typed(text: str) -> Any:
    """The JSON that a person typed; nothing means an empty event, as with AWS. Raises InvalidPayload."""
    if not text.strip():
        return {}
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise InvalidPayload(f"{error.msg} in line {error.lineno}, column {error.colno}.", attr="payload") from error
    except RecursionError as error:
        raise InvalidPayload("It is nested too deeply.", attr="payload") from error
    except ValueError as error:
        raise InvalidPayload("It holds a number that JSON does not have.", attr="payload") from error


def packed(payload: Any, invocation_type: InvocationType) -> bytes:
    """The bytes that the function gets. Raises InvalidPayload, PayloadTooLarge."""
    try:
        data = json.dumps(payload, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, as “\ud800” spells it
        raise InvalidPayload("It holds half of a character.", attr="payload") from error
    limit = MAX_BYTES[invocation_type]
    if len(data) > limit:
        raise PayloadTooLarge(
            f"It has {len(data):,} bytes; AWS takes at most {limit:,} in a call of type {invocation_type}.", attr="payload"
        )
    return data


def opened(data: bytes) -> Any:
    """What a function answered: its JSON, or the text itself where that is none. Empty is None."""
    text = data.decode(errors="replace")
    if not text.strip():
        return None
    try:
        found = json.loads(text, parse_constant=_refuse, parse_float=_finite)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):  # not JSON, or JSON that could not be written again
        return text
    return found


def shown(payload: Any) -> str:
    """The answer as people read it."""
    return payload if isinstance(payload, str) else json.dumps(payload, indent=2, ensure_ascii=False)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
