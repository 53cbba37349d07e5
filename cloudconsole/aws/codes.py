"""AWS's error codes as data: what each one means to the person who reads it, and what that person can do.

Sources: the error sections of the AWS service references, botocore's service models, and the retry lists of botocore
1.44 (`retries/standard.py`). A code missing here is judged by its HTTP status.
"""

from __future__ import annotations

from collections.abc import Mapping

from cloudconsole.aws import function_codes, instance_codes, quota_codes, storage_codes
from cloudconsole.aws.errors import AwsErrorKind as Why
from cloudconsole.aws.readings import Reading

UNKNOWN_KEY = Reading(
    Why.CREDENTIALS_INVALID,
    "AWS does not know this access key: it was deleted, deactivated or mistyped, or belongs to another AWS partition.",
    "Check in IAM that the access key exists and is active, and enter it again.",
)
WRONG_SECRET = Reading(
    Why.CREDENTIALS_INVALID,
    "AWS knows the access key, but the secret access key does not belong to it.",
    "Enter the secret access key again, without spaces before or after it, or create a new access key.",
)
EXPIRED = Reading(
    Why.CREDENTIALS_EXPIRED,
    "The session token of these credentials has expired.",
    "Enter fresh temporary credentials, or let Cloudconsole assume a role, which renews itself.",
)
INVALID_TOKEN = Reading(
    Why.CREDENTIALS_INVALID,
    "The session token does not belong to this access key, or the key is temporary and the token is missing.",
    "Enter access key, secret and session token together, exactly as they were issued.",
)
NO_IDENTITY = Reading(
    Why.CREDENTIALS_INVALID,
    "The server that Cloudconsole runs on has no AWS identity of its own.",
    "Give the server a role (ECS task role, EC2 instance profile) or AWS environment variables, or use an access key.",
)
UNREADABLE_IDENTITY = Reading(
    Why.CREDENTIALS_INVALID,
    "The AWS identity of the server that Cloudconsole runs on cannot be read.",
    "Check the AWS environment variables, profile or role of the server.",
)
DENIED = Reading(
    Why.ACCESS_DENIED,
    "These credentials are not permitted to do this.",
    "Attach the generated IAM policy of this account to the user or role, then verify again.",
)
ROLE_REFUSED = Reading(
    Why.ACCESS_DENIED,
    "AWS does not let the identity that should assume the role do so: the role does not exist, its trust policy does not name "
    "that identity, the external id differs, or the identity itself may not call sts:AssumeRole.",
    "Compare the role's trust policy with the generated one, external id included, and allow sts:AssumeRole to the identity "
    "that assumes it.",
)
HUB_KEY_UNKNOWN = Reading(
    Why.CREDENTIALS_INVALID,
    "AWS does not accept the credentials that should assume the role; the role itself was not looked at.",
    "Repair the credentials of the account that assumes the role (or of this server), not the role.",
)
HUB_EXPIRED = Reading(
    Why.CREDENTIALS_EXPIRED,
    "The credentials that should assume the role have expired; the role itself was not looked at.",
    "Renew the credentials of the account that assumes the role (or of this server).",
)
COST_EXPLORER_OFF = Reading(
    Why.NOT_ENABLED,
    "Cost Explorer is not enabled for this account.",
    "Open Cost Explorer once in the AWS console as the management account; the first data appears within 24 hours.",
)
MEMBER_WITHOUT_COSTS = Reading(
    Why.NOT_ENABLED,
    "The management account of the organization does not let its member accounts see their cost data.",
    "Enable linked account access in the management account's Cost Management preferences, or connect that account.",
)
HUB_NOT_ENROLLED = Reading(
    Why.NOT_ENABLED,
    "Cost Optimization Hub is not switched on for this account.",
    "Enroll the account, or from the management account the whole organization, in the AWS console (it costs nothing); the "
    "first recommendations appear within a day.",
)
REGION_OFF = Reading(
    Why.REGION_DISABLED,
    "The credentials are good, but this region is not enabled for the account.",
    "Enable the region in the account settings of AWS, or remove it from the regions of this account.",
)
STS_REGION_OFF = Reading(
    Why.REGION_DISABLED,
    "STS is not active in this region for the account.",
    "Activate STS for the region in IAM's account settings, or choose another home region.",
)
NOT_SUBSCRIBED = Reading(
    Why.NOT_ENABLED,
    "The account is not signed up for this service.",
    "Sign up for the service in the AWS console of the account; AWS may take some hours to activate it.",
)
PENDING = Reading(
    Why.NOT_ENABLED,
    "AWS is still verifying this account.",
    "Wait for the verification, which usually takes minutes, at most four hours; then contact AWS Support.",
)
BLOCKED = Reading(
    Why.NOT_ENABLED,
    "AWS has blocked this account.",
    "Contact AWS Support from the account.",
)
THROTTLED = Reading(
    Why.THROTTLED,
    "AWS limits how often this may be asked and refused even after several tries.",
    "Nothing to repair: try again in a minute.",
)
SKEWED = Reading(
    Why.CLOCK_SKEWED,
    "AWS refuses the signature because the clock of this server is wrong.",
    "Synchronize the server's clock (NTP); AWS tolerates five minutes.",
)
MISSING = Reading(
    Why.NOT_FOUND,
    "AWS does not know what was asked for.",
    "Check that it still exists, and in this account and region.",
)
CONFLICT = Reading(
    Why.CONFLICT,
    "The present state of the resource does not allow this.",
    "Look at the state of the resource, then try again.",
)
PROTECTED = Reading(
    Why.CONFLICT,
    "The resource is protected against this operation.",
    "Remove the protection in AWS first, if you are sure.",
)
QUOTA = Reading(
    Why.CONFLICT,
    "A quota of the account is exhausted.",
    "Free some of it or ask AWS for a higher quota.",
)
NO_CAPACITY = Reading(
    Why.CONFLICT,
    "AWS has no capacity for this in the availability zone at the moment.",
    "Try again later, or use another availability zone or instance type.",
)
REFUSED = Reading(
    Why.INVALID_REQUEST,
    "AWS refuses the request as it was made.",
    "AWS's own message says which part it refuses.",
)
NO_DATA = Reading(
    Why.DATA_UNAVAILABLE,
    "AWS has no data for this question yet.",
    "A newly enabled Cost Explorer needs about 24 hours for its first data; try again later.",
)
BILL_EXPIRED = Reading(
    Why.DATA_UNAVAILABLE,
    "AWS no longer keeps the bill for the requested period.",
    "Choose a later period.",
)
BILLING_VIEW = Reading(
    Why.DATA_UNAVAILABLE,
    "The billing view of this account is not healthy, so its data cannot be read.",
    "Look at the state of the billing view in the AWS console; AWS usually repairs it by itself.",
)
TOKEN = Reading(
    Why.TOKEN_REFUSED,
    "AWS refused the token for the next page that it had given itself.",
    "Nothing to repair: try again; the stored data was left as it was.",
)
BROKEN = Reading(
    Why.INTERNAL,
    "AWS failed to answer because of an error of its own.",
    "Nothing to repair: try again in a few minutes.",
)
NO_ORGANIZATION = Reading(
    Why.NOT_FOUND,
    "The account does not belong to an organization.",
    "Nothing to repair.",
)
KMS_DISABLED = Reading(
    Why.CONFLICT,
    "The KMS key is disabled.",
    "Enable the key in the KMS console of its account; nothing that it encrypted is lost meanwhile.",
)
KMS_DELETION = Reading(
    Why.CONFLICT,
    "The KMS key cannot be used in its present state: it is waiting to be deleted, or its material is missing.",
    "Cancel the deletion in the KMS console and enable the key, before the waiting period ends: then what it encrypted is lost.",
)
KMS_UNAVAILABLE = Reading(
    Why.INTERNAL,
    "KMS cannot use the key at the moment.",
    "Nothing to repair: try again in a few minutes.",
)
KMS_MISSING = Reading(
    Why.NOT_FOUND,
    "KMS does not know the key: it was deleted, or the ARN is wrong.",
    "Compare KMS_KEY_ID with the key's ARN in the KMS console.",
)
KMS_DENIED = Reading(
    Why.ACCESS_DENIED,
    "This server's AWS identity may not use the KMS key.",
    "Allow kms:GenerateDataKey and kms:Decrypt on the key to this server's role, in the key policy or in IAM.",
)
UNREACHABLE = Reading(
    Why.UNREACHABLE,
    "No connection to AWS could be made.",
    "Check that this server may reach the AWS endpoint (DNS, proxy, firewall, region name), then try again.",
)
CONNECT_TIMEOUT = Reading(Why.UNREACHABLE, "The AWS endpoint did not accept a connection in time.", UNREACHABLE.remedy)
READ_TIMEOUT = Reading(
    Why.UNREACHABLE,
    "AWS accepted the request but did not answer in time.",
    "Try again; if it goes on, look at the AWS Health Dashboard.",
)
BROKEN_OFF = Reading(
    Why.UNREACHABLE,
    "The connection to AWS broke off in the middle of the answer.",
    "Try again; if it goes on, check proxies and firewalls between this server and AWS.",
)
UNTRUSTED = Reading(
    Why.UNREACHABLE,
    "No trusted encrypted connection to the AWS endpoint could be made.",
    "Check the certificates of this server and of any proxy that inspects TLS.",
)
GARBLED = Reading(
    Why.GARBLED,
    "The answer is not what this AWS service sends.",
    "Check that AWS_ENDPOINT_URL and any proxy lead to AWS; otherwise try again.",
)

CODES: Mapping[str, Reading] = {
    "InvalidClientTokenId": UNKNOWN_KEY,
    "UnrecognizedClientException": UNKNOWN_KEY,
    "InvalidAccessKeyId": UNKNOWN_KEY,
    "AuthFailure": UNKNOWN_KEY,
    "MissingAuthenticationToken": UNKNOWN_KEY,
    "MissingAuthenticationTokenException": UNKNOWN_KEY,
    "IncompleteSignature": UNKNOWN_KEY,
    "IncompleteSignatureException": UNKNOWN_KEY,
    "SignatureDoesNotMatch": WRONG_SECRET,
    "InvalidSignatureException": WRONG_SECRET,
    "InvalidToken": INVALID_TOKEN,
    "InvalidTokenException": INVALID_TOKEN,
    "ExpiredToken": EXPIRED,
    "ExpiredTokenException": EXPIRED,
    "TokenRefreshRequired": EXPIRED,
    "RequestExpired": EXPIRED,
    "RequestTimeTooSkewed": SKEWED,
    "AccessDenied": DENIED,
    "AccessDeniedException": DENIED,
    "AuthorizationError": DENIED,
    "UnauthorizedOperation": DENIED,
    "UnauthorizedException": DENIED,
    "NotAuthorized": DENIED,
    "Client.UnauthorizedOperation": DENIED,
    "RegionDisabledException": STS_REGION_OFF,
    "OptInRequired": NOT_SUBSCRIBED,
    "SubscriptionRequiredException": NOT_SUBSCRIBED,
    "MetadataException": MISSING,  # Athena: no such database or table
    "PendingVerification": PENDING,
    "Blocked": BLOCKED,
    "Throttling": THROTTLED,
    "ThrottlingException": THROTTLED,
    "ThrottledException": THROTTLED,
    "RequestThrottled": THROTTLED,
    "RequestThrottledException": THROTTLED,
    "RequestLimitExceeded": THROTTLED,
    "TooManyRequestsException": THROTTLED,
    "EC2ThrottledException": THROTTLED,
    "SlowDown": THROTTLED,
    "BandwidthLimitExceeded": THROTTLED,
    "PriorRequestNotComplete": THROTTLED,
    "AWSOrganizationsNotInUseException": NO_ORGANIZATION,
    "NoSuchEntity": MISSING,
    "ResourceNotFoundException": MISSING,
    "NotFoundException": MISSING,
    "NoSuchBucket": MISSING,
    "NoSuchKey": MISSING,
    "InvalidInstanceID.NotFound": MISSING,
    "IncorrectInstanceState": CONFLICT,
    "IncorrectState": CONFLICT,
    "ConcurrentModificationException": CONFLICT,
    "ConflictException": CONFLICT,
    "ResourceConflictException": CONFLICT,
    "ResourceInUseException": CONFLICT,
    "BucketAlreadyExists": CONFLICT,
    "BucketAlreadyOwnedByYou": CONFLICT,
    "BucketNotEmpty": CONFLICT,
    "OperationNotPermitted": PROTECTED,
    "InsufficientInstanceCapacity": NO_CAPACITY,
    "InstanceLimitExceeded": QUOTA,
    "VcpuLimitExceeded": QUOTA,
    "ServiceQuotaExceededException": QUOTA,
    "LimitExceeded": QUOTA,
    "LimitExceededException": QUOTA,
    "ValidationError": REFUSED,
    "ValidationException": REFUSED,
    "InvalidParameterValue": REFUSED,
    "InvalidParameterException": REFUSED,
    "InvalidParameterValueException": REFUSED,
    "InvalidInput": REFUSED,
    "InvalidInputException": REFUSED,
    "InvalidInstanceID.Malformed": REFUSED,
    "MalformedPolicyDocument": REFUSED,
    "UnsupportedOperation": REFUSED,
    "UnsupportedHibernationConfiguration": REFUSED,
    "DataUnavailableException": NO_DATA,
    "BillExpirationException": BILL_EXPIRED,
    "BillingViewHealthStatusException": BILLING_VIEW,
    "InvalidNextTokenException": TOKEN,
    "RequestChangedException": TOKEN,
    "InternalError": BROKEN,
    "InternalFailure": BROKEN,
    "InternalServerError": BROKEN,
    "InternalServiceError": BROKEN,
    "InternalErrorException": BROKEN,
    "ServiceException": BROKEN,
    "ServiceUnavailable": BROKEN,
    "ServiceUnavailableException": BROKEN,
    "Unavailable": BROKEN,
    "RequestTimeout": BROKEN,
    "RequestTimeoutException": BROKEN,
}

# Where one service or call means something else by a code.
OF_SERVICE: Mapping[tuple[str, str], Reading] = {
    **storage_codes.CODES,
    **function_codes.CODES,
    **instance_codes.CODES,
    **quota_codes.CODES,
    ("ce", "LimitExceededException"): THROTTLED,
    ("kms", "AccessDeniedException"): KMS_DENIED,
    ("kms", "DependencyTimeoutException"): KMS_UNAVAILABLE,
    ("kms", "DisabledException"): KMS_DISABLED,
    ("kms", "KMSInternalException"): KMS_UNAVAILABLE,
    ("kms", "KMSInvalidStateException"): KMS_DELETION,
    ("kms", "KeyUnavailableException"): KMS_UNAVAILABLE,
    ("kms", "NotFoundException"): KMS_MISSING,
}
OF_OPERATION: Mapping[tuple[str, str, str], Reading] = {
    **function_codes.OF_OPERATION,
    **instance_codes.OF_OPERATION,
    ("sts", "AssumeRole", "AccessDenied"): ROLE_REFUSED,
    ("sts", "AssumeRole", "InvalidClientTokenId"): HUB_KEY_UNKNOWN,
    ("sts", "AssumeRole", "UnrecognizedClientException"): HUB_KEY_UNKNOWN,
    ("sts", "AssumeRole", "SignatureDoesNotMatch"): HUB_KEY_UNKNOWN,
    ("sts", "AssumeRole", "ExpiredToken"): HUB_EXPIRED,
    ("sts", "AssumeRole", "ExpiredTokenException"): HUB_EXPIRED,
}
# Where only the message tells: (service, code, part of the message in lower case).
BY_MESSAGE: tuple[tuple[str, str, str, Reading], ...] = (
    *function_codes.BY_MESSAGE,
    ("ce", "AccessDeniedException", "not enabled for cost explorer", COST_EXPLORER_OFF),
    ("ce", "AccessDeniedException", "linked account doesn't have access", MEMBER_WITHOUT_COSTS),
    ("ce", "DataUnavailableException", "not enabled for cost explorer", COST_EXPLORER_OFF),
)


def reading_of(service: str, operation: str, code: str, message: str, status: int) -> Reading:
    """How to read an error answer. `status` (HTTP) decides about codes that no table knows."""
    lowered = message.lower()
    for of_service, of_code, part, reading in BY_MESSAGE:
        if (of_service, of_code) == (service, code) and part in lowered:
            return reading
    return (
        OF_OPERATION.get((service, operation, code)) or OF_SERVICE.get((service, code)) or CODES.get(code) or _by_status(status)
    )


def _by_status(status: int) -> Reading:
    """botocore makes a code of the bare status when an answer has no AWS error in it, as proxies send them."""
    if status in (401, 403):
        return DENIED
    if status == 404:
        return MISSING
    if status == 429:
        return THROTTLED
    return BROKEN if status >= 500 else REFUSED
