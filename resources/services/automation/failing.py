"""Automation that keeps failing: paused once, and told of."""

from __future__ import annotations

from django.db import transaction

import audit.services
from accounts.alerts import AlertKind, Severity
from accounts.models import AwsAccount
from accounts.services import notifications
from audit.verbs import Verb
from cloudconsole.core import clock
from resources import verbs
from resources.alerts import SCALING_RULE_PAUSED, SCHEDULE_PAUSED
from resources.models import ScalingRule, Schedule, ScheduleState, Slot
from resources.rules.automation import Outcome
from resources.rules.operations import OPEN, Status


def failed(slot: Slot) -> bool | None:
    """Whether everything that was wanted then failed; None where nothing was wanted, or it is not over yet."""
    wanted = slot.decisions.filter(outcome__in=[Outcome.ASKED.value, Outcome.REFUSED.value]).select_related("operation")
    states = [decision.operation.status if decision.operation else Status.FAILED.value for decision in wanted]
    if not states or any(Status(state) in OPEN for state in states):
        return None
    return all(state != Status.SUCCEEDED for state in states)


def pause_schedule(schedule: Schedule, why: str) -> None:
    _pause(schedule, why, verbs.SCHEDULE_GAVE_UP, SCHEDULE_PAUSED, list(schedule.accounts.all()))


def pause_rule(rule: ScalingRule, why: str) -> None:
    _pause(rule, why, verbs.SCALING_RULE_GAVE_UP, SCALING_RULE_PAUSED, [rule.account])


@transaction.atomic
def _pause(plan: Schedule | ScalingRule, why: str, verb: Verb, alert: AlertKind, accounts: list[AwsAccount]) -> None:
    """Once: of two workers the second finds it paused."""
    running = type(plan).objects.filter(pk=plan.pk).exclude(state=ScheduleState.PAUSED)
    if not running.update(state=ScheduleState.PAUSED, state_reason=why[:300], next_at=None, updated_at=clock.now()):
        return
    what = "schedule" if isinstance(plan, Schedule) else "scaling rule"
    audit.services.record(verb, actor=None, subject=str(plan.pk), detail={"name": plan.name, "reason": why})
    notifications.announce(
        kind=alert,
        severity=Severity.WARNING,
        key=f"{what.replace(' ', '-')}-paused:{plan.pk}:{clock.now().isoformat()}",
        title=f"The {what} “{plan.name}” is paused",
        lines=[why],
        path=plan.get_absolute_url(),
        accounts=accounts,
    )
