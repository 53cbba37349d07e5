"""Making budgets, changing them and letting them go. What is counted or promised differently is a new revision."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

import audit.services
from accounts.alerts import Severity
from accounts.models import AwsAccount, User
from audit.verbs import Verb
from cloudconsole.core import clock, figures
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import Budget, BudgetAccount, BudgetAmount, BudgetThreshold
from costs.selectors import budgets as selectors
from costs.selectors.budgets import NotAllowed
from costs.services import budget_evaluations
from costs.services.budget_inputs import BudgetInput, Checked, Threshold, check


class BudgetChanged(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "budget_changed"
    title = "Somebody else changed it meanwhile"


class BudgetArchived(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "budget_archived"
    title = "The budget is archived"


def create(*, given: BudgetInput, by: User) -> Budget:
    """Make a budget of one's own, and look at it for the first time. Raises what `check` raises."""
    checked = check(given, by=by, owner=by, today=clock.today())
    with transaction.atomic():
        budget = Budget.objects.create(owner=by, owner_name=by.get_username(), **_fields(checked))
        _replace_parts(budget, checked, checked.accounts)
        _record(verbs.BUDGET_CREATED, budget, by)
    return _looked_at(budget, by)


def change(*, budget: Budget, given: BudgetInput, by: User, revision: int | None = None) -> Budget:
    """Whatever is counted or promised differently makes a new revision, whose thresholds are armed again.

    Counted with the rights of its owner, and `by` has to be allowed what they are. Raises what `check` raises, BudgetChanged when
    `revision` is not the one of now, BudgetArchived.
    """
    with transaction.atomic():
        kept = _locked(budget, by)
        if revision is not None and kept.revision != revision:
            raise BudgetChanged("Look at what it is now, and change that.", attr="revision")
        checked = check(given, by=by, owner=_owner(kept), today=clock.today())
        _write(kept, checked)
        _record(verbs.BUDGET_CHANGED, kept, by)
    return _looked_at(kept, by)


def _write(kept: Budget, checked: Checked) -> None:
    fields = _fields(checked)
    recounted = any(getattr(kept, name) != value for name, value in checked.counted.items())
    if recounted or _promised(kept) != _wanted(checked):
        kept.revision += 1
    if recounted or fields["every"] != kept.every:
        kept.scope_revision = kept.revision
    for name, value in fields.items():
        setattr(kept, name, value)
    kept.save(update_fields=[*fields, "revision", "scope_revision", *_look_anew(kept), "updated_at"])
    _replace_parts(kept, checked, checked.accounts)


def _look_anew(kept: Budget) -> tuple[str, ...]:
    """Whoever looks at the budget as it was loses the claim, and figures of another scope are shown no more."""
    kept.claim, kept.next_evaluation_at = None, clock.now()
    if kept.scope_revision != kept.revision:
        return ("claim", "next_evaluation_at")
    kept.current = kept.share = None
    return ("claim", "next_evaluation_at", "current", "share")


def _promised(budget: Budget) -> object:
    planned = {one.period_start: one.amount for one in budget.planned.all()}
    thresholds = {(one.limit.key, one.severity) for one in budget.thresholds.all()}
    return budget.amount, budget.every, budget.start, budget.end, planned, thresholds


def _wanted(checked: Checked) -> object:
    given = checked.given
    thresholds = {(one.limit.key, one.severity.value) for one in given.thresholds}
    return given.amount, given.every.value, checked.start, given.end, dict(given.planned), thresholds


def _fields(checked: Checked) -> dict[str, object]:
    given = checked.given
    promised = {"name": given.name, "every": given.every.value, "amount": given.amount, "start": checked.start, "end": given.end}
    return promised | checked.counted


def _replace_parts(budget: Budget, checked: Checked, accounts: Iterable[AwsAccount]) -> None:
    budget.planned.all().delete()
    BudgetAmount.objects.bulk_create(
        BudgetAmount(budget=budget, period_start=day, amount=amount) for day, amount in checked.given.planned
    )
    budget.thresholds.all().delete()
    BudgetThreshold.objects.bulk_create(
        BudgetThreshold(
            budget=budget, kind=one.limit.kind, unit=one.limit.unit, value=one.limit.value, severity=one.severity.value
        )
        for one in checked.given.thresholds
    )
    BudgetAccount.objects.filter(budget=budget).delete()
    BudgetAccount.objects.bulk_create(BudgetAccount(budget=budget, account=account) for account in accounts)


def mute(*, budget: Budget, until: datetime | None, by: User) -> Budget:
    """Until then thresholds that are reached are noted and nobody is told, also not afterwards. None: tell people again."""
    with transaction.atomic():
        kept = _locked(budget, by)
        kept.muted_until = until
        kept.save(update_fields=["muted_until", "updated_at"])
        if until is None:
            _record(verbs.BUDGET_UNMUTED, kept, by)
        else:
            _record(verbs.BUDGET_MUTED, kept, by, until=f"{until:%Y-%m-%d %H:%M} UTC")
    return kept


def take_over(*, budget: Budget, by: User) -> Budget:
    """Count with the rights of `by` from now on. Who they see differently is a new revision. Raises what `check` raises."""
    with transaction.atomic():
        kept = _locked(budget, by)
        before = kept.owner_name
        kept.owner, kept.owner_name = by, by.get_username()
        checked = check(input_of(kept), by=by, owner=by, today=clock.today())
        kept.revision += 1
        kept.scope_revision = kept.revision
        kept.save(update_fields=["owner", "owner_name", "revision", "scope_revision", *_look_anew(kept), "updated_at"])
        _replace_parts(kept, checked, checked.accounts)
        _record(verbs.BUDGET_TAKEN_OVER, kept, by, before=before)
    return _looked_at(kept, by)


def archive(*, budget: Budget, by: User) -> Budget:
    """Let it go: nobody is told any more. Its history stays, and it can be restored."""
    with transaction.atomic():
        kept = _locked(budget, by)
        kept.archived_at, kept.claim = clock.now(), None
        kept.save(update_fields=["archived_at", "claim", "updated_at"])
        _record(verbs.BUDGET_ARCHIVED, kept, by)
    return kept


def restore(*, budget: Budget, by: User) -> Budget:
    """As it was. Thresholds that were reached in this period stay reached."""
    with transaction.atomic():
        kept = _locked(budget, by, archived=True)
        kept.archived_at = None
        kept.save(update_fields=["archived_at", "updated_at"])
        _record(verbs.BUDGET_RESTORED, kept, by)
    return _looked_at(kept, by)


def input_of(budget: Budget) -> BudgetInput:
    """What was said of it, for a change of one part."""
    return BudgetInput(
        name=budget.name,
        report=selectors.report_of(budget),
        amount=budget.amount,
        every=budget.period,
        planned=tuple((one.period_start, one.amount) for one in budget.planned.all()),
        thresholds=tuple(Threshold(one.limit, Severity(one.severity)) for one in budget.thresholds.all()),
        start=budget.start,
        end=budget.end,
    )


def _locked(budget: Budget, by: User, *, archived: bool = False) -> Budget:
    selectors.get_to_change(by, budget.pk)
    kept = Budget.objects.select_for_update().get(pk=budget.pk)
    if (kept.archived_at is not None) != archived:
        raise BudgetArchived("Restore it first." if kept.archived_at else "It is not archived.")
    return kept


def _owner(budget: Budget) -> User:
    if budget.owner is None or not budget.owner.is_active:
        raise NotAllowed(f"It counts with the rights of {budget.owner_name}, who has left. Take it over first.")
    return budget.owner


def _looked_at(budget: Budget, by: User) -> Budget:
    budget_evaluations.evaluate(pk=budget.pk)
    return selectors.get_for(by, budget.pk)


def _record(verb: Verb, budget: Budget, by: User, **more: str) -> None:
    told: dict[str, str | int | None] = {
        "name": budget.name,
        "revision": budget.revision,
        "amount": figures.money(budget.amount, budget.currency),
    }
    audit.services.record(verb, actor=by, subject=str(budget.pk), detail={**told, **more})
