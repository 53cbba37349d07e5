"""What the audit trail tells of operations. Each is told as a wish, as sent, and as it ended; refusals are told as well."""

from __future__ import annotations

from collections.abc import Mapping

import audit.services
from accounts.models import User
from audit.models import Outcome
from audit.verbs import Verb
from resources import verbs
from resources.models import Operation
from resources.rules.actions import title_of
from resources.rules.operations import Status
from resources.services.operations.targets import Target

_AUTOMATION = "automation"


def requested(operation: Operation) -> None:
    detail: dict[str, str | bool] = {"dry_run": operation.dry_run, "status": operation.status, "reason": operation.reason}
    _record_own(verbs.OPERATION_REQUESTED, operation, Outcome.SUCCESS, detail)


def decided(verb: Verb, operation: Operation, by: User | None, reason: str = "") -> None:
    _record(verb, operation, by, Outcome.SUCCESS, {"reason": reason})


def sent(operation: Operation) -> None:
    """In the transaction that precedes the call: what cannot be recorded is not sent."""
    _record_own(verbs.OPERATION_SENT, operation, Outcome.INTENT, {})


def finished(operation: Operation) -> None:
    outcome = Outcome.SUCCESS if operation.status == Status.SUCCEEDED else Outcome.FAILURE
    detail: dict[str, str | bool] = {
        "title": operation.title,
        "status": operation.status,
        "code": operation.outcome_code,
        "aws_code": operation.aws_code,
        "before": operation.before_state,
        "after": operation.after_state,
        "dry_run": operation.dry_run,
    }
    _record_own(verbs.OPERATION_FINISHED, operation, outcome, detail)


def refused(action: str, target: Target, *, by: User | None, code: str, by_automation: bool = False) -> None:
    """Outside of the transaction that was refused."""
    with audit.services.on_behalf(_AUTOMATION if by_automation else ""):
        audit.services.record(
            verbs.OPERATION_REFUSED,
            actor=by,
            account=target.account,
            region=target.region,
            target=target.id,
            outcome=Outcome.REFUSED,
            detail={"what": title_of(action).lower(), "name": target.name or target.id, "action": action, "code": code},
        )


def _record_own(verb: Verb, operation: Operation, outcome: Outcome, detail: Mapping[str, str | bool]) -> None:
    """What whoever asked for it did, or automation for them."""
    with audit.services.on_behalf(_AUTOMATION if operation.by_automation else ""):
        _record(verb, operation, operation.requested_by, outcome, detail)


def _record(verb: Verb, operation: Operation, by: User | None, outcome: Outcome, detail: Mapping[str, str | bool]) -> None:
    audit.services.record(
        verb,
        actor=by,
        subject=str(operation.pk),
        account=operation.account,
        region=operation.region,
        target=operation.target,
        outcome=outcome,
        detail={"what": operation.title.lower(), "name": operation.label, "action": operation.action, **detail},
        aws_request_id=operation.aws_request_ids[-1] if operation.aws_request_ids else "",
    )
