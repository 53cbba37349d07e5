"""The instances that schedules mean, seen through the eyes of their owners."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from resources.models import Instance, ScalingRule, Schedule
from resources.rules.automation import Fleet, Machine

_COLUMNS = ("pk", "account_id", "account__environment", "region", "instance_id", "state", "tags", "name")


def machines(accounts: Collection[int] | None = None) -> list[Machine]:
    """Every instance that is there, as rules see it; `accounts` narrows it to some."""
    rows = Instance.objects.present()
    if accounts is not None:
        rows = rows.filter(account__in=accounts)
    return [Machine(*row) for row in rows.values_list(*_COLUMNS).iterator()]


def operable(owners: Iterable[User]) -> dict[int, frozenset[int]]:
    """For each owner, the accounts that they may operate now: of somebody who left, none."""
    return {
        owner.pk: frozenset(AwsAccount.objects.visible_to(owner, Perm.RESOURCES_OPERATE).values_list("pk", flat=True))
        for owner in {owner.pk: owner for owner in owners}.values()
    }


def accounts_of(schedules: Iterable[Schedule]) -> dict[int, frozenset[int]]:
    """The accounts that each schedule names, in one query."""
    found: dict[int, set[int]] = {schedule.pk: set() for schedule in schedules}
    for schedule, account in Schedule.accounts.through.objects.filter(schedule__in=found).values_list("schedule", "awsaccount"):
        found[schedule].add(account)
    return {pk: frozenset(accounts) for pk, accounts in found.items()}


def meant(schedule: Schedule, fleet: Fleet, named: Mapping[int, frozenset[int]], may: frozenset[int]) -> list[Machine]:
    """The instances that the schedule means and its owner may operate, by id."""
    found = (machine for machine in fleet.of(schedule.selection(named[schedule.pk])) if machine.account in may)
    return sorted(found, key=lambda machine: (machine.account, machine.region, machine.instance_id))


def meant_by(schedule: Schedule) -> list[Machine]:
    """The same for one schedule alone."""
    owner = schedule.owner
    if owner is None:
        return []
    may = operable([owner])[owner.pk]
    return meant(schedule, Fleet(machines(may)), accounts_of([schedule]), may)


def of_rule(rule: ScalingRule) -> list[Machine]:
    """The instances that a scaling rule may start and stop."""
    return Fleet(machines({rule.account_id})).of(rule.selection)
