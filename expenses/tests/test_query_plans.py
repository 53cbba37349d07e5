"""That lists, searches and reports walk the index made for them: how the databases themselves say they would go about it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from cloudconsole.core.permissions import Role
from conftest import Storing
from expenses.models import Expense
from expenses.rules.grouping import GroupBy
from expenses.selectors import expenses, keysets, reports
from expenses.selectors.expenses import ExpenseFilter
from expenses.services import workspaces
from expenses.services.expenses import build, insert
from expenses.services.names import Names
from expenses.tests import books

LAST = date(2026, 12, 31)
MONTH = ExpenseFilter(start=date(2026, 6, 1), end=date(2026, 7, 1))
SQLITE = connection.vendor == "sqlite"


@pytest.fixture(scope="module")
def stored(stored_once: Storing) -> int:
    """Five days' expenses each day for three years, so that it matters which way is taken."""
    with stored_once():
        reader = User.objects.create_user("reader", role=Role.VIEWER)
        names = Names(workspaces.personal(reader))
        days = [LAST - timedelta(days=number // 5) for number in range(5_000)]
        given = [books.given(date=day, payee=f"Payee {number}") for number, day in enumerate(days)]
        insert([build(names=names, given=one, owner=reader, source="manual") for one in given])
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        return reader.pk


@pytest.fixture
def reader(stored: int, db: None) -> User:
    return User.objects.get(pk=stored)


def plan(rows: QuerySet[Expense, Any]) -> str:
    return rows.explain()


def in_order(told: str) -> bool:
    """No row is read that is not shown: the index has the order of the list."""
    return "TEMP B-TREE" not in told and "Sort" not in told


@pytest.mark.parametrize("at_most", [1, 51])
def test_a_list_is_a_stretch_of_its_index(reader: User, at_most: int) -> None:
    told = plan(expenses.listed(reader, ExpenseFilter(workspaces=(workspaces.personal(reader).pk,))).newest_first()[:at_most])
    assert "expense_list" in told or "expense_words" in told
    assert in_order(told)


def test_of_several_workspaces_no_row_is_read_that_is_not_shown(reader: User) -> None:
    both = (workspaces.personal(reader).pk, books.shared(reader).pk)
    with CaptureQueriesContext(connection) as asked:
        page = keysets.page(expenses.listed(reader, ExpenseFilter(workspaces=both)), size=50, workspaces=both)
    assert len(page.rows) == 50
    [of_the_large] = [one["sql"] for one in asked if re.search(rf"workspace_id\W+= {both[0]}\b.* LIMIT 51", one["sql"])]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {'QUERY PLAN ' if SQLITE else ''}{of_the_large}")
        assert "expense_list" in str(cursor.fetchall())


def test_a_page_far_down_begins_where_the_last_one_ended(reader: User) -> None:
    found = expenses.listed(reader, ExpenseFilter())
    cursor = keysets.cursor_after(found.newest_first()[20])
    page = keysets.page(found, ordering=keysets.NEWEST, cursor=cursor, size=5)
    assert len(page.rows) == 5
    assert {one.date for one in page.rows} <= {LAST - timedelta(days=4), LAST - timedelta(days=5)}
    assert in_order(plan(found.filter(date__lte=LAST - timedelta(days=400)).newest_first()[:6]))


def test_a_search_reads_the_index_of_words_alone(reader: User) -> None:
    told = plan(expenses.listed(reader, ExpenseFilter(search="paye 4711")).newest_first()[:51])
    assert ("expense_words" if SQLITE else "expense_searched") in told


@pytest.mark.parametrize("group", [GroupBy.MONTH, GroupBy.CATEGORY])
def test_a_report_reads_a_stretch_of_days(reader: User, group: GroupBy) -> None:
    keyed, names = reports.keyed(expenses.listed(reader, MONTH), [group])
    told = plan(reports.summed(keyed, names))
    by_day = ("expense_report", "expense_words", "expense_list")  # SQLite takes any of them
    assert any(index in told for index in (by_day if SQLITE else by_day[:1]))
