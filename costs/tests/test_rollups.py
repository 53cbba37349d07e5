"""Sums over all sources: whatever happened before, an answer from them is the answer from the facts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import product
from threading import Thread

import pytest
import time_machine
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from accounts.models import Grant, User
from cloudconsole.aws.cost_explorer import Amounts, Metric
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Role
from costs.models import BillingScope, CostFact, CostSource, RollupMark
from costs.rules import rollups as rules
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange, first_of_month
from costs.selectors import costs
from costs.selectors.questions import Answer, Granularity, Question
from costs.services import facts, rollups, shelf
from costs.tests import books

RANGE = DayRange(date(2026, 10, 26), date(2026, 11, 6))
DAYS = books.days_of(RANGE)
# Those whose questions differ: without accounts, with accounts, and by pairs.
CUBES = (Cube.TOTAL, Cube.SERVICE_RECORD_TYPE, Cube.ACCOUNT_SERVICE, Cube.ACCOUNT_RECORD_TYPE)
# Two payers, each with a member of its own, and three single accounts. Both payers bill the last account.
NUMBERS = ("411111111111", "422222222222", "433333333333", "444444444444", "455555555555")
SCOPES = (BillingScope.PAYER, BillingScope.PAYER, *(BillingScope.STANDALONE,) * 3)
NAMES: dict[Dimension, tuple[str, ...]] = {
    Dimension.SERVICE: ("EC2", "S3", "Support"),
    Dimension.RECORD_TYPE: ("Usage", "Credit", "Tax"),
}
GROUPED: dict[Dimension, tuple[str, ...]] = {**NAMES, Dimension.ACCOUNT: (*NUMBERS, "499999999999")}


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


class World:
    """Sources without costs, people who see all, some and one of them, and everything that may happen."""

    def __init__(self) -> None:
        self.sources = [
            books.source(number, f"account-{number[0:2]}", scope) for number, scope in zip(NUMBERS, SCOPES, strict=True)
        ]
        everybody = User.objects.create_user("everybody", "everybody@example.com", None, role=Role.ADMIN)
        some = User.objects.create_user("some", "some@example.com", None, role=Role.VIEWER)
        one = User.objects.create_user("one", "one@example.com", None, role=Role.VIEWER)
        self.people = (everybody, some, one)
        Grant.objects.bulk_create(Grant(user=some, account=source.account, role=Role.VIEWER) for source in self.sources[1:])
        Grant.objects.create(user=one, account=self.sources[4].account, role=Role.VIEWER)

    def replace(self, number: int, first: int, length: int, seed: int) -> None:
        """All cubes of some days, in which every seed tells other groups."""
        source = self.sources[number]
        days = DAYS[first : first + length]
        for cube in CUBES:
            told = {day: self._groups(source, cube, day, seed) for day in days}
            books.store(source, cube, books.answer(told, currency="EUR" if seed == 7 and number == 2 else "USD"))

    def _groups(self, source: CostSource, cube: Cube, day: date, seed: int) -> dict[tuple[str, ...], Amounts]:
        if cube is Cube.TOTAL:
            return {(): books.amounts(Decimal(1000 + seed))}
        keys = list(product(*(self._values(source, dimension) for dimension in cube.shape)))
        return {
            key: _amounts(place * 7 + seed + day.day)
            for place, key in enumerate(keys)
            if (place + seed + day.toordinal()) % 3 or place == 0
        }

    def _values(self, source: CostSource, dimension: Dimension) -> tuple[str, ...]:
        if dimension is not Dimension.ACCOUNT:
            return NAMES[dimension]
        own = source.account.account_id
        return (own, NUMBERS[4], "499999999999") if source.scope == BillingScope.PAYER else (own,)

    def fail(self, number: int, first: int) -> None:
        """A window whose transaction does not reach its end."""
        with pytest.raises(facts.UnstorableAmount):
            books.store(
                self.sources[number],
                Cube.TOTAL,
                books.answer({DAYS[first]: {(): books.amounts("1E+20")}}),
            )

    def roll_back(self, number: int, first: int) -> None:
        with transaction.atomic():
            self.replace(number, first, 2, 3)
            transaction.set_rollback(True)

    def cover(self, number: int, payer: int | None) -> None:
        CostSource.objects.filter(pk=self.sources[number].pk).update(
            covered_by=None if payer is None else self.sources[payer],
            scope=BillingScope.STANDALONE if payer is None else BillingScope.MEMBER,
        )

    def put_aside(self, number: int, month: int) -> None:
        """As when a billing file tells the month."""
        shelf.shelve(source=self.sources[number], month=date(2026, month, 1))

    def bring_back(self, number: int, month: int) -> None:
        shelf.unshelve(source=self.sources[number], month=date(2026, month, 1))

    def disconnect(self, number: int, *, is_gone: bool) -> None:
        account = self.sources[number].account
        type(account).objects.filter(pk=account.pk).update(deleted_at=clock.now() if is_gone else None)

    def purge(self, number: int) -> None:
        """Its rows are gone for good, as by a person in the database's own shell of the product."""
        source = CostSource.objects.filter(pk=self.sources[number].pk).first()
        if source:
            source.delete()
            account = self.sources[number].account
            self.sources[number] = CostSource.objects.create(
                account=account, scope=SCOPES[number], status="ok", fresh_at=books.NOW, backfilled_from=date(2025, 10, 1)
            )


def _amounts(number: int) -> Amounts:
    base = Decimal(number) / 8 - 3
    return Amounts(base, base + 1, base + Decimal("0.000000000001"), base - 1, base * 2)


actions = st.one_of(
    st.tuples(st.just("replace"), st.integers(0, 4), st.integers(0, len(DAYS) - 1), st.integers(1, 4), st.integers(0, 7)),
    st.tuples(st.just("replace"), st.integers(0, 4), st.just(0), st.just(len(DAYS)), st.integers(0, 7)),
    st.tuples(st.just("catch_up")),
    st.tuples(st.just("fail"), st.integers(0, 4), st.integers(0, len(DAYS) - 1)),
    st.tuples(st.just("roll_back"), st.integers(0, 4), st.integers(0, len(DAYS) - 1)),
    st.tuples(st.just("cover"), st.integers(2, 4), st.sampled_from([0, 1, None])),
    st.tuples(st.just("disconnect"), st.integers(0, 4), st.booleans()),
    st.tuples(st.just("purge"), st.integers(0, 4)),
    st.tuples(st.sampled_from(["put_aside", "bring_back"]), st.integers(0, 4), st.sampled_from([10, 11])),
)


@st.composite
def asked(draw: st.DrawFn) -> Question:
    start = draw(st.one_of(st.integers(0, RANGE.days - 1), st.integers(-40, -1)))  # also from before anything is stored
    first = RANGE.start + timedelta(days=start)
    group_by = tuple(draw(st.lists(st.sampled_from([*GROUPED]), max_size=2, unique=True)))
    told, is_folded = None, draw(st.booleans())
    if group_by and is_folded:
        told = frozenset(draw(st.sets(st.sampled_from(GROUPED[group_by[0]]), max_size=2)))
    return Question(
        days=DayRange(first, first + timedelta(days=draw(st.integers(1, RANGE.days - start)))),
        granularity=draw(st.sampled_from(Granularity)),
        group_by=group_by,
        metric=draw(st.sampled_from(Metric)),
        charge_types=frozenset(draw(st.sets(st.sampled_from([ChargeType.USAGE, ChargeType.TAX]), max_size=1))),
        services=frozenset(draw(st.sets(st.sampled_from(NAMES[Dimension.SERVICE]), max_size=1))),
        told=told,
    )


def told_by(reader: costs.Reader, question: Question) -> Answer | tuple[Answer, ...] | str:
    try:
        return reader.by_currency(question)
    except CloudconsoleError as error:
        return error.code


def from_facts(user: User, question: Question) -> Answer | tuple[Answer, ...] | str:
    """With nothing summed, in a transaction that is taken back."""
    with transaction.atomic():
        rollups.forget()
        found = told_by(costs.Reader(user), question)
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
@settings(
    max_examples=8,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # a failing example is short enough
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(happened=st.lists(actions, min_size=3, max_size=9), questions=st.lists(asked(), min_size=6, max_size=6))
def test_an_answer_from_sums_is_the_answer_from_facts(happened: list[tuple[object, ...]], questions: list[Question]) -> None:
    with transaction.atomic():
        world = World()
        for number in range(5):
            world.replace(number, 0, len(DAYS), number)
        rollups.catch_up()
        for name, *arguments in happened:
            _do(world, str(name), *arguments)
        for question, user in product(questions, world.people):
            answer = told_by(costs.Reader(user), question)
            assert answer == from_facts(user, question)
            _check_adds_up(answer)
        for user in world.people:
            _check_together(user, questions)
        transaction.set_rollback(True)


def _check_together(user: User, questions: list[Question]) -> None:
    """Read in one query, questions have the answers that they have alone."""
    told = [question for question in questions if not isinstance(told_by(costs.Reader(user), question), str)]
    reader = costs.Reader(user)
    reader.prepare(*told, around=told)
    for question in told:
        chosen = replace(question, currency="USD")
        assert reader.answer(chosen) == costs.Reader(user).answer(chosen)


def _do(world: World, name: str, *arguments: object) -> None:
    match name, arguments:
        case "catch_up", ():
            rollups.catch_up()
        case "disconnect", (int(number), bool(is_gone)):
            world.disconnect(number, is_gone=is_gone)
        case _:
            getattr(world, name)(*arguments)


def _check_adds_up(answers: Answer | tuple[Answer, ...] | str) -> None:
    for answer in answers if isinstance(answers, tuple) else ():
        for period in answer.periods:
            if period.total is not None and answer.question.group_by:
                assert period.total == costs.add([*(group.amount for group in period.groups), period.residual])


# --- which days are read from sums

ranges = st.builds(
    lambda start, length: DayRange(start, start + timedelta(days=length)),
    st.dates(date(2026, 1, 1), date(2026, 6, 1)),
    st.integers(1, 90),
)


@given(days=ranges, summed=st.sets(st.integers(1, 12)), marked=st.lists(ranges, max_size=3))
def test_every_day_is_read_once_and_from_sums_only_where_they_hold(
    days: DayRange, summed: set[int], marked: list[DayRange]
) -> None:
    cut = rules.by_days([days], is_summed=lambda month: month.month in summed, marked=marked)
    from_sums = [day for piece in cut.summed for day in books.days_of(piece)]
    from_facts = [day for piece in cut.others for day in books.days_of(piece)]
    assert sorted(from_sums + from_facts) == books.days_of(days)
    for day in books.days_of(days):
        holds = day.month in summed and not any(mark.start <= day < mark.end for mark in marked)
        assert (day in from_sums) == holds


@given(months=st.integers(1, 6), summed=st.sets(st.integers(1, 12)), marked=st.lists(ranges, max_size=2))
def test_a_month_with_a_marked_day_is_read_from_its_own_sums(months: int, summed: set[int], marked: list[DayRange]) -> None:
    whole = DayRange(date(2026, 1, 1), first_of_month(date(2026, 1, 1), months=months))
    cut = rules.by_months(whole, is_summed=lambda month: month.month in summed, marked=marked)
    from_sums = [day for piece in cut.summed for day in books.days_of(piece)]
    assert sorted(from_sums + [day for piece in cut.others for day in books.days_of(piece)]) == books.days_of(whole)
    assert all(day.month in summed for day in from_sums)
    assert not any(mark.start <= day < mark.end for mark in marked for day in from_sums)


# --- several at once


@pytest.mark.django_db(transaction=True)
def test_writers_and_summing_workers_at_once_leave_sums_of_the_facts() -> None:
    if connection.vendor == "sqlite":
        pytest.skip("SQLite tests run in memory, where threads share one lock; PostgreSQL tests prove it")
    world = World()
    failed: list[BaseException] = []
    for number in range(5):
        world.replace(number, 0, 3, number)

    def replace(number: int) -> None:
        for seed in range(4):
            world.replace(number, seed, 4, seed)

    def catch_up(_: int) -> None:
        for _ in range(4):
            rollups.catch_up()

    _at_once([(replace, 0), (replace, 1), (replace, 4), (catch_up, 0), (catch_up, 1)], failed)
    assert not failed
    question = Question(RANGE, Granularity.DAILY, (Dimension.SERVICE,))
    assert told_by(costs.Reader(world.people[0]), question) == from_facts(world.people[0], question)
    rollups.catch_up()
    assert not RollupMark.objects.exists()
    assert told_by(costs.Reader(world.people[0]), question) == from_facts(world.people[0], question)


def _at_once(work: list[tuple[Callable[[int], None], int]], failed: list[BaseException]) -> None:
    def do(one: Callable[[int], None], number: int) -> None:
        try:
            one(number)
        except DatabaseError as error:
            failed.append(error)
        finally:
            connection.close()

    workers = [Thread(target=do, args=one) for one in work]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


# --- what is read


@pytest.mark.django_db
def test_everybodys_costs_are_read_from_sums_and_what_changed_since_from_facts() -> None:
    world = World()
    for number in (2, 3, 4):
        world.replace(number, 0, len(DAYS), number)
    assert rollups.is_behind()
    rollups.catch_up()
    assert not rollups.is_behind()
    question = Question(RANGE, Granularity.DAILY, (Dimension.SERVICE,))
    before = told_by(costs.Reader(world.people[0]), question)
    CostFact.objects.all().delete()  # as only this test may
    assert told_by(costs.Reader(world.people[0]), question) == before
    world.replace(2, 3, 1, 5)
    assert rollups.is_behind()
    told = costs.Reader(world.people[0]).answer(question)
    # Of the day that changed only the new facts are left; the others are told as they were.
    left = CostFact.objects.filter(cube=Cube.SERVICE_RECORD_TYPE).values_list("unblended", flat=True)
    assert costs.add(group.amount for group in told.periods[3].groups) == costs.add(left)
    assert isinstance(before, tuple)
    assert told.periods[4:] == before[0].periods[4:]
