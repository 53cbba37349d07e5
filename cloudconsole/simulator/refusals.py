"""How each protocol words the refusals that come before any service is asked: who are you, and may you?

The same wrong key is `InvalidClientTokenId` to STS, `UnrecognizedClientException` to Cost Explorer, `AuthFailure` to EC2
and `InvalidAccessKeyId` to S3. Wording as AWS sends it (AWS signature troubleshooting guide; IAM access-denied guide).
"""

from __future__ import annotations

from enum import StrEnum

from cloudconsole.simulator.wire import AwsError, Protocol


class Refusal(StrEnum):
    MISSING = "missing"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    SKEWED = "skewed"
    EXPIRED = "expired"
    DENIED = "denied"


_INVALID = "The security token included in the request is invalid."
_EXPIRED = "The security token included in the request is expired"
_BAD_SIGNATURE = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)
_NOT_VALIDATED = "AWS was not able to validate the provided access credentials"
_MISSING = "Request is missing Authentication Token"

_QUERY = {
    Refusal.MISSING: ("MissingAuthenticationToken", _MISSING, 403),
    Refusal.UNKNOWN_KEY: ("InvalidClientTokenId", _INVALID, 403),
    Refusal.BAD_SIGNATURE: ("SignatureDoesNotMatch", _BAD_SIGNATURE, 403),
    Refusal.SKEWED: ("SignatureDoesNotMatch", "", 403),
    Refusal.EXPIRED: ("ExpiredToken", _EXPIRED, 403),
    Refusal.DENIED: ("AccessDenied", "", 403),
}
_JSON = {
    Refusal.MISSING: ("MissingAuthenticationTokenException", _MISSING, 400),
    Refusal.UNKNOWN_KEY: ("UnrecognizedClientException", _INVALID, 400),
    Refusal.BAD_SIGNATURE: ("InvalidSignatureException", _BAD_SIGNATURE, 400),
    Refusal.SKEWED: ("InvalidSignatureException", "", 400),
    Refusal.EXPIRED: ("ExpiredTokenException", _EXPIRED, 400),
    Refusal.DENIED: ("AccessDeniedException", "", 400),
}
_EC2 = {
    Refusal.MISSING: ("MissingParameter", "The request must contain the parameter AWSAccessKeyId", 400),
    Refusal.UNKNOWN_KEY: ("AuthFailure", _NOT_VALIDATED, 401),
    Refusal.BAD_SIGNATURE: ("AuthFailure", _NOT_VALIDATED, 401),
    Refusal.SKEWED: ("RequestExpired", "Request has expired.", 400),
    Refusal.EXPIRED: ("RequestExpired", "Request has expired.", 400),
    Refusal.DENIED: ("UnauthorizedOperation", "", 403),
}
_S3 = {
    Refusal.MISSING: ("AccessDenied", "Access Denied", 403),
    Refusal.UNKNOWN_KEY: ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.", 403),
    Refusal.BAD_SIGNATURE: ("SignatureDoesNotMatch", _BAD_SIGNATURE, 403),
    Refusal.SKEWED: (
        "RequestTimeTooSkewed",
        "The difference between the request time and the current time is too large.",
        403,
    ),
    Refusal.EXPIRED: ("ExpiredToken", "The provided token has expired.", 400),
    Refusal.DENIED: ("AccessDenied", "", 403),
}
_REST_JSON = {kind: (code, message, 403) for kind, (code, message, _) in _JSON.items()}

_WORDS = {
    Protocol.QUERY: _QUERY,
    Protocol.JSON: _JSON,
    Protocol.REST_JSON: _REST_JSON,
    Protocol.EC2: _EC2,
    Protocol.REST_XML: _S3,
}


def refusal(kind: Refusal, protocol: Protocol, message: str = "") -> AwsError:
    """The refusal in the words of `protocol`; `message` is used where AWS has no fixed sentence."""
    code, fixed, status = _WORDS[protocol][kind]
    return AwsError(code, fixed or message, status)
