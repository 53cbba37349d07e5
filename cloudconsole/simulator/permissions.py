"""May the caller do this? The answer in AWS's words (IAM user guide, "Troubleshoot access denied error messages")."""

from __future__ import annotations

from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.policies import Decision, decide
from cloudconsole.simulator.refusals import Refusal, refusal
from cloudconsole.simulator.wire import AwsError, Protocol


def require(identity: Identity, protocol: Protocol, action: str, resource: str) -> None:
    """Raise the protocol's access-denied error unless policies and guardrails allow `action` on `resource`."""
    if identity.decision(action, resource) is not Decision.ALLOWED:
        raise denied(identity, protocol, action, resource)


def denied(identity: Identity, protocol: Protocol, action: str, resource: str) -> AwsError:
    """The refusal, which names the kind of policy that is at fault."""
    shown = f'"{resource}"' if protocol is Protocol.REST_XML else resource
    message = (
        f"User: {identity.arn} is not authorized to perform: {action} on resource: {shown} {_why(identity, action, resource)}"
    )
    return refusal(Refusal.DENIED, protocol, message)


def _why(identity: Identity, action: str, resource: str) -> str:
    if decide(identity.account.guardrails, action, resource) is Decision.EXPLICIT_DENY:
        return "with an explicit deny in a service control policy"
    if decide(identity.statements, action, resource) is Decision.EXPLICIT_DENY:
        return "with an explicit deny in an identity-based policy"
    return f"because no identity-based policy allows the {action} action"
