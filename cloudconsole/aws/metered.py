"""Calls that AWS charges for one by one, as all of Cost Explorer's do: each HTTP request is told to a meter before and after.

Every operation of the service `ce` costs 0.01 USD a page, whether or not it groups anything (AWS Cost Explorer pricing).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from botocore.exceptions import ConnectionClosedError, ReadTimeoutError, ResponseStreamingError

from cloudconsole.aws import calls, regions, translation
from cloudconsole.aws.attempts import Attempt
from cloudconsole.aws.clients import client
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.rates import Rate, bucket_for

# AWS publishes no limit; its staff once named ten a second. The burst covers a whole backfill of one account.
_RATE = Rate(per_second=2, burst=40)

# The request was sent and may have been answered, so it may be on the bill.
_ANSWER_LOST = (ReadTimeoutError, ConnectionClosedError, ResponseStreamingError)


@dataclass(frozen=True, slots=True)
class RequestRecord:
    """One HTTP request. `outcome`: "ok" or the value of an AwsErrorKind.

    `charged`: AWS bills it. Refused requests are free; one whose answer got lost is counted as billed.
    """

    operation: str
    outcome: str
    aws_request_id: str
    duration_ms: int
    page: int
    charged: bool


class Meter(Protocol):
    """Watches what is spent: asked before each HTTP request, retries included, and told about it afterwards."""

    def before_request(self) -> None:
        """May raise to refuse the request; the error ends the call and nothing is sent."""

    def after_request(self, record: RequestRecord) -> None:
        """What it raises ends the call: a request that cannot be recorded shall not be followed by another."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of Cost Explorer. `field` is in every answer to it: one without is garbled, and paid for."""

    name: str
    method: str
    field: str


def ask(access: Access, operation: Operation, request: Mapping[str, Any], *, meter: Meter, page: int = 1) -> Any:
    """One page of the answer, as botocore gives it. Raises AwsError, or what `meter` raises."""
    region = regions.cost_explorer(access.region)
    observer = _Observer(meter, operation, page, (access.key, region))
    send: Callable[..., Any] = getattr(client("ce", region), operation.method)
    try:
        answer = calls.call(access, "ce", operation.name, region, lambda: send(**request), observer=observer)
    except AwsError as error:
        observer.close(error)
        raise
    if operation.field not in answer:
        raise garbled(operation, f"There is no {operation.field} in it.", answer)
    return answer


def garbled(operation: Operation, why: str, answer: object) -> AwsError:
    """The error for an answer that is none."""
    told = cast(Mapping[str, Any], answer)
    return translation.garbled("ce", operation.name, why, told.get("ResponseMetadata", {}).get("RequestId", ""))


class _Observer:
    """Tells the meter about every attempt to get one page."""

    def __init__(self, meter: Meter, operation: Operation, page: int, budget: tuple[str, str]) -> None:
        self._meter = meter
        self._operation = operation
        self._page = page
        self._bucket = bucket_for(("ce", *budget), _RATE)
        self._started: float | None = None

    def before_attempt(self) -> None:
        self._bucket.wait()
        self._meter.before_request()
        self._started = time.monotonic()

    def after_attempt(self, attempt: Attempt) -> None:
        name = self._operation.name
        if attempt.failure is not None:
            error = translation.translate("ce", name, attempt.failure)
            self._record(error.cause, error.request_id, charged=isinstance(attempt.failure, _ANSWER_LOST))
        elif attempt.parsed is not None and "Error" in attempt.parsed:
            error = translation.from_answer("ce", name, attempt.parsed)
            self._record(error.cause, error.request_id)
        else:
            answer = attempt.parsed or {}
            outcome = "ok" if self._operation.field in answer else AwsErrorKind.GARBLED.value
            self._record(outcome, answer.get("ResponseMetadata", {}).get("RequestId", ""), charged=True)

    def close(self, error: AwsError) -> None:
        """An attempt whose answer cannot be parsed is not reported by botocore; its failure is recorded here instead."""
        if self._started is not None:
            self._record(error.cause, error.request_id, charged=True)

    def _record(self, outcome: str, request_id: str, *, charged: bool = False) -> None:
        started, self._started = self._started, None
        elapsed = 0.0 if started is None else time.monotonic() - started
        self._meter.after_request(
            RequestRecord(
                operation=self._operation.name,
                outcome=str(outcome),
                aws_request_id=request_id,
                duration_ms=round(elapsed * 1000),
                page=self._page,
                charged=charged,
            )
        )
