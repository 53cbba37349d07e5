"""Scaling rules as people read them: what they watch, what they saw, what they could watch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery

from accounts.models import User
from accounts.selectors.aws_accounts import NotAllowedHere
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from resources.models import Decision, Instance, LoadBalancer, ScalingRule, Slot
from resources.rules.automation import Outcome
from resources.rules.scaling import Point
from resources.selectors import fleets

CHARTED = timedelta(days=1)
_MOST_SLOTS = 720  # of which a chart is drawn
_GROUP_TAG = "aws:autoscaling:groupName"
_SUGGESTED = 500


class ScalingRuleNotFound(CloudconsoleError):
    """There is none, or none that the reader may see: nobody can tell which."""

    kind = Kind.NOT_FOUND
    code = "scaling_rule_not_found"
    title = "Not found"


def visible(user: User, permission: Perm = Perm.RESOURCES_VIEW) -> QuerySet[ScalingRule]:
    """With who owns them, when they last acted or would have, and what a watched instance is called."""
    acted = Max("slots__at", filter=Q(slots__matched__gte=1))
    watched = Instance.objects.filter(account=OuterRef("account"), region=OuterRef("region"), instance_id=OuterRef("watched"))
    found = ScalingRule.objects.visible_to(user, permission).select_related("owner", "account")
    named = found.annotate(acted_at=acted, instance_name=Subquery(watched.values("name")[:1]))
    return named.order_by("name", "pk")


def get_for(user: User, pk: int, permission: Perm) -> ScalingRule:
    """Raises ScalingRuleNotFound, or NotAllowedHere when it may only be seen."""
    found = visible(user).filter(pk=pk).first()
    if found is None:
        raise ScalingRuleNotFound("There is no such scaling rule, or none that you may see.")
    if permission != Perm.RESOURCES_VIEW and not may_change(user, found):
        raise NotAllowedHere("You may see this rule, but not change it: that takes the role operator on its account.")
    return found


def may_change(user: User, rule: ScalingRule) -> bool:
    return ScalingRule.objects.visible_to(user, Perm.RESOURCES_OPERATE).filter(pk=rule.pk).exists()


def meant(user: User, rule: ScalingRule) -> list[Instance]:
    """The instances that it may start and stop, as far as `user` may see them; never what it watches."""
    chosen = [machine.pk for machine in fleets.of_rule(rule) if machine.instance_id != rule.watched]
    seen = Instance.objects.visible_to(user, Perm.RESOURCES_VIEW).select_related("account")
    return list(seen.filter(pk__in=chosen).order_by("name", "instance_id"))


def slots(user: User, rule: ScalingRule) -> QuerySet[Slot]:
    """Its looks at the metric, the newest first, with how many instances were acted on."""
    counts = {outcome.value: Count("decisions", filter=Q(decisions__outcome=outcome.value)) for outcome in Outcome}
    return Slot.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(rule=rule).annotate(**counts).order_by("-at", "-pk")


def decisions(user: User, rule: ScalingRule) -> QuerySet[Decision]:
    found = Decision.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(slot__rule=rule)
    return found.select_related("slot__rule", "slot__schedule", "account", "operation").order_by("-pk")


def points(rule: ScalingRule) -> list[Point]:
    """What it saw in the last day, oldest first, without a gap: a period that nobody looked at has no value."""
    newest = Slot.objects.filter(rule=rule, at__gte=clock.now() - CHARTED).order_by("-at").only("points")[:_MOST_SLOTS]
    known = {point.at: point.value for slot in reversed(newest) for point in slot.seen}
    if not known:
        return []
    first, last = min(known), max(known)
    count = int((last - first) / rule.period) + 1
    begins = (first + number * rule.period for number in range(count))
    return [Point(at, known.get(at)) for at in begins]


# --- what could be watched


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something in the inventory that a rule may watch: as it is written, and what it is."""

    value: str
    label: str


def suggestions(user: User) -> list[Suggestion]:
    """Instances, auto scaling groups and load balancers that the inventory knows in accounts that `user` may operate."""
    instances = list(
        Instance.objects.visible_to(user, Perm.RESOURCES_OPERATE)
        .present()
        .select_related("account")
        .order_by("name")[:_SUGGESTED]
    )
    balancers = (
        LoadBalancer.objects.visible_to(user, Perm.RESOURCES_OPERATE)
        .present()
        .filter(kind__in=["application", "network"])
        .select_related("account")
        .order_by("name")[:_SUGGESTED]
    )
    found = [Suggestion(one.instance_id, f"{one.label} · {one.account.alias} · {one.region}") for one in instances]
    found += _groups(instances)
    return found + [
        Suggestion(one.balancer_id.rpartition("loadbalancer/")[2], f"{one.name} · {one.account.alias} · {one.region}")
        for one in balancers
    ]


def _groups(instances: Sequence[Instance]) -> list[Suggestion]:
    known = {(one.tags[_GROUP_TAG], one.account.alias, one.region): None for one in instances if one.tags.get(_GROUP_TAG)}
    return [Suggestion(name, f"auto scaling group · {alias} · {region}") for name, alias, region in known]
