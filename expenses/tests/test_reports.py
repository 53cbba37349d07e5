"""Any grouping adds up to the whole, in each currency, to the last digit."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import combinations
from statistics import median

import pytest
from django.http import QueryDict
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from expenses.models import Expense
from expenses.rules import currencies
from expenses.rules.grouping import GroupBy
from expenses.selectors import expenses, filters, reports, total_spend
from expenses.selectors.expenses import ExpenseFilter
from expenses.services import workspaces
from expenses.services.expenses import build, insert
from expenses.services.inputs import ExpenseInput
from expenses.services.names import Names
from expenses.tests import books

NAMES = st.sampled_from(["", "A", "B", "Ä", "a b"])


@st.composite
def written(draw: st.DrawFn) -> ExpenseInput:
    code = draw(st.sampled_from(["USD", "JPY", "KWD"]))
    category = draw(st.sampled_from(["", "A", "B"]))
    return ExpenseInput(
        date=draw(st.dates(date(2025, 12, 25), date(2026, 2, 3))),
        cost=draw(st.integers(-(10**9), 10**9)) * currencies.smallest(code),
        currency=code,
        category=category,
        subcategory=draw(st.sampled_from(["", "x"])) if category else "",
        payee=draw(NAMES),
        payment_method=draw(NAMES),
        location=draw(NAMES),
        tags=tuple(draw(st.lists(st.sampled_from(["s", "t", "u"]), max_size=3))),
    )


@pytest.mark.django_db
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(written(), max_size=25))
def test_any_grouping_adds_up_to_the_whole(viewer: User, rows: list[ExpenseInput]) -> None:
    Expense.objects.all().delete()
    names = Names(workspaces.personal(viewer))
    insert([build(names=names, given=row, owner=viewer, source="manual") for row in rows])
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        sums[row.currency] += row.cost
    for group_by in [(one,) for one in GroupBy] + list(combinations(GroupBy, 2)):
        found = reports.report(viewer, ExpenseFilter(), group_by)
        added: defaultdict[str, Decimal] = defaultdict(Decimal)
        for group in found.groups:
            added[group.currency] += group.amount
        assert added == sums, group_by
        assert sum(group.count for group in found.groups) == len(rows)
        assert {one.currency: one.amount for one in found.totals} == sums


def test_of_two_groupings_the_second_is_in_order_within_the_first(viewer: User) -> None:
    for category, month, cost in (("A", 1, 5), ("A", 3, 1), ("B", 1, 3), ("B", 2, 4), ("A", 2, 2)):
        books.spend(viewer, category=category, subcategory="", date=date(2026, month, 1), cost=Decimal(cost))
    months = reports.report(viewer, ExpenseFilter(), [GroupBy.CATEGORY, GroupBy.MONTH]).groups
    assert [f"{one.labels[0]}{one.labels[1][:3]}" for one in months] == ["AJan", "AFeb", "AMar", "BJan", "BFeb"]
    one = total_spend.converted(viewer, ExpenseFilter(), [GroupBy.MONTH, GroupBy.CATEGORY], "USD").groups
    assert [f"{one.labels[0][:3]}{one.labels[1]}" for one in one] == ["JanA", "JanB", "FebB", "FebA", "MarA"]


@pytest.mark.django_db
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(written(), min_size=1, max_size=25))
def test_a_median_is_the_one_in_the_middle_and_a_drill_leads_to_the_rows_of_its_group(
    viewer: User, rows: list[ExpenseInput]
) -> None:
    Expense.objects.all().delete()
    names = Names(workspaces.personal(viewer))
    insert([build(names=names, given=row, owner=viewer, source="manual") for row in rows])
    for one in GroupBy:
        for group in reports.report(viewer, ExpenseFilter(), [one], medians_of=1000).groups:
            query = QueryDict(mutable=True)
            for name, value in [*reports.drill([one], group.keys), ("currency", group.currency)]:
                query.appendlist(name, value)
            rows_there = list(expenses.listed(viewer, filters.read(query, viewer)))
            assert len(rows_there) == group.count, (one, group.keys)
            assert group.median == median(row.cost for row in rows_there)
            assert group.amount == sum(row.cost for row in rows_there)


@pytest.mark.django_db
def test_sums_are_exact_beyond_what_a_float_holds(viewer: User) -> None:
    names = Names(workspaces.personal(viewer))
    costs = [Decimal("999999999999.99"), Decimal("0.01"), Decimal("-999999999999.98"), Decimal("0.10"), Decimal("0.20")]
    rows = [ExpenseInput(date=date(2026, 1, 1), cost=cost, currency="USD") for cost in costs]
    insert([build(names=names, given=row, owner=viewer, source="manual") for row in rows])
    assert expenses.totals(expenses.listed(viewer, ExpenseFilter()))[0].amount == Decimal("0.32")
