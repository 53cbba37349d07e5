"""Reading the metrics of all rules of one account and region in one request, and deciding for each what it calls for.

A decision, the operations it leads to and the points that led there are one transaction: a worker that dies has decided nothing,
and its successor, which waits for the lease, decides once. What goes wrong with one rule stops no other of the place.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog
from django.core.exceptions import ObjectDoesNotExist
from django.db import DatabaseError, OperationalError, transaction
from django.db.models import Q

from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts
from accounts.services import credentials
from cloudconsole import realtime
from cloudconsole.aws import attempts, cloudwatch
from cloudconsole.aws.cloudwatch import Series
from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources.models import Decision, Instance, ScalingRule, ScheduleState, Slot, SlotStatus
from resources.rules import scaling as rules
from resources.rules.automation import IN_TIME, MAX_FAILURES, Machine, Outcome
from resources.rules.metrics import DIMENSIONS, Kind
from resources.rules.scaling import Choice, Point, Stops, Verdict
from resources.rules.schedules import Deed
from resources.selectors import fleets, scaling_pasts
from resources.services import operations
from resources.services.automation import failing
from resources.services.automation.slots import ACTIONS, LEASE
from resources.services.operations import instance_target

log = structlog.get_logger(__name__)

READ_WITHIN_S = 60.0
# What the data of a rule can lead to, or a defect that only it meets.
_ITS_OWN = (
    CloudconsoleError, DatabaseError, ObjectDoesNotExist, ArithmeticError, AttributeError, LookupError, TypeError, ValueError,
)  # fmt: skip

Points = Mapping[int, Sequence[Point]]  # by rule


@dataclass(frozen=True, slots=True)
class _Held:
    """A slot that this worker holds until `lease`."""

    slot: Slot
    lease: datetime


def run(*, account_id: int, region: str) -> None:
    """Decide for every rule of the place that is due, if nobody else does. Safe to call at any time."""
    held = _claimed(account_id, region)
    if not held:
        return
    asked = [one for one in held if _is_understood(one)]
    if not asked:
        return
    account = AwsAccount.objects.select_related("hub").get(pk=account_id)
    try:
        with attempts.until(time.monotonic() + READ_WITHIN_S):
            points = read(account, region, [(_rule(one), one.slot.at) for one in asked])
    except CloudconsoleError as error:
        for one in asked:
            passing = isinstance(error, AwsError) and error.retryable
            _gave_up(one, "Its metric could not be read", f"{error.detail} {getattr(error, 'remedy', '')}", passing=passing)
        return
    for one in asked:
        with _apart(one):
            _decide(one, points)


def _is_understood(held: _Held) -> bool:
    """Whether its metric can be asked for: another version may have kept one that this one does not know."""
    with _apart(held):
        series_of(_rule(held))
        return True
    return False


@contextmanager
def _apart(held: _Held) -> Iterator[None]:
    """What goes wrong in here is told of this rule, which is paused if it goes on, and stops no other."""
    try:
        yield
    except _ITS_OWN as error:
        log.exception("scaling_rule_failed", rule=held.slot.rule_id)
        why = error.detail if isinstance(error, CloudconsoleError) else "The log of the worker says why."
        _gave_up(held, "It could not be decided about", why, passing=isinstance(error, OperationalError))


def _claimed(account_id: int, region: str) -> list[_Held]:
    """The rows of the place that are nobody's. Of several of one rule only the newest is looked at: what it says is so now."""
    now = clock.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    waiting = Slot.objects.filter(free, status=SlotStatus.OPEN, rule__account=account_id, rule__region=region)
    held = list[_Held]()
    for slot in waiting.select_related("rule").order_by("-at", "-pk"):
        mine = Slot.objects.filter(free, pk=slot.pk, status=SlotStatus.OPEN)
        if why := _why_passed(slot, now):
            mine.update(status=SlotStatus.MISSED, lease_until=None, detail=why)
        elif mine.update(lease_until=now + LEASE):
            held.append(_Held(slot, now + LEASE))
    return held


def _why_passed(slot: Slot, now: datetime) -> str:
    """Why nobody looks at this moment any more; "" where it is to be decided about."""
    if slot.rule is None or now - slot.at > slot.rule.period + IN_TIME:
        return "Nobody looked in time."
    newer = Slot.objects.filter(rule=slot.rule, at__gt=slot.at).exclude(status=SlotStatus.MISSED)
    return "A later moment came first." if newer.exists() else ""


# --- reading


def read(account: AwsAccount, region: str, moments: Sequence[tuple[ScalingRule, datetime]]) -> Points:
    """For each rule the points of its window before its moment. Raises AwsError, and what stands against the credentials."""
    wanted = {series_of(rule) for rule, _ in moments}
    start = min(at - rule.window * rule.period for rule, at in moments)
    access = credentials.access_for(account, None)
    end = max(at for _, at in moments)
    found = cloudwatch.points(access, region, wanted, start=start, end=end, period_s=60)
    return {rule.pk: rules.window_before(at, rule.period, rule.window, found[series_of(rule)]) for rule, at in moments}


def series_of(rule: ScalingRule) -> Series:
    """What CloudWatch is asked for."""
    metric, dimension = rule.measure, DIMENSIONS[Kind(rule.kind)]
    return Series(metric.namespace, metric.aws_name, ((dimension, rule.watched),), rule.statistic, rule.period_s)


def _gave_up(held: _Held, what: str, why: str, *, passing: bool) -> None:
    """Nothing is decided at this moment, which is no reason to act. What will not pass by itself counts as a failure."""
    rule, told = _rule(held), f"{what}: {why.strip()}"
    with transaction.atomic():
        if not _close(held, told):
            return
        realtime.publish("scaling", rule.pk, rule.account_id)
        failures = rule.failures + (0 if passing else 1)
        ScalingRule.objects.filter(pk=rule.pk).update(failures=failures, reading=told[:300])
        if failures >= MAX_FAILURES:
            failing.pause_rule(rule, f"{what}, {failures} times in a row: {why.strip()}")


def _rule(held: _Held) -> ScalingRule:
    assert held.slot.rule is not None  # noqa: S101 - only rows of rules are claimed here
    return held.slot.rule


def _close(held: _Held, detail: str, **changes: object) -> bool:
    """Whether the row was still this worker's."""
    mine = Slot.objects.filter(pk=held.slot.pk, status=SlotStatus.OPEN, lease_until=held.lease)
    told = {"status": SlotStatus.DONE, "detail": detail[:300], "lease_until": None}
    return bool(mine.update(**{**told, **changes}))


# --- deciding


@transaction.atomic
def _decide(held: _Held, points: Points) -> None:
    """All of it or nothing. Two moments of one rule come one after the other: the row of the rule is locked."""
    rule = ScalingRule.objects.select_for_update(of=("self",)).select_related("owner", "account").get(pk=_rule(held).pk)
    seen = points[rule.pk]
    verdict = rules.judge(rule.terms, seen)
    _note(rule, seen, verdict)
    realtime.publish("scaling", rule.pk, rule.account_id)
    told = {"points": [[point.at.isoformat(), point.value] for point in seen], "deed": (verdict.deed or "")}
    stopped = _why_not(rule, held.slot)
    if stopped or verdict.deed is None:
        _close(held, stopped or verdict.why, **told)
        return
    past, now = scaling_pasts.past(rule, held.slot), clock.now()
    if hold := rules.held_back(verdict.deed, rule.limits, past, now):
        _close(held, f"{verdict.why}, but {hold}", **told)
        return
    choice = _choice(rule, held.slot, verdict.deed, rules.most_now(verdict.deed, rule.limits, past, now))
    if not choice.acts:
        _close(held, f"{verdict.why}, but there is nothing to {verdict.deed}: {choice.why_none}", **told)
    elif _close(held, verdict.why, matched=len(choice.acts), **told):
        _act(rule, held.slot, verdict, choice)


def _note(rule: ScalingRule, seen: Sequence[Point], verdict: Verdict) -> None:
    """What the list of rules shows."""
    ScalingRule.objects.filter(pk=rule.pk).update(
        failures=0, read_at=clock.now(), value=seen[-1].value, reading=verdict.why[:300]
    )


def _why_not(rule: ScalingRule, slot: Slot) -> str:
    """Why the rule does nothing at this moment, whatever the points say; pauses one that nobody stands for."""
    if rule.state == ScheduleState.PAUSED or slot.at < rule.since - rules.settles(rule.period):
        return "The rule was switched before it was acted on."
    if rule.owner is None or not rule.owner.is_active:
        failing.pause_rule(rule, "Its owner is no longer here: somebody else has to take it over.")
        return "Nobody owns the rule."
    if not aws_accounts.may(rule.owner, rule.account, Perm.RESOURCES_OPERATE):
        failing.pause_rule(rule, f"{rule.owner.get_username()}, who owns it, may not operate “{rule.account.alias}” any more.")
        return "Its owner may not operate the account any more."
    if not slot.trial and scaling_pasts.failed_in_a_row(rule, MAX_FAILURES):
        failing.pause_rule(rule, f"What it asked for failed {MAX_FAILURES} times in a row: see its decisions.")
        return "What it asked for had failed too often."
    return ""


def _choice(rule: ScalingRule, slot: Slot, deed: Deed, most: int) -> Choice:
    machines = fleets.of_rule(rule)
    if slot.trial:
        machines = scaling_pasts.imagined(rule, machines)
    started = None
    if deed is Deed.STOP and rule.stops == Stops.STARTED:
        started = scaling_pasts.started_by(rule, machines, trial=slot.trial)
    return rules.choose(deed, machines, most, started=started, watched=rule.watched)


def _act(rule: ScalingRule, slot: Slot, verdict: Verdict, choice: Choice) -> None:
    """Nothing is asked of AWS here: an operation is a row, and its own worker carries it out."""
    for machine in choice.acts:
        decision = Decision(
            slot=slot,
            account_id=machine.account,
            region=machine.region,
            instance_id=machine.instance_id,
            instance_name=machine.name,
            state=machine.state,
            outcome=Outcome.WOULD.value,
            reason=verdict.why,
        )
        if not slot.trial and verdict.deed and rule.owner:
            _ask(rule, rule.owner, decision, machine, verdict.deed)
        decision.save()


def _ask(rule: ScalingRule, owner: User, decision: Decision, machine: Machine, deed: Deed) -> None:
    instance = Instance.objects.select_related("account__hub").get(pk=machine.pk)
    asked = operations.request_many(
        action=ACTIONS[deed],
        targets=[instance_target(instance)],
        by=owner,
        by_automation=True,
        reason=f"Scaling rule “{rule.name}”: {decision.reason}",
    )
    decision.operation = asked.operations[0] if asked.operations else None
    decision.outcome = Outcome.ASKED if asked.operations else Outcome.REFUSED
    if asked.refused:
        decision.reason = asked.refused[0].error.detail[:300]
