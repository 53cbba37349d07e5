from __future__ import annotations

import pytest

from cloudconsole.aws import iam
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.tests.scripted import Endpoint, Reply, in_turn

NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"


def simulated(results: dict[str, str], marker: str = "") -> Reply:
    members = "".join(
        f"<member><EvalActionName>{action}</EvalActionName><EvalDecision>{decision}</EvalDecision></member>"
        for action, decision in results.items()
    )
    more = f"<IsTruncated>true</IsTruncated><Marker>{marker}</Marker>" if marker else "<IsTruncated>false</IsTruncated>"
    body = (
        f'<SimulatePrincipalPolicyResponse xmlns="{NAMESPACE}"><SimulatePrincipalPolicyResult>{more}'
        f"<EvaluationResults>{members}</EvaluationResults></SimulatePrincipalPolicyResult>"
        f"<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></SimulatePrincipalPolicyResponse>"
    )
    return Reply(body=body.encode(), content_type="text/xml")


def test_each_action_has_its_decision_over_all_pages(endpoint: Endpoint, access: Access) -> None:
    endpoint.script = in_turn(
        simulated({"ce:GetCostAndUsage": "allowed"}, marker="m1"),
        simulated({"sts:GetCallerIdentity": "explicitDeny", "iam:GetUser": "implicitDeny"}),
    )
    principal = "arn:aws:iam::111111111111:user/alice"
    assert iam.simulate(access, principal, ["ce:GetCostAndUsage", "sts:GetCallerIdentity", "iam:GetUser"]) == {
        "ce:GetCostAndUsage": "allowed",
        "sts:GetCallerIdentity": "explicitDeny",
        "iam:GetUser": "implicitDeny",
    }
    assert {request.params["PolicySourceArn"] for request in endpoint.requests} == {principal}


@pytest.mark.parametrize(
    ("arn", "role"),
    [
        ("arn:aws:sts::222222222222:assumed-role/console/alice@example.org", "arn:aws:iam::222222222222:role/console"),
        ("arn:aws-cn:sts::222222222222:assumed-role/console/a", "arn:aws-cn:iam::222222222222:role/console"),
        ("arn:aws:iam::222222222222:user/alice", "arn:aws:iam::222222222222:user/alice"),
    ],
)
def test_a_role_session_is_simulated_as_its_role(arn: str, role: str) -> None:
    assert iam.role_arn_of(arn) == role
