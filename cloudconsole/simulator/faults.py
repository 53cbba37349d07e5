"""Trouble on order: plans that make chosen calls fail in chosen ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

from cloudconsole.simulator.cost_explorer import not_enabled, token_refused
from cloudconsole.simulator.refusals import Refusal, refusal
from cloudconsole.simulator.wire import AwsError, Protocol


class FaultKind(StrEnum):
    THROTTLE = "throttle"
    HTTP500 = "http500"
    TIMEOUT = "timeout"  # says nothing for `seconds` (default 120), then breaks the connection
    SLOW = "slow"  # answers rightly after `seconds` (default 1)
    RESET = "reset"  # the connection breaks, and nothing is done
    LOST = "lost"  # it is done, but after `seconds` (default 0) the connection breaks instead of the answer
    GARBAGE = "garbage"  # half of the right answer, then nonsense
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a page token
    EXPIRED = "expired"
    DUPLICATE_KEYS = "duplicate_keys"  # groups twice in one page, halves of the amount each
    SKEWED_CLOCK = "skewed_clock"
    DENIED = "denied"
    NOT_ENABLED = "not_enabled"
    CODE = "code"  # any error that AWS words: `code`, `message` and `status` of the plan


@dataclass(frozen=True, slots=True)
class Fault:
    """One plan: lets the first `after` matching calls pass, then fails `times` of them.

    `operation`, `account` (the caller's) and `page` (counted from 1) are matched only when given.
    """

    service: str
    fault: FaultKind
    operation: str | None = None
    account: str | None = None
    page: int | None = None
    after: int = 0
    times: int = 1
    seconds: float | None = None
    code: str = ""
    message: str = ""
    status: int = 400

    @property
    def wait_s(self) -> float:
        """How long a slow or silent answer takes."""
        default = {FaultKind.TIMEOUT: 120, FaultKind.LOST: 0}.get(self.fault, 1)
        return default if self.seconds is None else self.seconds


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
    "ce": ("LimitExceededException", "Rate exceeded", 400),
    "organizations": (
        "TooManyRequestsException",
        "AWS Organizations can't complete your request because another request is already in progress. Try again later.",
        400,
    ),
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "s3": ("SlowDown", "Please reduce your request rate.", 503),
    "lambda": ("TooManyRequestsException", "Rate Exceeded.", 429),
    "servicequotas": ("TooManyRequestsException", "Rate exceeded", 429),
}
_SKEWED = "Signature expired: 20200101T000000Z is now earlier than 20200101T001500Z (20200101T003000Z - 15 min.)"


@dataclass(frozen=True, slots=True)
class Target:
    """The call that a fault strikes."""

    service: str
    operation: str
    protocol: Protocol
    caller_arn: str


def error_for(fault: Fault, target: Target) -> AwsError | None:
    """The AWS error of a fault, or None where the fault is not one that AWS words."""
    if fault.fault is FaultKind.CODE:
        return AwsError(fault.code, fault.message, fault.status)
    make = _ERRORS.get(fault.fault)
    return make(target) if make else None


def _throttled(target: Target) -> AwsError:
    code = "Throttling" if target.protocol is Protocol.QUERY else "ThrottlingException"
    return AwsError(*_THROTTLED.get(target.service, (code, "Rate exceeded", 400)))


def _internal(target: Target) -> AwsError:
    code = "InternalFailure" if target.protocol is Protocol.QUERY else "InternalServerException"
    return AwsError(code, "An internal error occurred.", 500)


def _denied(target: Target) -> AwsError:
    message = denied_message(target.caller_arn, target.service, target.operation)
    return refusal(Refusal.DENIED, target.protocol, message)


_ERRORS: dict[FaultKind, Callable[[Target], AwsError]] = {
    FaultKind.THROTTLE: _throttled,
    FaultKind.HTTP500: _internal,
    FaultKind.TOKEN_REFUSED: lambda target: token_refused(),
    FaultKind.EXPIRED: lambda target: refusal(Refusal.EXPIRED, target.protocol),
    FaultKind.SKEWED_CLOCK: lambda target: refusal(Refusal.SKEWED, target.protocol, _SKEWED),
    FaultKind.DENIED: _denied,
    FaultKind.NOT_ENABLED: lambda target: not_enabled(),
}


def denied_message(caller_arn: str, service: str, operation: str) -> str:
    """AWS's sentence about a permission that no policy gives (IAM user guide, access denied error messages)."""
    action = f"{service}:{operation}"
    account = caller_arn.split(":")[4]
    resource = f"arn:aws:ce:us-east-1:{account}:/{operation}" if service == "ce" else "*"
    return (
        f"User: {caller_arn} is not authorized to perform: {action} on resource: {resource} "
        f"because no identity-based policy allows the {action} action"
    )
