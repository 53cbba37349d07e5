"""Invoking a function: sent once, its answer shown once and kept nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from accounts.models import User
from cloudconsole.aws import lambda_
from cloudconsole.core.errors import CloudconsoleError
from resources.rules import functions, payloads
from resources.rules.payloads import InvocationType
from resources.selectors.deployments import FunctionPlace
from resources.services import operations
from resources.services.operations import Target


class InvalidQualifier(CloudconsoleError):
    code = "qualifier_invalid"
    title = "There is no such version or alias"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of an invocation. `payload` and `log_tail` may hold the function's own secrets.

    `function_error` is empty unless the function itself failed; `payload` then tells how.
    """

    status_code: int
    function_error: str
    payload: Any
    log_tail: str
    billed_ms: int | None
    executed_version: str
    operation_id: int


def invoke(*, function: FunctionPlace, payload: Any, invocation_type: InvocationType, qualifier: str = "", by: User) -> Answer:
    """Invoke it and wait for as long as it runs, unless the type says otherwise. Never sent a second time.

    Raises InvalidQualifier, PayloadTooLarge, AwsError, and what `operations.carried_out` raises.
    """
    if qualifier and not functions.is_qualifier(qualifier):
        raise InvalidQualifier("A version is a number, an alias a name.", attr="qualifier")
    data = payloads.packed(payload, invocation_type)
    with operations.carried_out(
        action="lambda.invoke",
        target=Target(function.account, function.region, function.name, function.name),
        by=by,
        parameters={"invocation_type": invocation_type.value, "qualifier": qualifier, "payload_bytes": len(data)},
        dry_run=invocation_type is InvocationType.DRY_RUN,
    ) as doing:
        told = lambda_.invoke(
            doing.access,
            function.region,
            function.name,
            payload=data,
            invocation_type=invocation_type.value,
            qualifier=qualifier or None,
            observer=doing.observer,
        )
        doing.request_id = told.request_id
        doing.state = "function_error" if told.function_error else ""
        doing.result = {
            "status_code": told.status_code,
            "function_error": told.function_error,
            "billed_ms": told.billed_ms,
            "executed_version": told.executed_version,
        }
    return Answer(
        told.status_code,
        told.function_error,
        payloads.opened(told.payload),
        told.log_tail,
        told.billed_ms,
        told.executed_version,
        doing.operation.pk,
    )
