"""AWS's access-denied messages taken apart: which policy refused what to whom.

Wording as in the IAM user guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

import re

from cloudconsole.aws.errors import Denial, DenialSource
from cloudconsole.aws.readings import Reading

_REQUEST = re.compile(
    r"User: (?P<principal>\S+) is not authorized to perform: (?P<action>[\w-]+:\w+\*?)"
    r'(?: on resource: "?(?P<resource>[^\s"]+))?'
)

# The first that occurs in the message decides.
_SOURCES: tuple[tuple[str, DenialSource], ...] = (
    ("service control polic", DenialSource.SERVICE_CONTROL_POLICY),
    ("resource control polic", DenialSource.RESOURCE_CONTROL_POLICY),
    ("permissions boundary", DenialSource.PERMISSIONS_BOUNDARY),
    ("permission boundary", DenialSource.PERMISSIONS_BOUNDARY),
    ("session polic", DenialSource.SESSION_POLICY),
    ("vpc endpoint polic", DenialSource.VPC_ENDPOINT_POLICY),
    ("identity-based polic", DenialSource.IDENTITY_POLICY),
    ("resource-based polic", DenialSource.RESOURCE_POLICY),
    ("trust polic", DenialSource.RESOURCE_POLICY),
)

_EXPLANATIONS: dict[DenialSource, tuple[str, str]] = {
    DenialSource.SERVICE_CONTROL_POLICY: (
        "A service control policy of the organization forbids {action}.",
        "Ask the administrators of the organization; no policy inside the account can lift it.",
    ),
    DenialSource.RESOURCE_CONTROL_POLICY: (
        "A resource control policy of the organization forbids {action}.",
        "Ask the administrators of the organization; no policy inside the account can lift it.",
    ),
    DenialSource.PERMISSIONS_BOUNDARY: (
        "The permissions boundary of the user or role does not include {action}.",
        "Add the action to the permissions boundary, beside the policy that allows it.",
    ),
    DenialSource.SESSION_POLICY: (
        "The policy of this session does not include {action}.",
        "Assume the role without a session policy, or with one that includes the action.",
    ),
    DenialSource.VPC_ENDPOINT_POLICY: (
        "The policy of the VPC endpoint that the request went through does not allow {action}.",
        "Allow the action in the VPC endpoint's policy.",
    ),
    DenialSource.RESOURCE_POLICY: (
        "The policy of the resource itself does not allow {action} to these credentials.",
        "Name this user or role in the policy of the resource.",
    ),
    DenialSource.IDENTITY_POLICY: (
        "No policy of this user or role allows {action}.",
        "Attach the generated IAM policy of this account to the user or role, then verify again.",
    ),
}
_FORBIDDEN_BY_IDENTITY = (
    "A policy of this user or role explicitly forbids {action}.",
    "Remove the Deny statement from the policies of the user or role; an Allow beside it does not help.",
)


def denial_in(message: str) -> Denial:
    """What an access-denied message tells; DenialSource.UNKNOWN where it does not say which policy refused."""
    request = _REQUEST.search(message)
    lowered = message.lower()
    source = next((source for words, source in _SOURCES if words in lowered), DenialSource.UNKNOWN)
    return Denial(
        source=source,
        explicit="explicit deny" in lowered,
        action=request["action"] if request else "",
        principal=request["principal"] if request else "",
        resource=(request["resource"] or "") if request else "",
    )


def explained(reading: Reading, denial: Denial) -> Reading:
    """`reading` with the policy that refused named in it."""
    explanation = _EXPLANATIONS.get(denial.source)
    if explanation is None:
        return reading
    if denial.source is DenialSource.IDENTITY_POLICY and denial.explicit:
        explanation = _FORBIDDEN_BY_IDENTITY
    meaning, remedy = explanation
    return Reading(reading.cause, meaning.format(action=denial.action or "this"), remedy)
