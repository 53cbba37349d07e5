"""What happens by itself: series, rules over the past, budgets; and what nobody may bring back any more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from unittest.mock import patch

import pytest
import time_machine
from celery import current_app
from django.db import connection
from django.test import TestCase

from accounts.models import Alert, Notice, User
from accounts.services import channels
from accounts.services.channels import ChannelInput
from cloudconsole.core.clock import today
from cloudconsole.core.permissions import Perm
from expenses import tasks
from expenses.models import Category, Edit, Expense, ExpenseBudget, RecurringExpense, Rule
from expenses.rules.statuses import MemberRole
from expenses.selectors import budgets as budget_selectors
from expenses.services import budgets, bulk, categories, edits, expenses, recurring, rules, workspaces
from expenses.services.budgets import BudgetInput
from expenses.services.names import Names
from expenses.services.rules import RuleInput
from expenses.tests import books

NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


def tick() -> None:
    """What beat rings, and what workers then do."""
    tasks.tick()
    for pk in RecurringExpense.objects.due(today()).values_list("pk", flat=True):
        tasks.run_series(pk)


def rung() -> set[int]:
    """The series that workers are rung for now."""
    with patch.object(current_app, "send_task") as sent, TestCase.captureOnCommitCallbacks(execute=True):
        tasks.tick()
    return {call.kwargs["kwargs"]["series_id"] for call in sent.call_args_list}


def days() -> list[date]:
    return sorted(Expense.objects.values_list("date", flat=True))


def test_the_first_day_of_a_series_is_entered_at_once_and_the_next_when_it_comes(
    viewer: User, clock: time_machine.Traveller
) -> None:
    place = workspaces.personal(viewer)
    series = recurring.create(workspace=place, given=books.given(date=date(2026, 11, 18)), rrule="FREQ=MONTHLY", by=viewer)
    assert days() == [date(2026, 11, 18)]
    assert series.next_on == date(2026, 12, 18)
    clock.move_to(datetime(2026, 12, 18, 0, 1, tzinfo=UTC))
    tick()
    tick()
    assert days() == [date(2026, 11, 18), date(2026, 12, 18)]


def test_after_a_long_downtime_every_day_is_caught_up_once(viewer: User, clock: time_machine.Traveller) -> None:
    place = workspaces.personal(viewer)
    recurring.create(workspace=place, given=books.given(date=date(2026, 11, 19)), rrule="FREQ=DAILY", by=viewer)
    assert days() == []
    clock.move_to(datetime(2027, 11, 18, 12, tzinfo=UTC))
    tick()
    assert len(days()) == len(set(days())) == 365
    assert RecurringExpense.objects.get().last_run_at is not None


def test_of_a_series_from_long_ago_nobody_waits_for_all_days(viewer: User) -> None:
    place = workspaces.personal(viewer)
    with patch.object(current_app, "send_task") as sent, TestCase.captureOnCommitCallbacks(execute=True):
        series = recurring.create(workspace=place, given=books.given(date=date(2025, 1, 1)), rrule="FREQ=DAILY", by=viewer)
    assert len(days()) == recurring.AT_ONCE
    assert [call.kwargs["kwargs"] for call in sent.call_args_list] == [{"series_id": series.pk}]
    tasks.run_series(series.pk)
    assert days() == [date(2025, 1, 1) + timedelta(days=at) for at in range((today() - date(2025, 1, 1)).days + 1)]


def test_a_series_that_fails_stops_no_other_and_is_told_to_its_owner_once(viewer: User, clock: time_machine.Traveller) -> None:
    place = workspaces.personal(viewer)
    broken, sound = (
        recurring.create(workspace=place, given=books.given(date=date(2026, 11, 19)), rrule="FREQ=DAILY", by=viewer)
        for _ in range(2)
    )
    RecurringExpense.objects.filter(pk=broken.pk).update(rrule="FREQ=DAILY;INTERVAL=0")
    clock.move_to(datetime(2026, 11, 19, 0, 1, tzinfo=UTC))
    assert rung() == {broken.pk, sound.pk}
    tasks.run_series(sound.pk)
    with pytest.raises(ValueError, match="an interval of nothing"):
        tasks.run_series(broken.pk)
    assert days() == [date(2026, 11, 19)]
    assert not Alert.objects.exists()  # workers may be busy for a while
    for _ in range(20):
        clock.shift(timedelta(minutes=1))
        assert rung() == {broken.pk}
    told = Alert.objects.get()
    assert (told.kind, told.person, "of 2026-11-19 could not be entered" in told.title) == (
        "expenses.recurring_failed",
        viewer,
        True,
    )


def test_a_series_of_somebody_who_was_taken_out_makes_nothing(
    viewer: User, stranger: User, clock: time_machine.Traveller
) -> None:
    place = books.shared(viewer, (stranger, MemberRole.CONTRIBUTOR))
    recurring.create(workspace=place, given=books.given(date=date(2026, 11, 18)), rrule="FREQ=DAILY", by=stranger)
    workspaces.remove_member(workspace=place, user=stranger, by=viewer)
    clock.move_to(datetime(2026, 11, 19, 12, tzinfo=UTC))
    tick()
    assert days() == [date(2026, 11, 18)]
    workspaces.put_member(workspace=place, user=stranger, role=MemberRole.CONTRIBUTOR, by=viewer)
    tick()
    assert days() == [date(2026, 11, 18), date(2026, 11, 19)]


def test_an_occurrence_that_a_person_deleted_does_not_come_back(viewer: User) -> None:
    place = workspaces.personal(viewer)
    series = recurring.create(workspace=place, given=books.given(date=date(2026, 11, 18)), rrule="FREQ=DAILY", by=viewer)
    expenses.delete(expense=Expense.objects.get(), by=viewer)
    RecurringExpense.objects.filter(pk=series.pk).update(next_on=date(2026, 11, 18))  # another worker looks once more
    tick()
    assert Expense.objects.kept().count() == 0


def test_days_that_pass_while_a_series_is_paused_are_left_out(viewer: User, clock: time_machine.Traveller) -> None:
    place = workspaces.personal(viewer)
    series = recurring.create(workspace=place, given=books.given(date=date(2026, 11, 18)), rrule="FREQ=DAILY", by=viewer)
    recurring.pause(series=series, paused=True, by=viewer)
    clock.move_to(datetime(2026, 11, 28, 12, tzinfo=UTC))
    tick()
    recurring.pause(series=series, paused=False, by=viewer)
    tick()
    assert days() == [date(2026, 11, 18), date(2026, 11, 28)]


def rule(viewer: User, **actions: str) -> Rule:
    conditions = [{"field": "payee", "operator": "contains", "value": "cab"}]
    given = RuleInput("Cabs", conditions, [{"field": name, "value": value} for name, value in actions.items()])
    return rules.create(workspace=workspaces.personal(viewer), given=given, by=viewer)


def test_rules_go_over_the_past_but_not_over_what_a_person_set(viewer: User) -> None:
    place = workspaces.personal(viewer)
    by_hand = books.spend(viewer)
    from_file = books.spend(viewer, source="import:bank")
    rule(viewer, category="Rides", tags="auto")
    tried = rules.try_out(workspace=place)
    assert {hit.expense.pk: dict(hit.values) for hit in tried.hits} == {
        from_file.pk: {"category": "Rides", "tags": "auto"},
        by_hand.pk: {"tags": "auto"},
    }
    edit = rules.run(workspace=place, by=viewer)
    assert edit is not None
    by_hand.refresh_from_db()
    from_file.refresh_from_db()
    assert (str(by_hand.category), str(from_file.category), from_file.tags) == ("Travel › Taxi", "Rides", ["auto"])
    assert rules.run(workspace=place, by=viewer) is None
    edits.undo(edit=edit, by=viewer)
    from_file.refresh_from_db()
    assert (str(from_file.category), from_file.tags) == ("Travel › Taxi", [])


def test_undoing_leaves_alone_what_names_a_category_that_is_gone(viewer: User) -> None:
    one = books.spend(viewer)
    edit = expenses.change(expense=one, given=books.given(category="Food", subcategory="", payee="Diner"), by=viewer)
    assert edit is not None
    assert one.category is not None
    categories.merge(category=one.category, into=Category.objects.get(name="Food"), by=viewer)
    assert edits.undo(edit=edit, by=viewer).restored == 1
    connection.check_constraints()
    one.refresh_from_db()
    assert (str(one.category), one.payee) == ("Food", "Yellow Cab")


def test_fifty_rules_over_a_thousand_expenses_are_one_pass(viewer: User, django_assert_max_num_queries: Any) -> None:
    place = workspaces.personal(viewer)
    for at in range(50):
        conditions = [{"field": "payee", "operator": "is", "value": f"p{at}"}]
        rules.create(workspace=place, given=RuleInput(f"r{at}", conditions, [{"field": "project", "value": "x"}]), by=viewer)
    names = Names(place)
    expenses.insert(
        [expenses.build(names=names, given=books.given(payee=f"p{at}"), owner=viewer, source="f") for at in range(1000)]
    )
    with django_assert_max_num_queries(3):
        assert len(rules.try_out(workspace=place).hits) == 50


def test_a_renamed_category_keeps_its_rules(viewer: User) -> None:
    rule(viewer, category="Travel › Taxi")
    books.spend(viewer)
    categories.rename(category=Category.objects.get(name="Travel"), name="Trips", by=viewer)
    assert Rule.objects.get().actions == [{"field": "category", "value": "Trips › Taxi"}]
    categories.move(category=Category.objects.get(name="Taxi"), parent=None, by=viewer)
    assert Rule.objects.get().actions == [{"field": "category", "value": "Taxi"}]


def test_a_threshold_is_told_once_in_a_period_to_everybody_in_the_workspace(
    viewer: User, operator: User, stranger: User, clock: time_machine.Traveller
) -> None:
    team = books.shared(viewer, (operator, MemberRole.VIEWER))
    books.spend(viewer, team, currency="EUR", cost=Decimal("85.00"), date=date(2026, 11, 2))
    travel = Category.objects.get(workspace=team, name="Travel")
    budget = budgets.create(workspace=team, given=BudgetInput(Decimal(100), "EUR", travel), by=viewer)
    tick()
    told = Alert.objects.filter(kind="expenses.budget_threshold")
    assert {(one.person_id, one.severity) for one in told} == {(viewer.pk, "warning"), (operator.pk, "warning")}
    assert not Alert.objects.visible_to(stranger, Perm.SELF).filter(pk__in=told).exists()
    books.spend(viewer, team, currency="EUR", cost=Decimal("15.00"), date=date(2026, 11, 3))
    tick()
    tick()
    assert told.all().count() == 4
    clock.move_to(datetime(2026, 12, 2, tzinfo=UTC))
    books.spend(viewer, team, currency="EUR", cost=Decimal("90.00"), date=date(2026, 12, 1))
    tick()
    assert told.all().count() == 6
    assert budget_selectors.standing(ExpenseBudget.objects.get(pk=budget.pk), date(2026, 12, 2)).percent == 90


def test_channels_are_told_once_and_only_where_the_budget_says_so(
    admin: User, viewer: User, operator: User, clock: time_machine.Traveller
) -> None:
    channels.create(kind="email", given=ChannelInput(name="ops", recipients=("ops@example.com",)), by=admin)
    team = books.shared(viewer, (operator, MemberRole.VIEWER))
    books.spend(viewer, team, currency="EUR", cost=Decimal("85.00"), date=date(2026, 11, 2))
    budget = budgets.create(workspace=team, given=BudgetInput(Decimal(100), "EUR"), by=viewer)
    assert not Notice.objects.exists()
    budgets.change(budget=budget, given=BudgetInput(Decimal(100), "EUR", on_channels=True), by=viewer)
    assert not Notice.objects.exists()  # what is told is not told again
    books.spend(viewer, team, currency="EUR", cost=Decimal("15.00"), date=date(2026, 11, 3))
    tick()
    tick()
    assert Notice.objects.get().alert.title == f"All expenses of {team.name}: 100 % of the budget is spent"
    assert Alert.objects.filter(kind="expenses.budget_threshold").count() == 4


def test_undoing_leaves_what_was_changed_again_since(viewer: User) -> None:
    one, two = books.spend(viewer), books.spend(viewer)
    edit = bulk.change(found=Expense.objects.all(), changes=bulk.Changes(project="x"), by=viewer)
    one.refresh_from_db()
    expenses.change(expense=one, given=books.given(project="mine"), by=viewer)
    done = edits.undo(edit=edit, by=viewer)
    one.refresh_from_db()
    two.refresh_from_db()
    assert (done.restored, done.left, one.project, two.project) == (1, 1, "mine", "")


def test_what_was_deleted_a_month_ago_is_gone_for_good(viewer: User, clock: time_machine.Traveller) -> None:
    expenses.delete(expense=books.spend(viewer), by=viewer)
    tasks.forget()
    assert Expense.objects.count() == 1
    clock.move_to(NOW + timedelta(days=31))
    tasks.forget()
    assert (Expense.objects.count(), Edit.objects.count()) == (0, 0)
