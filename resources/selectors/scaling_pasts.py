"""What a scaling rule has done: the past that its next decision has to respect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from django.db.models import Max, QuerySet

from cloudconsole.core import clock
from resources.models import Decision, Instance, Operation, ScalingRule, Slot
from resources.rules.automation import Machine, Outcome
from resources.rules.operations import OPEN, Status
from resources.rules.scaling import Past
from resources.rules.schedules import Deed

_HOUR = timedelta(hours=1)
_OPEN = [status.value for status in OPEN]


def _done(rule: ScalingRule, *, trial: bool) -> QuerySet[Decision]:
    """What it did, or on trial would have done, since it was switched last."""
    outcome = Outcome.WOULD if trial else Outcome.ASKED
    mine = Decision.objects.filter(slot__rule=rule, slot__trial=trial, outcome=outcome.value, at__gte=rule.since)
    return mine.order_by("-pk")


def past(rule: ScalingRule, slot: Slot) -> Past:
    """As it counts for the cooldown and the starts of the hour."""
    done = _done(rule, trial=slot.trial)
    newest = done.values_list("at", flat=True).first()
    starts = done.filter(slot__deed=Deed.START.value, at__gt=clock.now() - _HOUR).values_list("at", flat=True)
    return Past(newest, tuple(starts), done.filter(operation__status__in=_OPEN).exists())


def failed_in_a_row(rule: ScalingRule, times: int) -> bool:
    """Whether all that was wanted failed, so many times after each other."""
    acted = Slot.objects.filter(rule=rule, trial=False, matched__gte=1, decisions__at__gte=rule.since).distinct()
    verdicts = [_failed(slot) for slot in acted.order_by("-at", "-pk").prefetch_related("decisions__operation")[:times]]
    return len(verdicts) == times and all(verdicts)


def _failed(slot: Slot) -> bool:
    """Whether nothing of it succeeded, and nothing is under way any more."""
    states = [one.operation.status if one.operation else Status.FAILED.value for one in slot.decisions.all()]
    return not any(state in _OPEN or state == Status.SUCCEEDED for state in states)


def imagined(rule: ScalingRule, machines: Sequence[Machine]) -> list[Machine]:
    """The instances as they would be if the rule on trial had acted."""
    return list(_imagined(_newest_on_trial(rule), machines))


def _newest_on_trial(rule: ScalingRule) -> dict[str, str]:
    """By instance id, what it would have done to each last."""
    newest = _done(rule, trial=True).order_by().values("instance_id").annotate(newest=Max("pk")).values("newest")
    return dict(Decision.objects.filter(pk__in=newest).values_list("instance_id", "slot__deed"))


def _imagined(newest: dict[str, str], machines: Sequence[Machine]) -> Iterator[Machine]:
    for machine in machines:
        deed = newest.get(machine.instance_id, "")
        state = {Deed.START.value: "running", Deed.STOP.value: "stopped"}.get(deed, machine.state)
        yield replace(machine, state=state)


def started_by(rule: ScalingRule, machines: Sequence[Machine], *, trial: bool) -> frozenset[int]:
    """The keys of those that the rule started last, as far as this console and AWS's launch times tell."""
    if trial:
        newest = _newest_on_trial(rule)
        return frozenset(one.pk for one in machines if newest.get(one.instance_id) == Deed.START)
    starts = _newest_starts(rule, [machine.instance_id for machine in machines])
    mine = set(Decision.objects.filter(slot__rule=rule, operation__in=starts.values()).values_list("operation", flat=True))
    launched = dict(Instance.objects.filter(pk__in=[one.pk for one in machines]).values_list("pk", "launched_at"))

    def is_mine(machine: Machine) -> bool:
        start, launch = starts.get(machine.instance_id), launched.get(machine.pk)
        if start is None or start.pk not in mine:
            return False
        return launch is None or start.finished_at is None or launch <= start.finished_at

    return frozenset(machine.pk for machine in machines if is_mine(machine))


def _newest_starts(rule: ScalingRule, ids: Sequence[str]) -> dict[str, Operation]:
    """The last start of each instance that this console carried out, whoever asked for it."""
    found = Operation.objects.filter(
        account=rule.account_id, region=rule.region, target__in=ids, action="ec2.start", dry_run=False,
        status=Status.SUCCEEDED.value,
    )  # fmt: skip
    newest = found.order_by().values("target").annotate(newest=Max("pk")).values("newest")
    return {operation.target: operation for operation in Operation.objects.filter(pk__in=newest)}
