"""Lambda's error codes and what they mean. Sources: Lambda API reference, botocore's model of Lambda, Lambda quotas."""

from __future__ import annotations

from collections.abc import Mapping

from cloudconsole.aws.errors import AwsErrorKind as Why
from cloudconsole.aws.readings import Reading

IN_PROGRESS = Reading(
    Why.CONFLICT,
    "The function is being made or updated at present, and not ready for this.",
    "Wait until the function is active, then try again.",
)
EXISTS = Reading(
    Why.CONFLICT,
    "The account has a function of this name in this region already.",
    "Update that function, or choose another name.",
)
MISSING = Reading(
    Why.NOT_FOUND,
    "There is no such function, version or alias in this account and region.",
    "Synchronize the inventory: the function may have been deleted.",
)
OVERTAKEN = Reading(
    Why.CONFLICT,
    "Somebody else has changed the function meanwhile, so that AWS left it as it is.",
    "Look at the function as it is now, then decide again.",
)
NOT_READY = Reading(
    Why.CONFLICT,
    "The function is being brought back into service after a time without use.",
    "Try again in a minute.",
)
TOO_LARGE = Reading(
    Why.INVALID_REQUEST,
    "The payload is larger than Lambda takes: 6 MB to wait for the answer, 1 MB to queue it.",
    "Send less, or put the data into S3 and send where it is.",
)
CODE_TOO_LARGE = Reading(
    Why.INVALID_REQUEST,
    "The zip is larger than Lambda takes with a request.",
    "Make it smaller (50 MB zipped, 250 MB unzipped), or deploy it by way of S3 or a container image.",
)
NOT_JSON = Reading(
    Why.INVALID_REQUEST,
    "The payload is not JSON.",
    "Send a JSON document; an empty one is {}.",
)
BAD_ZIP = Reading(
    Why.INVALID_REQUEST,
    "Lambda cannot unzip the code.",
    "Make the zip again, with the handler's file at its top and not in a folder.",
)
BAD_RUNTIME = Reading(
    Why.INVALID_REQUEST,
    "Lambda does not support this runtime, or no longer.",
    "Choose a runtime that Lambda supports at present.",
)
BAD_ROLE = Reading(
    Why.INVALID_REQUEST,
    "Lambda cannot assume the function's role.",
    "Use the ARN of a role of the same account whose trust policy names lambda.amazonaws.com; a new role takes some seconds.",
)
STORAGE = Reading(
    Why.CONFLICT,
    "The account has used up its storage for function code in this region.",
    "Delete versions and functions that nobody needs, or ask AWS for a higher quota.",
)
CONCURRENCY = Reading(
    Why.THROTTLED,
    "As many invocations are running, or are asked for at once, as the account or the function allows. It was not invoked.",
    "Try again in a moment, or raise the concurrency of the function or the account.",
)
SURROUNDINGS = Reading(
    Why.CONFLICT,
    "The function could not be started: something it is configured with (network, key, file system) does not work.",
    "AWS's own message names it; repair it in the function's configuration. It was not invoked.",
)
SIGNING = Reading(
    Why.INVALID_REQUEST,
    "The code is not signed as the function's code signing configuration asks.",
    "Sign the zip with an allowed signing profile.",
)
LOOP = Reading(
    Why.CONFLICT,
    "Lambda stopped the function because it seems to call itself without end.",
    "Look at what triggers it.",
)

CODES: Mapping[tuple[str, str], Reading] = {
    ("lambda", code): reading
    for code, reading in {
        "ResourceConflictException": IN_PROGRESS,
        "ResourceNotFoundException": MISSING,
        "PreconditionFailedException": OVERTAKEN,
        "ResourceNotReadyException": NOT_READY,
        "SnapStartNotReadyException": NOT_READY,
        "RequestTooLargeException": TOO_LARGE,
        "RequestEntityTooLargeException": CODE_TOO_LARGE,
        "InvalidRequestContentException": NOT_JSON,
        "InvalidZipFileException": BAD_ZIP,
        "InvalidRuntimeException": BAD_RUNTIME,
        "CodeStorageExceededException": STORAGE,
        "CodeVerificationFailedException": SIGNING,
        "InvalidCodeSignatureException": SIGNING,
        "RecursiveInvocationException": LOOP,
        "EC2AccessDeniedException": SURROUNDINGS,
        "EC2UnexpectedException": SURROUNDINGS,
        "ENILimitReachedException": SURROUNDINGS,
        "InvalidSecurityGroupIDException": SURROUNDINGS,
        "InvalidSubnetIDException": SURROUNDINGS,
        "SubnetIPAddressLimitReachedException": SURROUNDINGS,
        "KMSAccessDeniedException": SURROUNDINGS,
        "KMSDisabledException": SURROUNDINGS,
        "KMSInvalidStateException": SURROUNDINGS,
        "KMSNotFoundException": SURROUNDINGS,
        "EFSIOException": SURROUNDINGS,
        "EFSMountConnectivityException": SURROUNDINGS,
        "EFSMountFailureException": SURROUNDINGS,
        "EFSMountTimeoutException": SURROUNDINGS,
        "SnapStartException": SURROUNDINGS,
        "SnapStartTimeoutException": SURROUNDINGS,
    }.items()
}
OF_OPERATION: Mapping[tuple[str, str, str], Reading] = {
    ("lambda", "Invoke", "TooManyRequestsException"): CONCURRENCY,
    ("lambda", "CreateFunction", "ResourceConflictException"): EXISTS,
}
BY_MESSAGE: tuple[tuple[str, str, str, Reading], ...] = (
    ("lambda", "InvalidParameterValueException", "unzip", BAD_ZIP),
    ("lambda", "InvalidParameterValueException", "unzipped size must be smaller", CODE_TOO_LARGE),
    ("lambda", "InvalidParameterValueException", "cannot be assumed", BAD_ROLE),
    ("lambda", "InvalidParameterValueException", "at 'runtime' failed", BAD_RUNTIME),
    ("lambda", "InvalidParameterValueException", "runtime parameter of", BAD_RUNTIME),
)
