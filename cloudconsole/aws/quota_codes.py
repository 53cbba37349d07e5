"""What Service Quotas means by its codes (API reference)."""

from __future__ import annotations

from collections.abc import Mapping

from cloudconsole.aws.errors import AwsErrorKind
from cloudconsole.aws.readings import Reading

NOT_OFFERED = Reading(
    AwsErrorKind.NOT_FOUND,
    "Service Quotas knows no such service or quota in this region.",
    "Nothing to repair where the service is not offered in the region.",
)
TOO_MANY_OPEN = Reading(
    AwsErrorKind.CONFLICT,
    "Too many requests for higher quotas of this account are open.",
    "Wait until AWS has answered some of them, then ask again.",
)
OPEN_ALREADY = Reading(
    AwsErrorKind.CONFLICT,
    "A request for a higher value of this quota is open already.",
    "Wait for AWS's answer to it; its state is shown at the quota.",
)
NOT_ADJUSTABLE = Reading(
    AwsErrorKind.CONFLICT,
    "AWS does not take requests for this quota in its present state.",
    "Open a case with AWS Support if it has to be higher.",
)
NO_SUPPORT = Reading(
    AwsErrorKind.ACCESS_DENIED,
    "The identity may ask for higher quotas, but not for the support case that this one needs.",
    "Allow iam:CreateServiceLinkedRole for servicequotas.amazonaws.com once, or ask in the AWS console.",
)
REFUSED = Reading(
    AwsErrorKind.INVALID_REQUEST,
    "AWS refuses the value that was asked for.",
    "Ask for a value above the one in force.",
)
TOKEN = Reading(
    AwsErrorKind.TOKEN_REFUSED,
    "AWS refused the token for the next page that it had given itself.",
    "Nothing to repair: try again; the stored data was left as it was.",
)

CODES: Mapping[tuple[str, str], Reading] = {
    ("service-quotas", "NoSuchResourceException"): NOT_OFFERED,
    ("service-quotas", "QuotaExceededException"): TOO_MANY_OPEN,
    ("service-quotas", "ResourceAlreadyExistsException"): OPEN_ALREADY,
    ("service-quotas", "InvalidResourceStateException"): NOT_ADJUSTABLE,
    ("service-quotas", "DependencyAccessDeniedException"): NO_SUPPORT,
    ("service-quotas", "IllegalArgumentException"): REFUSED,
    ("service-quotas", "InvalidPaginationTokenException"): TOKEN,
}
