"""Rules that categorise: keeping them, trying them out, and letting them go over the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import Max

import audit.services
from accounts.models import User
from audit.verbs import Verb
from cloudconsole.core.errors import CloudconsoleError
from expenses import verbs
from expenses.models import Edit, Expense, Rule, Workspace
from expenses.rules import categorising
from expenses.rules.categorising import RuleRefused
from expenses.rules.statuses import CHANGEABLE, MemberRole
from expenses.selectors import workspaces
from expenses.services import edits
from expenses.services.categorising import apply, compiled, facts_of, of_row
from expenses.services.inputs import levels
from expenses.services.names import Names

LOOKED_AT: Final = 10_000
MAX_NAME: Final = 80


class RuleInvalid(CloudconsoleError):
    code = "rule_invalid"
    title = "The rule cannot be like that"


@dataclass(frozen=True)
class RuleInput:
    """`conditions`: {"field", "operator", "value"}; `actions`: {"field", "value"}; see `rules.categorising`."""

    name: str
    conditions: Sequence[Mapping[str, Any]]
    actions: Sequence[Mapping[str, Any]]
    match_any: bool = False
    is_on: bool = True


@dataclass(frozen=True)
class Hit:
    """An expense that rules would change: what each field would say. `rules`: the numbers of those that do."""

    expense: Expense
    values: Mapping[str, str]
    rules: Sequence[int]


@dataclass(frozen=True)
class DryRun:
    """`hits` of the newest `looked_at` expenses of the workspace."""

    hits: list[Hit]
    looked_at: int


def create(*, workspace: Workspace, given: RuleInput, by: User, position: int | None = None) -> Rule:
    """The last one in order, unless `position` says otherwise: see `place`. Raises NotAllowed, RuleInvalid."""
    workspaces.require(by, workspace, MemberRole.APPROVER)
    with transaction.atomic():
        Workspace.objects.select_for_update().get(pk=workspace.pk)
        last = Rule.objects.filter(workspace=workspace).aggregate(last=Max("position"))["last"] or 0
        made = Rule(workspace=workspace, position=last + 1, created_by=by)
        _write(made, given)
        _record(verbs.RULE_MADE, made, by)
        if position is not None:
            _place(made, position)
    return made


def change(*, rule: Rule, given: RuleInput, by: User, position: int | None = None) -> Rule:
    """Raises NotAllowed, RuleInvalid."""
    workspaces.require(by, rule.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        _write(rule, given)
        _record(verbs.RULE_CHANGED, rule, by)
        if position is not None:
            _place(rule, position)
    return rule


def delete(*, rule: Rule, by: User) -> None:
    """Raises NotAllowed."""
    workspaces.require(by, rule.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        _record(verbs.RULE_DELETED, rule, by)
        Rule.objects.filter(pk=rule.pk).delete()


def place(*, rule: Rule, position: int, by: User) -> None:
    """Let it be the first (1), the second … that is read; a number beyond the last is the last. Raises NotAllowed."""
    workspaces.require(by, rule.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        _place(rule, position)
        _record(verbs.RULE_CHANGED, rule, by)


def _place(rule: Rule, position: int) -> None:
    Workspace.objects.select_for_update().get(pk=rule.workspace_id)
    others = Rule.objects.filter(workspace=rule.workspace).exclude(pk=rule.pk).order_by("position", "pk")
    order = list(others.values_list("pk", flat=True))
    order.insert(max(0, position - 1), rule.pk)
    for at, pk in enumerate(order, 1):
        Rule.objects.filter(pk=pk).update(position=at)
    rule.refresh_from_db(fields=["position"])


def try_out(*, workspace: Workspace, rule: Rule | None = None) -> DryRun:
    """What the rule alone, or all that are on, would change. Nothing is changed."""
    return dry_run(workspace, [of_row(rule)] if rule else compiled(workspace))


def dry_run(workspace: Workspace, rules: Sequence[categorising.Rule]) -> DryRun:
    latest = Expense.objects.kept().filter(workspace=workspace).newest_first().with_names()[:LOOKED_AT]
    looked_at, hits = 0, []
    for expense in latest.iterator(chunk_size=2000):
        looked_at += 1
        decision = categorising.decide(rules, facts_of(expense))
        if decision.rules and _is_open(expense):
            told = {**decision.values, **({"tags": ", ".join(decision.tags)} if decision.tags else {})}
            hits.append(Hit(expense, {name: text for name, text in told.items() if _says(expense, name) != text}, decision.rules))
    return DryRun([hit for hit in hits if hit.values], looked_at)


def run(*, workspace: Workspace, by: User) -> Edit | None:
    """Let all rules that are on go over the newest expenses. None when they change nothing. Raises NotAllowed.

    What a person set by hand stays, and what was handed in as well. The edit can be undone.
    """
    workspaces.require(by, workspace, MemberRole.APPROVER)
    with transaction.atomic():
        rules, names = compiled(workspace), Names(workspace)
        hits = {hit.expense.pk for hit in dry_run(workspace, rules).hits}
        kept = Expense.objects.kept().select_for_update(of=("self",)).filter(pk__in=hits).with_names().order_by("pk")
        rows = [one for one in kept if _is_open(one)]
        if not rows:
            return None
        fields = categorising.SETTABLE
        edit = edits.remember(workspace=workspace, expenses=rows, fields=fields, what="Ran the rules", by=by)
        for one in rows:
            apply(one, categorising.decide(rules, facts_of(one)), names)
        edits.save_all(rows, fields)
        detail: dict[str, str | int | None] = {"workspace": workspace.name, "count": len(rows)}
        audit.services.record(verbs.RULES_RUN, actor=by, subject=str(edit.pk), detail=detail)
    return edit


def _is_open(expense: Expense) -> bool:
    return not expense.workspace.needs_approval or expense.status in CHANGEABLE


def _says(expense: Expense, name: str) -> str:
    if name == "category":
        return " › ".join(one for one in levels(expense.category) if one)
    if name == "payment_method":
        return expense.payment_method.name if expense.payment_method else ""
    return ", ".join(expense.tags) if name == "tags" else str(getattr(expense, name))


def _write(rule: Rule, given: RuleInput) -> None:
    name = " ".join(given.name.split())
    if not name or len(name) > MAX_NAME:
        raise RuleInvalid(f"A name has between 1 and {MAX_NAME} characters.", attr="name")
    try:
        read = categorising.rule_of(0, given.conditions, given.actions, match_any=given.match_any)
    except RuleRefused as error:
        raise RuleInvalid(str(error), attr="conditions") from error
    rule.name, rule.match_any, rule.is_on = name, given.match_any, given.is_on
    rule.conditions = [{"field": one.field, "operator": one.operator.value, "value": one.value} for one in read.conditions]
    rule.actions = [{"field": one.field, "value": one.value} for one in read.actions]
    rule.save()


def _record(verb: Verb, rule: Rule, by: User) -> None:
    audit.services.record(verb, actor=by, subject=str(rule.pk), detail={"name": rule.name})
