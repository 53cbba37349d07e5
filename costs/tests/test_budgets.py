"""Budgets kept, looked at and told of, on stored facts."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from accounts.alerts import Severity
from accounts.models import Alert, Grant, User
from audit.models import AuditEvent
from cloudconsole.aws.cost_explorer import Amounts
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.catalogue import EC2
from cloudconsole.simulator.organization import MANAGEMENT
from costs.models import Budget, BudgetAlert, BudgetEvaluation, CostSource
from costs.rules.budget_periods import Every
from costs.rules.budgets import Kind, Limit, Standing, Unit
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import Cube
from costs.rules.windows import DayRange
from costs.selectors import budgets as selectors
from costs.selectors.budgets import NotAllowed
from costs.selectors.costs import Reader
from costs.selectors.questions import Question
from costs.selectors.reports import Report
from costs.services import budget_evaluations, budgets
from costs.services.budget_inputs import BudgetInput, InvalidBudget, NotStoredApart, Threshold
from costs.tests import books

STORED = DayRange(date(2026, 10, 1), date(2026, 11, 19))
MONTH = DayRange(date(2026, 11, 1), date(2026, 12, 1))


@pytest.fixture(autouse=True)
def _today() -> object:
    with time_machine.travel(books.NOW, tick=False):
        yield


def store_days(source: CostSource, days: DayRange, amount: int) -> None:
    totals: dict[date, dict[tuple[str, ...], Amounts]] = {day: {(): books.amounts(amount)} for day in books.days_of(days)}
    books.store(source, Cube.TOTAL, books.answer(totals))


@pytest.fixture
def source(db: None) -> CostSource:
    """Its bill is 1,000 a day."""
    found = books.source(MANAGEMENT, "management")
    store_days(found, STORED, 1000)
    return found


@pytest.fixture
def filled(db: None) -> CostSource:
    """With everything that the simulator's ledger tells of these days."""
    found = books.source(MANAGEMENT, "management")
    books.fill(found, DayRange(date(2026, 11, 1), date(2026, 11, 19)))
    return found


def given_input(name: str = "Everything", amount: int | str = 1_000_000, **more: object) -> BudgetInput:
    return BudgetInput(name=name, report=more.pop("report", Report()), amount=Decimal(amount), **more)  # type: ignore[arg-type]


def at(value: int | str, kind: Kind = Kind.ACTUAL, unit: Unit = Unit.PERCENT) -> Threshold:
    return Threshold(Limit(kind, unit, Decimal(value)), Severity.WARNING)


def test_a_budget_is_looked_at_when_it_is_made(source: CostSource, admin: User) -> None:
    so_far = Reader(admin).answer(Question(MONTH)).total
    budget = budgets.create(given=given_input(), by=admin)
    found = budget.current
    assert found is not None
    assert (found.actual, found.period_start, budget.standing) == (so_far, MONTH.start, Standing.ON_TRACK)
    assert found.settled is not None
    assert found.expected is not None
    assert found.forecast is not None
    assert found.actual is not None
    assert (found.settled, found.actual, found.forecast) == (15_000, 18_000, 30_000)
    assert AuditEvent.objects.filter(action="budget.created").exists()


def test_its_figures_are_what_the_explorer_says(filled: CostSource, admin: User) -> None:
    report = Report(charge_types=(ChargeType.USAGE,)).with_values("service", [EC2])
    budget = budgets.create(given=given_input(report=report), by=admin)
    question = Question(MONTH, services=frozenset({EC2}), charge_types=frozenset({ChargeType.USAGE}))
    assert budget.current is not None
    assert budget.current.actual == Reader(admin).answer(question).total


@pytest.mark.parametrize("every", Every)
def test_every_period_is_the_calendars(source: CostSource, admin: User, every: Every) -> None:
    budget = budgets.create(given=given_input(every=every, start=date(2026, 10, 1)), by=admin)
    rows = selectors.periods(budget)
    assert all(row.period_start <= row.day < row.period_end or row.day == books.TODAY for row in rows)
    assert rows[0].period_start <= books.TODAY < rows[0].period_end
    if every is Every.MONTHLY:
        assert [row.title for row in rows] == ["November 2026", "October 2026"]
        assert rows[1].actual == Reader(admin).answer(Question(DayRange(date(2026, 10, 1), date(2026, 11, 1)))).total


def test_a_year_of_which_days_were_never_fetched_is_not_called_kept(source: CostSource, admin: User) -> None:
    budget = budgets.create(given=given_input(every=Every.YEARLY), by=admin)
    assert budget.standing == Standing.UNKNOWN
    assert "273 of its days were never fetched" in budget.reason
    over = budgets.create(given=given_input(name="small", amount=1, every=Every.YEARLY, thresholds=(at(100),)), by=admin)
    assert over.standing == Standing.OVER
    assert over.alerts.count() == 1


def test_what_was_reached_is_told_once_however_often_it_is_looked_at(source: CostSource, admin: User) -> None:
    thresholds = (at(50), at(100), at(10_000, unit=Unit.MONEY), at(100, Kind.FORECAST), at(900))
    budget = budgets.create(given=given_input(amount=100, thresholds=thresholds), by=admin)
    for _ in range(3):
        budget_evaluations.look_again()
        budget_evaluations.evaluate_due()
    fired = set(BudgetAlert.objects.values_list("threshold", flat=True))
    assert {"actual:percent:50", "actual:percent:100", "forecast:percent:100"} <= fired
    assert BudgetAlert.objects.count() == Alert.objects.count() == len(fired)
    assert Alert.objects.first().path == f"/budgets/{budget.pk}"  # type: ignore[union-attr]


def test_an_edit_arms_thresholds_again_and_a_new_name_does_not(source: CostSource, admin: User) -> None:
    budget = budgets.create(given=given_input(amount=100, thresholds=(at(50),)), by=admin)
    renamed = budgets.change(budget=budget, given=given_input("Other name", 100, thresholds=(at(50),)), by=admin)
    assert (renamed.revision, BudgetAlert.objects.count()) == (1, 1)
    changed = budgets.change(budget=budget, given=given_input(amount=101, thresholds=(at(50),)), by=admin)
    assert (changed.revision, BudgetAlert.objects.count()) == (2, 2)


def test_the_next_period_arms_them_too(source: CostSource, admin: User) -> None:
    budgets.create(given=given_input(amount=1, every=Every.DAILY, thresholds=(at(100),)), by=admin)
    first = BudgetAlert.objects.count()
    with time_machine.travel(books.NOW + timedelta(days=1), tick=False):
        books.store(source, Cube.TOTAL, books.answer({date(2026, 11, 19): {(): books.amounts(500)}}), at=books.NOW)
        budget_evaluations.look_again()
        budget_evaluations.evaluate_due()
    starts = list(BudgetAlert.objects.values_list("period_start", flat=True))
    assert len(starts) == len(set(starts)) == first + 1


def test_while_it_is_muted_it_is_noted_and_nobody_is_told(source: CostSource, admin: User) -> None:
    budget = budgets.create(given=given_input(), by=admin)
    budgets.mute(budget=budget, until=books.NOW + timedelta(days=2), by=admin)
    budgets.change(budget=budget, given=given_input(amount=100, thresholds=(at(50),)), by=admin)
    assert (BudgetAlert.objects.count(), Alert.objects.count()) == (1, 0)


def test_a_restatement_below_is_said_of_the_alert_and_repeats_nothing(source: CostSource, admin: User) -> None:
    today = books.TODAY
    so_far = Reader(admin).answer(Question(MONTH)).total or Decimal(0)
    limit = int(so_far) + 100
    budgets.create(given=given_input(amount=limit, thresholds=(at(100),)), by=admin)
    for amount, below, count in ((10_000, None, 1), (0, True, 1), (10_000, False, 1)):
        books.store(source, Cube.TOTAL, books.answer({today: {(): books.amounts(amount)}}))
        budget_evaluations.look_again()
        budget_evaluations.evaluate_due()
        assert BudgetAlert.objects.count() == count
        if below is not None:
            assert (BudgetAlert.objects.get().below_since is not None) == below


def test_what_stored_pairs_cannot_tell_is_refused_with_what_they_can(source: CostSource, admin: User) -> None:
    report = Report().with_values("service", [EC2]).with_values("region", ["eu-central-1"]).with_values("account", ["management"])
    with pytest.raises(NotStoredApart) as refused:
        budgets.create(given=given_input(report=report), by=admin)
    assert refused.value.offers
    assert "filters on" in refused.value.detail
    assert not Budget.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": " "},
        {"amount": 0},
        {"amount": "-1"},
        {"amount": "NaN"},
        {"thresholds": (at(0),)},
        {"thresholds": (at(80), at("80.0"))},
        {"thresholds": (at(1001),)},
        {"planned": ((date(2026, 11, 2), Decimal(1)),)},
        {"start": date(2026, 11, 1), "end": date(2026, 11, 1)},
    ],
)
def test_what_is_no_budget_is_refused(source: CostSource, admin: User, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidBudget):
        budgets.create(given=given_input(**wrong), by=admin)  # type: ignore[arg-type]


def test_a_planned_amount_counts_for_its_period_alone(source: CostSource, admin: User) -> None:
    planned = ((date(2026, 11, 1), Decimal(5)),)
    budget = budgets.create(given=given_input(planned=planned, start=date(2026, 10, 1)), by=admin)
    assert [(row.amount, row.standing) for row in selectors.periods(budget)] == [
        (5, Standing.OVER),
        (1_000_000, Standing.ON_TRACK),
    ]


# --- whose eyes


def person(name: str, role: Role, *sources: CostSource) -> User:
    user = User.objects.create_user(name, role=role)
    for one in sources:
        Grant.objects.create(user=user, account=one.account, role=Role.OPERATOR if role is Role.OPERATOR else Role.VIEWER)
    return user


def test_whoever_sees_all_of_its_accounts_sees_it_and_nobody_else(source: CostSource, admin: User) -> None:
    other = books.source("222222222222", "other")
    both, one, none = person("both", Role.VIEWER, source, other), person("one", Role.VIEWER, source), person("none", Role.VIEWER)
    budget = budgets.create(given=given_input("secret plan"), by=admin)
    narrow = budgets.create(given=given_input("narrow", report=Report().with_values("account", ["other"])), by=admin)
    assert {found.pk for found in selectors.visible(both)} == {budget.pk, narrow.pk}
    assert not selectors.visible(one).exists()
    assert not selectors.visible(none).exists()


def test_whose_owner_lost_an_account_cannot_be_evaluated_and_shows_them_nothing(source: CostSource, admin: User) -> None:
    owner = person("olga", Role.OPERATOR, source)
    budget = budgets.create(given=given_input(amount=100), by=owner)
    assert budget.standing == Standing.OVER
    owner.grants.all().delete()
    budget_evaluations.look_again()
    budget_evaluations.evaluate_due()
    seen = selectors.get_for(owner, budget.pk)
    assert (seen.standing, seen.is_hidden, selectors.periods(seen)) == (Standing.CANNOT, True, [])
    assert seen.reason == "olga may not see the costs of management any more."
    assert (seen.share, seen.current) == (None, None)
    taken = budgets.take_over(budget=budget, by=admin)
    assert (taken.standing, taken.owner_name) == (Standing.OVER, "admin" if admin.username == "admin" else admin.username)


@pytest.mark.parametrize("gone", ["deactivated", "deleted"])
def test_whose_owner_left_cannot_be_evaluated(source: CostSource, admin: User, gone: str) -> None:
    owner = person("olga", Role.OPERATOR, source)
    budget = budgets.create(given=given_input(), by=owner)
    if gone == "deleted":
        owner.delete()
    else:
        User.objects.filter(pk=owner.pk).update(is_active=False)
    budget_evaluations.look_again()
    budget_evaluations.evaluate_due()
    seen = selectors.get_for(admin, budget.pk)
    assert (seen.standing, seen.reason) == (Standing.CANNOT, "It counts with the rights of olga, who has left.")


def test_making_one_takes_the_right_on_every_account_that_it_covers(source: CostSource, admin: User) -> None:
    user = person("mixed", Role.OPERATOR, source)
    Grant.objects.filter(user=user).update(role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        budgets.create(given=given_input(), by=user)
    budget = budgets.create(given=given_input(), by=admin)
    with pytest.raises(NotAllowed):
        budgets.archive(budget=budget, by=user)


def test_an_archived_one_rests_until_it_is_restored(source: CostSource, admin: User) -> None:
    budget = budgets.create(given=given_input(), by=admin)
    budgets.archive(budget=budget, by=admin)
    BudgetEvaluation.objects.all().delete()
    budget_evaluations.look_again()
    assert budget_evaluations.evaluate_due() == 0
    assert budgets.restore(budget=budget, by=admin).current is not None


# --- many of them


def test_more_budgets_take_no_more_queries_for_each(source: CostSource, admin: User) -> None:
    def queries(count: int) -> int:
        budgets_now = Budget.objects.count()
        for number in range(budgets_now, count):
            Budget.objects.create(
                name=f"{number}",
                owner=admin,
                owner_name="admin",
                currency="USD",
                amount=Decimal(number + 1),
                start=date(2026, 11, 1),
            )
        budget_evaluations.look_again()
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert budget_evaluations.evaluate_due() == count
        return len(seen)

    queries(2)
    few, many = queries(4), queries(40)
    assert many - few <= 36 * 2  # what each has to read of facts; nothing else grows


# --- alerts are upward crossings


class AlertsAreCrossings(TestCase):
    """Whatever order, repetition and restatement."""

    @settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
    @given(st.lists(st.tuples(st.integers(0, 12), st.booleans()), min_size=1, max_size=8))
    def test_as_many_alerts_as_thresholds_that_the_highest_figure_reached(self, told: list[tuple[int, bool]]) -> None:
        with time_machine.travel(books.NOW, tick=False):
            user = User.objects.create_user("a", role=Role.ADMIN)
            source = books.source(MANAGEMENT, "management")
            thresholds = tuple(at(value, unit=Unit.MONEY) for value in (3, 6, 9))
            day = date(2026, 11, 14)
            books.store(source, Cube.TOTAL, books.answer({day: {(): books.amounts(0)}}))
            budgets.create(given=given_input(every=Every.MONTHLY, amount=10, thresholds=thresholds), by=user)
            highest = 0
            for amount, looked_at in told:
                books.store(source, Cube.TOTAL, books.answer({day: {(): books.amounts(amount)}}))
                if looked_at:
                    highest = max(highest, amount)
                    for _ in range(2):
                        budget_evaluations.look_again()
                        budget_evaluations.evaluate_due()
            assert BudgetAlert.objects.count() == sum(highest >= value for value in (3, 6, 9))
            assert Alert.objects.count() == BudgetAlert.objects.count()


def test_two_workers_at_once_tell_of_it_once(threads: Callable[..., None], admin: User) -> None:
    source = books.source(MANAGEMENT, "management")
    store_days(source, DayRange(date(2026, 11, 1), date(2026, 11, 19)), 10)
    for number in range(6):
        budgets.create(given=given_input(str(number)), by=admin)
    Budget.objects.update(amount=Decimal(100))
    for budget in Budget.objects.all():
        budget.thresholds.create(kind="actual", unit="percent", value=Decimal(50))
    budget_evaluations.look_again()

    def work() -> None:
        for _ in range(5):
            budget_evaluations.evaluate_due()
            budget_evaluations.look_again()

    threads(work, work)
    assert BudgetAlert.objects.count() == Alert.objects.count() == 6
