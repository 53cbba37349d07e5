"""Making scaling rules, changing them, switching them on and off. Whoever changes one becomes its owner: it acts as they may."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction

import audit.services
from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts
from accounts.services.inputs import InvalidInput, region_names
from audit.verbs import Verb
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources import verbs
from resources.models import ScalingRule, ScheduleState, Slot, SlotStatus
from resources.rules import scaling as rules
from resources.rules.metrics import METRICS, PERIODS, Kind, Metric, NotWatchable, Statistic, dimension_value
from resources.rules.scaling import Stops
from resources.services import capabilities
from resources.services.automation.schedules import NAME_LENGTH, TRIAL
from resources.services.operations.refusals import NotConfirmed

MOST_POINTS = 60  # of a window
MOST_AT_ONCE = 20
_MOST_STARTS = 100  # an hour
_MOST_NAMED = 200  # of tags and instances each
_LONGEST_COOLDOWN = timedelta(days=1)


class InvalidScalingRule(CloudconsoleError):
    code = "invalid_scaling_rule"
    title = "The scaling rule cannot be kept"


@dataclass(frozen=True, slots=True)
class WantedRule:
    """A scaling rule as somebody wants it. `watched`: a name or an ARN; tags and instances say what it may start and stop."""

    name: str
    account: AwsAccount
    region: str
    kind: Kind
    watched: str
    metric: str
    statistic: Statistic
    period_s: int
    start_above: float | None
    stop_below: float | None
    needed: int
    window: int
    cooldown: timedelta
    starts_per_hour: int
    at_once: int = 1
    stops: Stops = Stops.STARTED
    tags: Sequence[tuple[str, str]] = ()
    instances: Sequence[str] = ()


def draft(*, wanted: WantedRule, by: User) -> ScalingRule:
    """The rule as it would be, stored nowhere. Raises InvalidScalingRule, NotAllowedHere, CapabilityOff."""
    return ScalingRule(owner=by, since=clock.now(), **_columns(wanted, by))


@transaction.atomic
def create(*, wanted: WantedRule, by: User) -> ScalingRule:
    """Make it, on trial for a week. Raises as `draft` does."""
    rule = draft(wanted=wanted, by=by)
    rule.arms_at, rule.next_at = rule.since + TRIAL, rules.next_time(rule.since, rule.period)
    rule.save()
    return _told(rule, verbs.SCALING_RULE_CREATED, by)


@transaction.atomic
def edit(*, plan: ScalingRule, wanted: WantedRule, by: User) -> ScalingRule:
    """Other terms from now on; what it did stays as it was. Raises as `draft` does."""
    _check_may(plan, by)
    for name, value in _columns(wanted, by).items():
        setattr(plan, name, value)
    return _begun_again(plan, verbs.SCALING_RULE_CHANGED, by, owner=by)


@transaction.atomic
def arm(*, plan: ScalingRule, by: User) -> ScalingRule:
    """From now on it acts, as `by` may."""
    return _switched(plan, ScheduleState.ARMED, verbs.SCALING_RULE_ARMED, by)


@transaction.atomic
def try_out(*, plan: ScalingRule, by: User) -> ScalingRule:
    """From now on, and for a week, it tells what it would do and does nothing."""
    plan.arms_at = clock.now() + TRIAL
    return _switched(plan, ScheduleState.TRIAL, verbs.SCALING_RULE_TRIED, by)


@transaction.atomic
def pause(*, plan: ScalingRule, by: User) -> ScalingRule:
    return _switched(plan, ScheduleState.PAUSED, verbs.SCALING_RULE_PAUSED, by, reason=f"Paused by {by.get_username()}.")


@transaction.atomic
def delete(*, plan: ScalingRule, confirm: str, by: User) -> None:
    """It acts no more, and its decisions go with it; what it asked for stays among the operations. Raises NotConfirmed."""
    _check_may(plan, by)
    if confirm.strip() != plan.name:
        raise NotConfirmed(f"Confirm by typing “{plan.name}”.", attr="confirm")
    _told(plan, verbs.SCALING_RULE_DELETED, by)
    plan.delete()


def _switched(rule: ScalingRule, state: ScheduleState, verb: Verb, by: User, *, reason: str = "") -> ScalingRule:
    """Whoever switches it on becomes its owner."""
    _check_may(rule, by)
    rule.state, rule.state_reason = state, reason
    if state != ScheduleState.TRIAL:
        rule.arms_at = None
    return _begun_again(rule, verb, by, owner=rule.owner if state == ScheduleState.PAUSED else by)


def _begun_again(rule: ScalingRule, verb: Verb, by: User, *, owner: User | None) -> ScalingRule:
    now = clock.now()
    rule.owner, rule.since, rule.failures, rule.next_at = owner, now, 0, rules.next_time(now, rule.period)
    rule.save()
    waiting = Slot.objects.filter(rule=rule, status=SlotStatus.OPEN)
    waiting.update(status=SlotStatus.MISSED, lease_until=None, detail="The rule was changed before it was acted on.")
    return _told(rule, verb, by)


def _check_may(rule: ScalingRule, by: User) -> None:
    """Raises NotAllowedHere for who may see it and may not operate its account."""
    aws_accounts.require(by, rule.account, Perm.RESOURCES_OPERATE)


def _told(rule: ScalingRule, verb: Verb, by: User) -> ScalingRule:
    detail = {"name": rule.name}
    audit.services.record(
        verb, actor=by, subject=str(rule.pk), account=rule.account, region=rule.region, target=rule.watched, detail=detail
    )
    return rule


# --- what makes sense


def _columns(wanted: WantedRule, by: User) -> dict[str, object]:
    aws_accounts.require(by, wanted.account, Perm.RESOURCES_OPERATE)
    capabilities.require(wanted.account, "ec2.operate")
    for check in _checks(wanted):
        raise check
    return {
        "name": " ".join(wanted.name.split()),
        "account": wanted.account,
        "region": _region(wanted.region),
        "kind": wanted.kind.value,
        "watched": _watched(wanted),
        "metric": wanted.metric,
        "statistic": wanted.statistic.value,
        "period_s": wanted.period_s,
        "start_above": wanted.start_above,
        "stop_below": wanted.stop_below,
        "needed": wanted.needed,
        "window": wanted.window,
        "cooldown_s": round(wanted.cooldown.total_seconds()),
        "starts_per_hour": wanted.starts_per_hour,
        "at_once": wanted.at_once,
        "stops": wanted.stops.value,
        "tags": sorted(set(wanted.tags)),
        "instances": sorted(set(wanted.instances)),
    }


def _region(name: str) -> str:
    try:
        return region_names([name])[0]
    except InvalidInput as error:
        raise InvalidScalingRule(error.detail, attr="region") from error


def _watched(wanted: WantedRule) -> str:
    try:
        return dimension_value(wanted.kind, wanted.watched)
    except NotWatchable as error:
        raise InvalidScalingRule(str(error), attr="watched") from error


def _checks(wanted: WantedRule) -> Iterator[InvalidScalingRule]:
    """Everything that is wrong with it, the first thing first."""
    if not 0 < len(" ".join(wanted.name.split())) <= NAME_LENGTH:
        yield InvalidScalingRule(f"Give it a name of at most {NAME_LENGTH} characters.", attr="name")
    yield from _wrong_metric(wanted)
    yield from _wrong_thresholds(wanted)
    yield from _wrong_numbers(wanted)
    yield from _wrong_instances(wanted)


def _wrong_metric(wanted: WantedRule) -> Iterator[InvalidScalingRule]:
    metric = METRICS.get(wanted.metric)
    if metric is None:
        yield InvalidScalingRule(f"Metrics are {', '.join(METRICS)}.", attr="metric")
        return
    if wanted.kind not in metric.kinds:
        fitting = ", ".join(one.title.lower() for one in METRICS.values() if wanted.kind in one.kinds)
        yield InvalidScalingRule(f"CloudWatch does not keep this metric of that. It keeps {fitting}.", attr="metric")
    if wanted.statistic not in metric.statistics:
        fitting = ", ".join(metric.statistics)
        yield InvalidScalingRule(f"Of {metric.title.lower()} this says nothing. Choose from {fitting}.", attr="statistic")
    if wanted.period_s not in PERIODS:
        yield InvalidScalingRule(f"Periods are {', '.join(map(str, PERIODS))} seconds.", attr="period_s")


def _wrong_thresholds(wanted: WantedRule) -> Iterator[InvalidScalingRule]:
    above, below = wanted.start_above, wanted.stop_below
    if above is None and below is None:
        yield InvalidScalingRule("Say above what to start, below what to stop, or both.", attr="start_above")
    for attr, value in (("start_above", above), ("stop_below", below)):
        if value is not None and not _is_possible(value, METRICS.get(wanted.metric)):
            yield InvalidScalingRule("The metric never comes there.", attr=attr)
    if above is not None and below is not None and below >= above:
        yield InvalidScalingRule(
            "Stop below a lower value than the one above which it starts, or it would go to and fro.", attr="stop_below"
        )
    if above is None and wanted.stops is Stops.STARTED:
        yield InvalidScalingRule("A rule that starts nothing has to stop any of them.", attr="stops")


def _is_possible(value: float, metric: Metric | None) -> bool:
    most = metric.most if metric and metric.most is not None else math.inf
    return 0 <= value <= most and math.isfinite(value)


def _wrong_numbers(wanted: WantedRule) -> Iterator[InvalidScalingRule]:
    if not 1 <= wanted.window <= MOST_POINTS:
        yield InvalidScalingRule(f"Look at 1 to {MOST_POINTS} points.", attr="window")
    if not 1 <= wanted.needed <= wanted.window:
        yield InvalidScalingRule("At least one point has to be beyond, and at most all that are looked at.", attr="needed")
    if not timedelta() <= wanted.cooldown <= _LONGEST_COOLDOWN:
        yield InvalidScalingRule("The rest after acting lasts at most a day.", attr="cooldown_s")
    if not 1 <= wanted.starts_per_hour <= _MOST_STARTS:
        yield InvalidScalingRule(f"1 to {_MOST_STARTS} starts an hour.", attr="starts_per_hour")
    if not 1 <= wanted.at_once <= MOST_AT_ONCE:
        yield InvalidScalingRule(f"1 to {MOST_AT_ONCE} at once.", attr="at_once")


def _wrong_instances(wanted: WantedRule) -> Iterator[InvalidScalingRule]:
    if not (wanted.tags or wanted.instances):
        yield InvalidScalingRule("Say which instances it starts and stops: by tag or by id.", attr="instances")
    if any(not key for key, _ in wanted.tags) or len(wanted.tags) > _MOST_NAMED:
        yield InvalidScalingRule("A tag has a key, and perhaps a value: role=spare.", attr="tags")
    if len(wanted.instances) > _MOST_NAMED:
        yield InvalidScalingRule(f"At most {_MOST_NAMED} instances by id; more are told by a tag.", attr="instances")
    if wanted.kind is Kind.INSTANCE and wanted.watched.strip() in wanted.instances:
        yield InvalidScalingRule("What is watched cannot be started or stopped by it.", attr="instances")
