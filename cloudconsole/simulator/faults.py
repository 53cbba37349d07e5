"""Trouble on order: plans that make chosen calls fail in chosen ways."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from cloudconsole.simulator.cost_explorer import not_enabled, token_refused
from cloudconsole.simulator.refusals import Refusal, refusal
from cloudconsole.simulator.wire import AwsError, Protocol


class FaultKind(StrEnum):
    THROTTLE = "throttle"
    HTTP500 = "http500"
    TIMEOUT = "timeout"  # never answers, until `seconds` have passed or the client has gone
    SLOW = "slow"  # answers rightly after `seconds`
    RESET = "reset"  # the connection breaks
    GARBAGE = "garbage"  # half of the right answer, then nonsense
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a page token
    EXPIRED = "expired"
    DUPLICATE_KEYS = "duplicate_keys"  # groups twice in one page, halves of the amount each
    SKEWED_CLOCK = "skewed_clock"
    DENIED = "denied"
    NOT_ENABLED = "not_enabled"


@dataclass(frozen=True, slots=True)
class Fault:
    """One plan: lets the first `after` matching calls pass, then fails `times` of them.

    `operation`, `account` and `page` (counted from 1) are matched only when given. `seconds` is for slow and timeout.
    """

    service: str
    fault: FaultKind
    operation: str | None = None
    account: str | None = None
    page: int | None = None
    after: int = 0
    times: int = 1
    seconds: float = 1.0


class FaultPlans:
    """The plans in force and how often each has matched. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._plans: list[tuple[Fault, list[int]]] = []

    def add(self, faults: Iterable[Fault]) -> None:
        with self._lock:
            self._plans += [(fault, [0]) for fault in faults]

    def clear(self) -> None:
        with self._lock:
            self._plans.clear()

    def next_for(self, service: str, operation: str, account: str, page: int) -> Fault | None:
        """The fault that this call meets, if any. Every plan that matches counts the call; the first one due strikes."""
        due = None
        with self._lock:
            for fault, seen in self._plans:
                if not _matches(fault, service, operation, account, page):
                    continue
                seen[0] += 1
                if due is None and fault.after < seen[0] <= fault.after + fault.times:
                    due = fault
        return due


def _matches(fault: Fault, service: str, operation: str, account: str, page: int) -> bool:
    if fault.service != service or fault.operation not in (None, operation) or fault.account not in (None, account):
        return False
    if fault.fault is FaultKind.TOKEN_REFUSED and page < 2:
        return False  # a first page has no token to refuse
    return fault.page in (None, page)


_THROTTLED = {
    "ce": AwsError("LimitExceededException", "Rate exceeded"),
    "organizations": AwsError(
        "TooManyRequestsException",
        "AWS Organizations can't complete your request because another request is already in progress. Try again later.",
    ),
    "ec2": AwsError("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": AwsError("SlowDown", "Please reduce your request rate.", 503),
}


def error_for(kind: FaultKind, service: str, protocol: Protocol, caller_arn: str, operation: str) -> AwsError | None:
    """The AWS error of a fault, or None where the fault is not one that AWS words."""
    match kind:
        case FaultKind.THROTTLE:
            throttling = AwsError("Throttling" if protocol is Protocol.QUERY else "ThrottlingException", "Rate exceeded")
            return _THROTTLED.get(service, throttling)
        case FaultKind.HTTP500:
            code = "InternalFailure" if protocol is Protocol.QUERY else "InternalServerException"
            return AwsError(code, "An internal error occurred.", 500)
        case FaultKind.TOKEN_REFUSED:
            return token_refused()
        case FaultKind.EXPIRED:
            return refusal(Refusal.EXPIRED, protocol)
        case FaultKind.SKEWED_CLOCK:
            message = "Signature expired: 20200101T000000Z is now earlier than 20200101T001500Z (20200101T003000Z - 15 min.)"
            return refusal(Refusal.SKEWED, protocol, message)
        case FaultKind.DENIED:
            return refusal(Refusal.DENIED, protocol, denied_message(caller_arn, service, operation))
        case FaultKind.NOT_ENABLED:
            return not_enabled()
        case _:
            return None


def denied_message(caller_arn: str, service: str, operation: str) -> str:
    """AWS's sentence about a permission that no policy gives (IAM user guide, access denied error messages)."""
    action = f"{service}:{operation}"
    account = caller_arn.split(":")[4]
    resource = f"arn:aws:ce:us-east-1:{account}:/{operation}" if service == "ce" else "*"
    return (
        f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
