"""What went wrong at AWS: one typed error that says what it means and what to do about it.

The table of codes is in `codes`, the reading of botocore's exceptions in `translation`.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from cloudconsole.core.errors import CloudconsoleError, Kind


class AwsErrorKind(StrEnum):
    """Why AWS did not do what was asked, as far as the answer tells."""

    CREDENTIALS_INVALID = "credentials_invalid"
    CREDENTIALS_EXPIRED = "credentials_expired"
    ACCESS_DENIED = "access_denied"
    REGION_DISABLED = "region_disabled"
    NOT_ENABLED = "not_enabled"
    THROTTLED = "throttled"
    CLOCK_SKEWED = "clock_skewed"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    INVALID_REQUEST = "invalid_request"
    DATA_UNAVAILABLE = "data_unavailable"
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a page token, and its refusal at that
    UNREACHABLE = "unreachable"
    GARBLED = "garbled"
    INTERNAL = "internal"


_KINDS: dict[AwsErrorKind, Kind] = {
    AwsErrorKind.CREDENTIALS_INVALID: Kind.AWS_ACCOUNT,
    AwsErrorKind.CREDENTIALS_EXPIRED: Kind.AWS_ACCOUNT,
    AwsErrorKind.ACCESS_DENIED: Kind.AWS_ACCOUNT,
    AwsErrorKind.REGION_DISABLED: Kind.AWS_ACCOUNT,
    AwsErrorKind.NOT_ENABLED: Kind.AWS_ACCOUNT,
    AwsErrorKind.THROTTLED: Kind.BUSY,
    AwsErrorKind.CLOCK_SKEWED: Kind.UNAVAILABLE,  # the clock of this installation, not the AWS account
    AwsErrorKind.NOT_FOUND: Kind.NOT_FOUND,
    AwsErrorKind.CONFLICT: Kind.CONFLICT,
    AwsErrorKind.INVALID_REQUEST: Kind.INVALID,
    AwsErrorKind.DATA_UNAVAILABLE: Kind.CONFLICT,
    AwsErrorKind.TOKEN_REFUSED: Kind.UPSTREAM,
    AwsErrorKind.UNREACHABLE: Kind.UPSTREAM,
    AwsErrorKind.GARBLED: Kind.UPSTREAM,
    AwsErrorKind.INTERNAL: Kind.UPSTREAM,
}

_TITLES: dict[AwsErrorKind, str] = {
    AwsErrorKind.CREDENTIALS_INVALID: "AWS does not accept the credentials",
    AwsErrorKind.CREDENTIALS_EXPIRED: "The AWS credentials have expired",
    AwsErrorKind.ACCESS_DENIED: "AWS refuses permission",
    AwsErrorKind.REGION_DISABLED: "The AWS region is not enabled",
    AwsErrorKind.NOT_ENABLED: "The AWS service is not enabled",
    AwsErrorKind.THROTTLED: "AWS is throttling requests",
    AwsErrorKind.CLOCK_SKEWED: "The clock of this server is wrong",
    AwsErrorKind.NOT_FOUND: "AWS does not know this resource",
    AwsErrorKind.CONFLICT: "The state of the AWS resource forbids it",
    AwsErrorKind.INVALID_REQUEST: "AWS does not accept the request",
    AwsErrorKind.DATA_UNAVAILABLE: "AWS has no data for this yet",
    AwsErrorKind.TOKEN_REFUSED: "AWS refused its own page token",
    AwsErrorKind.UNREACHABLE: "AWS cannot be reached",
    AwsErrorKind.GARBLED: "AWS answered something unreadable",
    AwsErrorKind.INTERNAL: "AWS failed",
}


def in_words(cause: str) -> str:
    """What stored outcomes of requests are called: the title of an AwsErrorKind by its value, or the value itself."""
    return _TITLES[AwsErrorKind(cause)] if cause in set(AwsErrorKind) else cause


# Worth the same call again later, without anybody changing anything.
_RETRYABLE = frozenset(
    {
        AwsErrorKind.THROTTLED,
        AwsErrorKind.TOKEN_REFUSED,
        AwsErrorKind.UNREACHABLE,
        AwsErrorKind.GARBLED,
        AwsErrorKind.INTERNAL,
    }
)


class DenialSource(StrEnum):
    """Which policy refused, as AWS words it in the message of an access-denied answer."""

    IDENTITY_POLICY = "identity_policy"
    SERVICE_CONTROL_POLICY = "service_control_policy"
    RESOURCE_CONTROL_POLICY = "resource_control_policy"
    PERMISSIONS_BOUNDARY = "permissions_boundary"
    SESSION_POLICY = "session_policy"
    RESOURCE_POLICY = "resource_policy"
    VPC_ENDPOINT_POLICY = "vpc_endpoint_policy"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Denial:
    """An access-denied message, taken apart. Empty strings where AWS does not say."""

    source: DenialSource
    explicit: bool  # an explicit Deny statement, rather than no Allow
    action: str = ""  # e.g. "ce:GetCostAndUsage"
    principal: str = ""  # the ARN that AWS saw
    resource: str = ""


class AwsError(CloudconsoleError):
    """An AWS call that did not succeed. `detail` says what it means, `remedy` what a person can do.

    `aws_message` is AWS's own text with secrets and encoded authorization messages removed.
    """

    def __init__(
        self,
        *,
        service: str,
        operation: str,
        cause: AwsErrorKind,
        meaning: str,
        remedy: str,
        aws_code: str = "",
        aws_message: str = "",
        request_id: str = "",
        denial: Denial | None = None,
        clock_skew_s: float | None = None,
    ) -> None:
        super().__init__(meaning)
        self.service = service
        self.operation = operation
        self.cause = cause
        self.meaning = meaning
        self.remedy = remedy
        self.aws_code = aws_code
        self.aws_message = aws_message
        self.request_id = request_id
        self.denial = denial
        self.clock_skew_s = clock_skew_s
        self.kind = _KINDS[cause]
        self.code = f"aws_{cause}"
        self.title = _TITLES[cause]
        self.retryable = cause in _RETRYABLE

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}: {self.detail} ({self.aws_code or self.cause})"

    def __reduce__(self) -> tuple[partial[AwsError], tuple[()]]:
        # Exceptions are copied and pickled by position, which keyword-only arguments do not allow.
        again = partial(
            AwsError,
            service=self.service,
            operation=self.operation,
            cause=self.cause,
            meaning=self.meaning,
            remedy=self.remedy,
            aws_code=self.aws_code,
            aws_message=self.aws_message,
            request_id=self.request_id,
            denial=self.denial,
            clock_skew_s=self.clock_skew_s,
        )
        return again, ()

    def anew(self) -> AwsError:
        """The same failure as a fresh exception, for another thread that waited for the same call."""
        return copy(self)


class NoIdentity(RuntimeError):
    """An AWS call outside `acting_as`. Nothing was sent: without an identity of its own, no call leaves the process."""


class DeadlineExceeded(CloudconsoleError):
    """The time set for the whole piece of work ran out before this call was finished."""

    kind = Kind.BUSY
    code = "deadline_exceeded"
    title = "There was not enough time"
