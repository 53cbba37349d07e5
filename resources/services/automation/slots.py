"""Acting at one moment of one schedule. A worker decides about each instance once, together with the operation it asks for."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import User
from cloudconsole.core import clock
from resources.models import Decision, Instance, Schedule, ScheduleState, Slot, SlotStatus
from resources.rules.automation import IN_TIME, MAX_FAILURES, Machine, Outcome, Reason, why_left
from resources.rules.schedules import Deed, Missed, Mode
from resources.selectors import fleets
from resources.services import operations
from resources.services.automation import failing
from resources.services.operations import instance_target

RUN = "resources.run_automation_slot"
LEASE = timedelta(minutes=5)
ACTIONS = {Deed.START: "ec2.start", Deed.STOP: "ec2.stop"}


def run(*, slot_id: int) -> None:
    """Decide about every instance that is meant, if nobody else does. Safe to call at any time."""
    now = clock.now()
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    if not Slot.objects.filter(free, pk=slot_id, rule=None, status=SlotStatus.OPEN).update(lease_until=now + LEASE):
        return
    slot = Slot.objects.select_related("schedule__owner").get(pk=slot_id)
    schedule = _schedule(slot)
    owner = schedule.owner
    if owner is None or not owner.is_active:
        failing.pause_schedule(schedule, "Its owner is no longer here: somebody else has to take it over.")
        _close(slot, 0, "Nobody owns the schedule.")
        return
    if why := _why_too_late(slot):
        _close(slot, 0, why)
        return
    if not slot.trial and _keeps_failing(slot):
        _close(slot, 0, "It had failed too often before.")
        return
    chosen = fleets.meant_by(schedule)
    kept = _retained(slot) if schedule.mode == Mode.RETAIN else frozenset()
    for machine in chosen:
        _decide(slot, owner, machine, retained=_place(machine) in kept)
    _close(slot, len(chosen), "")


def _why_too_late(slot: Slot) -> str:
    """Why nothing is done at this moment any more; "" where it is to be acted on. Its message may have waited for a worker."""
    schedule = _schedule(slot)
    if schedule.state == ScheduleState.PAUSED or (schedule.state == ScheduleState.TRIAL and not slot.trial):
        return "The schedule was switched off before it was acted on."
    if Slot.objects.filter(schedule=schedule, at__gt=slot.at).exclude(status=SlotStatus.MISSED).exists():
        return "A later moment came first."
    if schedule.missed == Missed.SKIP and clock.now() - slot.at > IN_TIME:
        return "Nobody acted in time."
    return ""


def _schedule(slot: Slot) -> Schedule:
    """The schedule whose moment it is: `run` takes no other."""
    assert slot.schedule is not None  # noqa: S101 - see above
    return slot.schedule


def _place(machine: Machine) -> tuple[int, str, str]:
    return machine.account, machine.region, machine.instance_id


def _decide(slot: Slot, owner: User, machine: Machine, *, retained: bool) -> None:
    reason = why_left(Deed(slot.deed), machine, retained=retained)
    try:
        with transaction.atomic():
            decision = Decision.objects.create(
                slot=slot,
                account_id=machine.account,
                region=machine.region,
                instance_id=machine.instance_id,
                instance_name=machine.name,
                state=machine.state,
                outcome=(Outcome.LEFT if reason else Outcome.WOULD).value,
                reason=reason.value if reason else "",
            )
            if reason is None:
                _act(slot, decision, owner, machine)
    except IntegrityError:
        if not slot.decisions.filter(account=machine.account, region=machine.region, instance_id=machine.instance_id).exists():
            raise


def _act(slot: Slot, decision: Decision, owner: User, machine: Machine) -> None:
    """Nothing is asked of AWS here: the operation is a row, and its own worker carries it out."""
    instance = Instance.objects.select_related("account__hub").get(pk=machine.pk)
    if not slot.trial:
        asked = operations.request_many(
            action=ACTIONS[Deed(slot.deed)],
            targets=[instance_target(instance)],
            by=owner,
            by_automation=True,
            reason=f"Schedule “{slot.plan_name}”, {slot.at:%Y-%m-%d %H:%M} UTC",
        )
        decision.operation = asked.operations[0] if asked.operations else None
        decision.outcome = Outcome.ASKED if asked.operations else Outcome.REFUSED
        decision.reason = "" if asked.operations else asked.refused[0].error.detail[:300]
    decision.save(update_fields=["operation", "outcome", "reason"])


def _retained(slot: Slot) -> frozenset[tuple[int, str, str]]:
    """What ran already when the period that ends here began."""
    begun = Slot.objects.filter(schedule=slot.schedule, deed=Deed.START.value, at__lt=slot.at, status=SlotStatus.DONE).first()
    if begun is None or slot.deed != Deed.STOP:
        return frozenset()
    ran = begun.decisions.filter(outcome=Outcome.LEFT.value, reason=Reason.ALREADY.value)
    return frozenset((row.account_id, row.region, row.instance_id) for row in ran.only("account", "region", "instance_id"))


# --- failing


def _keeps_failing(slot: Slot) -> bool:
    """Whether it failed again at its last moment, and so often that it is paused now."""
    schedule = _schedule(slot)
    before = Slot.objects.filter(schedule=schedule, at__lt=slot.at, status=SlotStatus.DONE, trial=False).first()
    verdict = failing.failed(before) if before else None
    if verdict is None:
        return False
    failures = schedule.failures + 1 if verdict else 0
    Schedule.objects.filter(pk=schedule.pk).update(failures=failures)
    if failures < MAX_FAILURES:
        return False
    failing.pause_schedule(schedule, f"It failed {failures} times in a row: see its decisions.")
    return True


def _close(slot: Slot, matched: int, detail: str) -> None:
    Slot.objects.filter(pk=slot.pk).update(status=SlotStatus.DONE, matched=matched, detail=detail, lease_until=None)
