"""Office hours: schedules. The moments at which automation of either kind acted, and what became of each instance then."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from resources.models.inventory import ResourceQuerySet
from resources.models.operations import Operation
from resources.rules.automation import Outcome, Selection
from resources.rules.scaling import Point
from resources.rules.schedules import Days, Deed, Hours, Missed, Mode, Period


class ScheduleState(models.TextChoices):
    TRIAL = "trial", "On trial"
    ARMED = "armed", "Armed"
    PAUSED = "paused", "Paused"


MODES = [
    (Mode.EDGES.value, "At its times only: what people start or stop by hand stays so until the next one"),
    (Mode.RETAIN.value, "At its times, but what ran already when a period began is not stopped at its end"),
    (Mode.ENFORCED.value, "Always: what people change by hand is put right within minutes"),
]
MISSED = [(Missed.SKIP.value, "Skip it"), (Missed.RUN_ONCE.value, "Make up for the newest one")]
DEEDS = [(Deed.START.value, "Start"), (Deed.STOP.value, "Stop")]
OUTCOMES = [
    (Outcome.ASKED.value, "Asked for"),
    (Outcome.WOULD.value, "Would have acted"),
    (Outcome.LEFT.value, "Left alone"),
    (Outcome.REFUSED.value, "Refused"),
]


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> ScheduleQuerySet:
        """One's own, and those all of whose accounts `user` holds `permission` on. One for all accounts is its owner's."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.is_admin:
            return self.all()
        hidden = AwsAccount.objects.exclude(pk__in=AwsAccount.objects.visible_to(user, permission).values("pk"))
        named = Schedule.accounts.through.objects.filter(schedule=models.OuterRef("pk"))
        shared = models.Exists(named) & ~models.Exists(named.filter(awsaccount__in=hidden))
        return self.filter(Q(owner=user) | shared)


class Schedule(models.Model):
    """When chosen instances run. It acts with the rights that its owner has at that moment.

    `next_at` is when it has to be looked at again; moving it is how a scheduler claims that. Edges up to `looked_until` are
    attended to.
    """

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="schedules")
    state = models.CharField(max_length=16, choices=ScheduleState, default=ScheduleState.TRIAL)
    state_reason = models.CharField(max_length=300, blank=True)
    zone = models.CharField("time zone", max_length=64)
    periods = models.JSONField(help_text="days, begin and end of each, in local time.")
    holidays = models.JSONField(default=list, blank=True, help_text="Days in the time zone on which nothing is started.")
    mode = models.CharField(max_length=16, choices=MODES, default=Mode.EDGES.value)
    missed = models.CharField("what was missed", max_length=16, choices=MISSED, default=Missed.RUN_ONCE.value)
    accounts = models.ManyToManyField(AwsAccount, blank=True, related_name="schedules")
    environments = models.JSONField(default=list, blank=True)
    regions = models.JSONField(default=list, blank=True)
    tags = models.JSONField(default=list, blank=True, help_text="Pairs of key and value; an empty value means any.")
    instances = models.JSONField(default=list, blank=True, help_text="Instance ids.")
    override = models.CharField(max_length=16, choices=DEEDS, blank=True, help_text="What is the case whatever the hour.")
    override_until = models.DateTimeField(null=True, blank=True)
    arms_at = models.DateTimeField(null=True, blank=True, help_text="When the trial ends by itself.")
    failures = models.PositiveSmallIntegerField(default=0, help_text="Times in a row at which nothing succeeded.")
    looked_until = models.DateTimeField()
    next_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ScheduleQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=ScheduleState.values), name="schedule_state_is_known"),
            models.CheckConstraint(condition=Q(mode__in=[name for name, _ in MODES]), name="schedule_mode_is_known"),
            models.CheckConstraint(
                condition=Q(override="", override_until=None) | (~Q(override="") & ~Q(override_until=None)),
                name="schedule_override_has_an_end",
            ),
        ]
        indexes = [
            # The scheduler's tick reads what is due.
            models.Index(fields=["next_at"], condition=~Q(state="paused"), name="schedule_due"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/automation/{self.pk}"

    @property
    def hours(self) -> Hours:
        holidays = frozenset(date.fromisoformat(text) for text in self.holidays)
        return Hours(ZoneInfo(self.zone), tuple(_period(told) for told in self.periods), holidays)

    @property
    def is_enforced(self) -> bool:
        return self.mode == Mode.ENFORCED

    def selection(self, accounts: frozenset[int]) -> Selection:
        """`accounts`: its own, which its maker has read for many schedules at once."""
        return Selection(
            accounts,
            frozenset(self.environments),
            frozenset(self.regions),
            frozenset(self.instances),
            frozenset((key, value) for key, value in self.tags),
        )


def _period(told: dict[str, Any]) -> Period:
    begin, end = (time.fromisoformat(told[name]) if told.get(name) else None for name in ("begin", "end"))
    return Period(Days(tuple(told["days"])), begin, end)


class SlotStatus(models.TextChoices):
    OPEN = "open", "Under way"
    DONE = "done", "Done"
    MISSED = "missed", "Missed"


class SlotQuerySet(models.QuerySet["Slot"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> SlotQuerySet:
        of_rule = Q(rule__account__in=AwsAccount.objects.visible_to(user, permission))
        return self.filter(Q(schedule__in=Schedule.objects.visible_to(user, permission)) | of_rule)


class Slot(models.Model):
    """One moment of one schedule or scaling rule: claimed once, whoever looks. A worker holds it by a lease until all is decided.

    A schedule has a slot where it acts; a rule has one for each time that it looks at its metric, with the points it saw,
    and `deed` only where they called for something.
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, null=True, blank=True, related_name="slots", db_index=False)
    rule = models.ForeignKey(
        "resources.ScalingRule", on_delete=models.CASCADE, null=True, blank=True, related_name="slots", db_index=False
    )
    at = models.DateTimeField()
    deed = models.CharField(max_length=16, choices=DEEDS, blank=True)
    points = models.JSONField(default=list, blank=True, help_text="What a rule saw: pairs of moment and value, oldest first.")
    trial = models.BooleanField(default=False)
    status = models.CharField(max_length=16, choices=SlotStatus, default=SlotStatus.OPEN)
    detail = models.CharField(max_length=300, blank=True)
    matched = models.PositiveIntegerField(null=True, blank=True, help_text="Instances that were decided about then.")
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SlotQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-pk"]
        constraints = [
            # Two schedulers at once: the second finds the first's row. A schedule's page lists its newest.
            models.UniqueConstraint(fields=["schedule", "at"], name="automation_slot_once"),
            models.UniqueConstraint(fields=["rule", "at"], name="automation_slot_once_of_rule"),
            models.CheckConstraint(
                condition=Q(schedule=None, rule__isnull=False) | Q(schedule__isnull=False, rule=None),
                name="automation_slot_of_one_plan",
            ),
            models.CheckConstraint(condition=Q(status__in=SlotStatus.values), name="automation_slot_status_is_known"),
        ]
        indexes = [
            # The tick takes up what nobody works on.
            models.Index(fields=["lease_until"], condition=Q(status="open"), name="automation_slot_open"),
            # What a rule saw and did nothing about is removed after a while.
            models.Index(fields=["at"], condition=Q(matched=None, rule__isnull=False), name="automation_slot_quiet"),
        ]

    def __str__(self) -> str:
        return f"{self.plan_name} {self.at:%Y-%m-%d %H:%M} {self.deed}"

    @property
    def plan_name(self) -> str:
        """What its schedule or rule is called."""
        return str(self.schedule or self.rule)

    @property
    def plan_url(self) -> str:
        """The page of its schedule or rule."""
        return f"/automation/{self.schedule_id}" if self.schedule_id else f"/automation/scaling/{self.rule_id}"

    @property
    def seen(self) -> list[Point]:
        """The points that a rule saw, oldest first."""
        return [Point(datetime.fromisoformat(at), value) for at, value in self.points]


class Decision(models.Model):
    """What became of one instance at one slot, and why."""

    slot = models.ForeignKey(Slot, on_delete=models.CASCADE, related_name="decisions", db_index=False)
    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="+")
    region = models.CharField(max_length=32)
    instance_id = models.CharField(max_length=64)
    instance_name = models.CharField(max_length=256, blank=True)
    state = models.CharField(max_length=32, help_text="The instance's state as it was known then.")
    outcome = models.CharField(max_length=16, choices=OUTCOMES)
    reason = models.CharField(max_length=300, blank=True)
    operation = models.ForeignKey(Operation, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    objects = ResourceQuerySet["Decision"].as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            # A worker that takes over a slot decides about nothing twice.
            models.UniqueConstraint(fields=["slot", "account", "region", "instance_id"], name="automation_decision_once"),
            models.CheckConstraint(condition=Q(outcome__in=[name for name, _ in OUTCOMES]), name="automation_outcome_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.instance_id}: {self.outcome}"

    @property
    def label(self) -> str:
        return self.instance_name or self.instance_id
