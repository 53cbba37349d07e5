"""May the caller do this to that instance? EC2 adds an encoded message that only sts:DecodeAuthorizationMessage can read."""

from __future__ import annotations

import base64
import hashlib

from cloudconsole.simulator import permissions
from cloudconsole.simulator.ec2.requests import Form
from cloudconsole.simulator.identity import Identity
from cloudconsole.simulator.policies import Decision
from cloudconsole.simulator.refusals import Refusal, refusal
from cloudconsole.simulator.wire import Protocol


def require(identity: Identity, operation: str, form: Form) -> None:
    """Raise UnauthorizedOperation unless policies and guardrails allow the operation."""
    action, resource = f"ec2:{operation}", _resource(identity, operation, form)
    if identity.decision(action, resource) is Decision.ALLOWED:
        return
    told = permissions.denied(identity, Protocol.EC2, action, resource).message
    encoded = base64.b64encode(hashlib.sha512(told.encode()).digest() * 4).decode()
    message = f"You are not authorized to perform this operation. {told}. Encoded authorization failure message: {encoded}"
    raise refusal(Refusal.DENIED, Protocol.EC2, message)


def _resource(identity: Identity, operation: str, form: Form) -> str:
    """Describing knows no resources (Service Authorization Reference, Amazon EC2)."""
    first = form.get("InstanceId.1", "")
    if operation.startswith("Describe") or not first:
        return "*"
    return f"arn:aws:ec2:{identity.region}:{identity.account_id}:instance/{first}"
