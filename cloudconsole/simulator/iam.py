"""IAM's policy simulator over the simulator's own policies (IAM API reference, SimulatePrincipalPolicy)."""

from __future__ import annotations

import re

from cloudconsole.simulator import organization
from cloudconsole.simulator.identity import Directory, Identity
from cloudconsole.simulator.policies import Statement, decide
from cloudconsole.simulator.wire import AwsError, element

_PRINCIPAL = re.compile(r"arn:aws:iam::(?P<account>\d{12}):(?P<kind>user|role)/(?P<name>[\w+=,.@/-]+)", re.ASCII)
_ACTION = re.compile(r"[a-z0-9-]+:[A-Za-z0-9*]+")


def simulate_principal_policy(identity: Identity, directory: Directory, form: dict[str, str]) -> str:
    """One evaluation per action and resource, service control policies included."""
    statements = _policy_of(form.get("PolicySourceArn", ""), identity, directory)
    actions = _members(form, "ActionNames")
    for action in actions:
        if not _ACTION.fullmatch(action):
            raise AwsError("InvalidInput", f"Invalid Entity Action: {action}")
    resources = _members(form, "ResourceArns") or ["*"]
    results = "".join(
        f"<member>{_evaluation(statements, action, resource)}</member>" for action in actions for resource in resources
    )
    return f"<IsTruncated>false</IsTruncated><EvaluationResults>{results}</EvaluationResults>"


def _policy_of(arn: str, identity: Identity, directory: Directory) -> tuple[Statement, ...]:
    found = _PRINCIPAL.fullmatch(arn)
    if not found or found["account"] != identity.account_id:
        raise AwsError("InvalidInput", f"Invalid Entity Arn: {arn} does not clearly define entity type and name.")
    principal = organization.USERS.get(arn) or directory.role(arn)
    if principal is None:
        raise AwsError("NoSuchEntity", f"The {found['kind']} with name {found['name']} cannot be found.", 404)
    return principal.policy + identity.account.guardrails


def _members(form: dict[str, str], name: str) -> list[str]:
    prefix = f"{name}.member."
    found = sorted((int(key.removeprefix(prefix)), value) for key, value in form.items() if key.startswith(prefix))
    return [value for _, value in found]


def _evaluation(statements: tuple[Statement, ...], action: str, resource: str) -> str:
    return (
        element("EvalActionName", action)
        + element("EvalResourceName", resource)
        + element("EvalDecision", decide(statements, action, resource))
        + "<MatchedStatements/><MissingContextValues/>"
    )
