"""IAM's own answer to "may this principal do that?"."""

from __future__ import annotations

from cloudconsole.simulator.tests.conftest import Aws, refused
from cloudconsole.simulator.tests.test_roles import as_key

AUDITOR = "arn:aws:iam::433333333333:user/auditor"


def decisions(client: object, arn: str, *actions: str) -> dict[str, str]:
    found = client.simulate_principal_policy(PolicySourceArn=arn, ActionNames=list(actions))  # type: ignore[attr-defined]
    return {result["EvalActionName"]: result["EvalDecision"] for result in found["EvaluationResults"]}


def test_what_no_policy_allows_is_an_implicit_deny(aws: Aws) -> None:
    found = decisions(aws.client("iam", "development"), AUDITOR, "ce:GetCostAndUsage", "iam:GetUser")

    assert found == {"ce:GetCostAndUsage": "implicitDeny", "iam:GetUser": "allowed"}


def test_a_service_control_policy_is_an_explicit_deny(aws: Aws) -> None:
    role = aws.simulator.organization()["roles"][0]
    session = aws.client("sts").assume_role(RoleArn=role["role_arn"], RoleSessionName="alice", ExternalId=role["external_id"])
    found = decisions(aws._client("iam", as_key(session)), role["role_arn"], "s3:DeleteBucket", "s3:ListAllMyBuckets")

    assert found == {"s3:DeleteBucket": "explicitDeny", "s3:ListAllMyBuckets": "allowed"}


def test_unknown_principals_and_actions_are_refused(aws: Aws) -> None:
    iam = aws.client("iam", "development")

    missing = refused(lambda: decisions(iam, "arn:aws:iam::433333333333:user/nobody", "iam:GetUser"))
    assert (missing.code, missing.status) == ("NoSuchEntity", 404)
    assert refused(lambda: decisions(iam, "arn:aws:iam::411111111111:user/x", "iam:GetUser")).code == "InvalidInput"
    assert refused(lambda: decisions(iam, AUDITOR, "nonsense")).code == "InvalidInput"


def test_a_caller_without_the_permission_is_denied(aws: Aws) -> None:
    answer = refused(lambda: decisions(aws.client("iam", "stranger"), "arn:aws:iam::111111111111:user/stranger", "s3:GetObject"))

    assert (answer.code, answer.status) == ("AccessDenied", 403)
