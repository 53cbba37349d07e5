"""How fast a workspace of a million expenses on PostgreSQL, and of a hundred thousand on SQLite, answers its pages.

Run it with `python -m bench.expenses`, or with a number of expenses for a smaller load. It makes databases of its own and drops
them. Beside the pages stands the plainest of their questions in bare SQL.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.aws_clients import Result
from bench.costs import _browser, _database_of_its_own, _get, _milliseconds, _queries

REPEATS = 15
SIZES = {"PostgreSQL": 1_000_000, "SQLite": 100_000}
LIST_LIMIT, REPORT_LIMIT = 150, 300
CHUNK = 5_000
DAYS = 1_825
FIRST = date(2022, 1, 1)
LISTS = {
    "the list": "",
    "a category": "?category={category}",
    "a payee": "?payee=Payee+0123",
    "a tag": "?tag=tag+7",
    "a rare word": "?search=rare0001",
    "a common word": "?search=common",
    "two words": "?search=payee+0456",
    "one month": "?start=2024-05-01&until=2024-05-31",
    "by cost": "?ordering=-cost",
    "a month by cost": "?ordering=-cost&start=2024-05-01&until=2024-05-31",
}
# Of somebody who is in a second workspace, a small one: what the API lists without naming one.
SHARED = {"two workspaces": "", "two workspaces by cost": "?ordering=-cost"}
SHARE = 100

REPORTS = {
    "a year by month": "?group_by=month&start=2025-01-01&end=2026-01-01",
    "a year by category": "?group_by=category&start=2025-01-01&end=2026-01-01",
    "a year by category and month": "?group_by=category&group_by=month&start=2025-01-01&end=2026-01-01",
}
BARE_LIST = "SELECT * FROM expenses_expense WHERE workspace_id = %s AND deleted_at IS NULL ORDER BY date DESC, id DESC LIMIT 51"
BARE_REPORT = (
    "SELECT category_id, currency, count(*), sum(cost) FROM expenses_expense WHERE workspace_id = %s AND deleted_at IS NULL "
    "AND date >= '2025-01-01' AND date < '2026-01-01' GROUP BY category_id, currency"
)


@dataclass(frozen=True)
class Asked:
    """One page: the p95 of its times in milliseconds, and its queries."""

    name: str
    p95: float
    queries: int


@dataclass(frozen=True)
class Measured:
    """One load. The bare times are p95 as well."""

    expenses: int
    lists: list[Asked]
    reports: list[Asked]
    bare_list: float
    bare_report: float


def main(size: int = 0) -> list[Result]:
    results = _table("SQLite", _on_sqlite(size or SIZES["SQLite"]))
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        reason = "left out: set DATABASE_URL to a PostgreSQL server where databases may be made"
        return [*results, Result("a million expenses on PostgreSQL", reason, f"p95 < {LIST_LIMIT} ms", kept=True)]
    with _database_of_its_own(url) as own:
        return [*results, *_table("PostgreSQL", _measured(own, size or SIZES["PostgreSQL"]))]


def _on_sqlite(size: int) -> Measured:
    with tempfile.TemporaryDirectory() as folder:
        return _measured(f"sqlite:///{Path(folder) / 'expenses.sqlite3'}", size)


def _measured(url: str, size: int) -> Measured:
    command = [sys.executable, "-m", "bench.expenses", "measure", str(size)]
    environment = os.environ | {"DATABASE_URL": url, "REDIS_URL": "", "LOG_LEVEL": "WARNING"}
    told = json.loads(
        subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout.splitlines()[-1]
    )
    asked = {name: [Asked(**one) for one in told[name]] for name in ("lists", "reports")}
    return Measured(told["expenses"], asked["lists"], asked["reports"], told["bare_list"], told["bare_report"])


def _table(database: str, found: Measured) -> list[Result]:
    load = f"{found.expenses:,} expenses on {database}"
    return [
        _result(f"{len(found.lists)} lists, searches and pages, {load}", found.lists, LIST_LIMIT, found.bare_list),
        _result(f"{len(found.reports)} reports, {load}", found.reports, REPORT_LIMIT, found.bare_report),
    ]


def _result(name: str, asked: list[Asked], limit: int, bare: float) -> Result:
    slowest = max(asked, key=lambda one: one.p95)
    each = ", ".join(f"{one.name} {one.p95:.0f}" for one in asked)
    measured = f"slowest p95 {slowest.p95:.0f} ms ({slowest.name}); bare SQL {bare:.0f} ms; each: {each}"
    return Result(name, measured, f"p95 < {limit} ms", slowest.p95 < limit)


# --- in a process of its own


def measure(size: int) -> Measured:
    """Fill the database and take the times."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    import cloudconsole.asgi  # noqa: F401 - the web process as it starts
    from accounts.models import User
    from expenses.models import Category
    from expenses.services import workspaces

    user = User.objects.create_user("bench", "bench@example.com", None)
    workspace = workspaces.personal(user)
    _fill(user, workspace, size)
    _fill(user, workspaces.create(name="Shared", currency="USD", needs_approval=False, by=user), SHARE)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    browser = _browser(user)
    category = Category.objects.filter(workspace=workspace, parent=None).order_by("pk")[0].pk
    lists = [_asked(browser, name, f"/expenses{query.format(category=category)}") for name, query in LISTS.items()]
    lists.append(_asked(browser, "far down", f"/expenses{_far_down(user, workspace)}"))
    lists += [_asked(browser, name, f"/api/expenses{query}") for name, query in SHARED.items()]
    reports = [_asked(browser, name, f"/expenses/report{query}") for name, query in REPORTS.items()]
    return Measured(size, lists, reports, _bare(BARE_LIST, workspace.pk), _bare(BARE_REPORT, workspace.pk))


def _fill(user: Any, workspace: Any, size: int) -> None:
    from expenses.services.expenses import insert
    from expenses.services.names import Names

    names, chance = Names(workspace), random.Random(7)
    for start in range(0, size, CHUNK):
        insert([_made(names, user, chance, at) for at in range(start, min(start + CHUNK, size))])


def _made(names: Any, user: Any, chance: random.Random, at: int) -> Any:
    from expenses.services.expenses import build
    from expenses.services.inputs import ExpenseInput

    given = ExpenseInput(
        date=FIRST + timedelta(days=chance.randrange(DAYS)),
        cost=Decimal(chance.randrange(100, 100_000)) / 100,
        currency="EUR" if at % 10 == 0 else "USD",
        category=f"Category {at % 12}",
        subcategory=f"Part {at % 60}" if at % 3 else "",
        payee=f"Payee {chance.randrange(2_000):04}",
        payment_method=f"Card {at % 4}",
        description=f"common words of {at % 97}" + (" rare0001" if at % 50_000 == 1 else ""),
        tags=(f"tag {at % 40}",) if at % 2 else (),
    )
    return build(names=names, given=given, owner=user, source="import:bench")


def _far_down(user: Any, workspace: Any) -> str:
    """The page of the list after four fifths of it."""
    from expenses.models import Expense
    from expenses.selectors import keysets

    found = Expense.objects.kept().filter(workspace=workspace)
    row = found.newest_first()[found.count() * 4 // 5]
    return f"?cursor={keysets.cursor_after(row)}"


def _asked(browser: Any, name: str, address: str) -> Asked:
    return Asked(name, _p95(lambda: _get(browser, address)), _queries(lambda: _get(browser, address)))


def _bare(sql: str, workspace: int) -> float:
    from django.db import connection

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql, [workspace])
            cursor.fetchall()

    return _p95(ask)


def _p95(work: Any) -> float:
    for _ in range(3):
        work()
    return quantiles([_milliseconds(work) for _ in range(REPEATS)], n=20)[-1]


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps(asdict(measure(int(sys.argv[2])))))
    else:
        for result in main(int(sys.argv[1]) if len(sys.argv) > 1 else 0):
            print(f"{result.name}\n  {result.measured}\n  {result.promised}: {'kept' if result.kept else 'BROKEN'}")
