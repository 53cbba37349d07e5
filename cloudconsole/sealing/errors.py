"""What stands between a stored secret and its use."""

from __future__ import annotations

from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.core.errors import CloudconsoleError, Kind


class SealingError(CloudconsoleError):
    """A secret cannot be sealed or opened; `remedy` is one sentence about what to do."""

    kind = Kind.UNAVAILABLE
    code = "encryption_unavailable"
    title = "Stored secrets cannot be used"

    def __init__(self, detail: str, *, remedy: str = "") -> None:
        super().__init__(detail)
        self.remedy = remedy


class Unreadable(SealingError):
    """No key of this installation opens it, or it was sealed for something else. Trying again does not help."""

    code = "secret_unreadable"
    title = "The stored secret cannot be read"


class KeyUnavailable(SealingError):
    """The key is in KMS, and KMS does not use it for us at the moment. Nothing is lost; `cause` says why."""

    title = "The encryption key cannot be used"

    def __init__(self, detail: str, *, remedy: str, cause: AwsErrorKind, code: str, retryable: bool) -> None:
        super().__init__(detail, remedy=remedy)
        self.cause = cause
        self.code = code
        self.retryable = retryable

    @classmethod
    def because(cls, error: AwsError) -> KeyUnavailable:
        """KMS's refusal, told as what it is here: this installation's own trouble, not that of a connected AWS account."""
        code = _CODES.get(error.aws_code) or _CODE_OF.get(error.cause, "kms_unavailable")
        return cls(error.detail, remedy=error.remedy, cause=error.cause, code=code, retryable=error.retryable)


_CODES = {
    "DisabledException": "kms_key_disabled",
    "KMSInvalidStateException": "kms_key_unusable",
    "NotFoundException": "kms_key_missing",
}
_CODE_OF = {
    AwsErrorKind.ACCESS_DENIED: "kms_denied",
    AwsErrorKind.CREDENTIALS_INVALID: "kms_denied",
    AwsErrorKind.CREDENTIALS_EXPIRED: "kms_denied",
    AwsErrorKind.UNREACHABLE: "kms_unreachable",
    AwsErrorKind.THROTTLED: "kms_throttled",
}
