from __future__ import annotations

import pytest

from cloudconsole.aws import translation
from cloudconsole.aws.denials import denial_in
from cloudconsole.aws.errors import DenialSource

USER = "User: arn:aws:iam::111111111111:user/alice is not authorized to perform: ce:GetCostAndUsage"


@pytest.mark.parametrize(
    ("ending", "source", "explicit"),
    [
        ("because no identity-based policy allows the ce:GetCostAndUsage action", "identity_policy", False),
        ("with an explicit deny in an identity-based policy", "identity_policy", True),
        ("with an explicit deny in a service control policy", "service_control_policy", True),
        ("because no service control policy allows the ce:GetCostAndUsage action", "service_control_policy", False),
        ("with an explicit deny in a resource control policy", "resource_control_policy", True),
        ("because no permissions boundary allows the ce:GetCostAndUsage action", "permissions_boundary", False),
        ("with an explicit deny in a permissions boundary", "permissions_boundary", True),
        ("because no session policy allows the ce:GetCostAndUsage action", "session_policy", False),
        ("because no VPC endpoint policy allows the ce:GetCostAndUsage action", "vpc_endpoint_policy", False),
        ("because no resource-based policy allows the ce:GetCostAndUsage action", "resource_policy", False),
        ("", "unknown", False),
    ],
)
def test_the_policy_that_refused_is_read_from_the_message(ending: str, source: str, explicit: bool) -> None:
    resource = "arn:aws:ce:us-east-1:111111111111:/GetCostAndUsage"
    denial = denial_in(f"{USER} on resource: {resource} {ending}")
    assert (denial.source, denial.explicit) == (source, explicit)
    assert denial.action == "ce:GetCostAndUsage"
    assert denial.principal == "arn:aws:iam::111111111111:user/alice"
    assert denial.resource == resource


def test_the_explanation_names_the_action_and_who_can_lift_the_denial() -> None:
    message = f"{USER} with an explicit deny in a service control policy"
    answer = {"Error": {"Code": "AccessDeniedException", "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    error = translation.from_answer("ce", "GetCostAndUsage", answer)
    assert error.detail == "A service control policy of the organization forbids ce:GetCostAndUsage."
    assert "administrators of the organization" in error.remedy
    assert error.denial is not None
    assert error.denial.source is DenialSource.SERVICE_CONTROL_POLICY


def test_a_message_that_says_nothing_keeps_the_general_remedy() -> None:
    answer = {"Error": {"Code": "AccessDenied", "Message": "Access Denied"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
    error = translation.from_answer("s3", "ListBuckets", answer)
    assert error.denial is not None
    assert error.denial.source is DenialSource.UNKNOWN
    assert "generated IAM policy" in error.remedy
