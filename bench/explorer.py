"""How fast the explorer answers over half a million, two and five million facts, and over the bills of three payers.

Run it with `python -m bench.explorer`. It makes databases of its own on the server that DATABASE_URL names, and drops them.
Beside each set of questions stands the same question in bare SQL on the facts: what it would cost without sums over sources.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from bench.aws_clients import Result
from bench.costs import _browser, _database_of_its_own, _get, _milliseconds, _queries

REPEATS = 30
LIMITS = {"13m": 300, "90d": 150}
OVERVIEW_LIMIT = 150
MOST_GROWTH = 1.5
_SERVICE = "&service=Amazon+Service+003"
GROUPINGS = (
    "none",
    "service",
    "account",
    "region",
    "record_type",
    "usage_type",
    "service,account",
    "account,service",
    "service,record_type",
    "account,record_type",
    "region,service",
    "service,usage_type",
)
QUESTIONS = (
    *(f"group_by={grouping}" for grouping in GROUPINGS),
    *(f"granularity=monthly&group_by={grouping}" for grouping in ("service", "account,service", "usage_type")),
    *(f"group_by={grouping}{_SERVICE}" for grouping in ("account", "region", "record_type", "usage_type")),
    "group_by=service&charge_type=usage",
    "group_by=account&charge_type=usage",
    "group_by=service&metric=net_amortized",
    "group_by=account,service&metric=net_unblended",
    "group_by=account&top=50",
)


@dataclass(frozen=True)
class Asked:
    """One question: the p95 and the median of its page's times in milliseconds, its queries and the rows they read.

    The last two do not depend on what else the machine does.
    """

    name: str
    p95: float
    median: float
    queries: int
    rows: int


@dataclass(frozen=True)
class Measured:
    """One load. `bare` is the time of the plainest question, thirteen months of days by service, in SQL on the facts."""

    facts: int
    overview: Asked
    everybody: list[Asked]
    somebody: list[Asked]
    bare: float


def main() -> list[Result]:
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        reason = "left out: set DATABASE_URL to a PostgreSQL server where databases may be made"
        return [Result("the explorer", reason, f"p95 < {LIMITS['13m']} ms", kept=True)]
    single, payers = _measured_on(url, "single"), _measured_on(url, "payers")
    results = [result for found in single for result in _table(found, "single accounts")]
    results += [result for found in payers for result in _table(found, "members of payers")]
    return [*results, _growth(single)]


def _measured_on(url: str, kind: str) -> list[Measured]:
    with _database_of_its_own(url) as own:
        command = [sys.executable, "-m", "bench.explorer", kind]
        environment = os.environ | {"DATABASE_URL": own, "REDIS_URL": "", "LOG_LEVEL": "WARNING"}
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return [_read(one) for one in json.loads(told.splitlines()[-1])]


def _read(told: dict[str, Any]) -> Measured:
    lists = {name: [Asked(**one) for one in told[name]] for name in ("everybody", "somebody")}
    return Measured(facts=told["facts"], overview=Asked(**told["overview"]), bare=told["bare"], **lists)


def _table(found: Measured, kind: str) -> list[Result]:
    load = f"{found.facts:,} facts of {kind}"
    results = [_result(f"the overview, {load}", [found.overview], OVERVIEW_LIMIT, found.bare)]
    for who, asked in (("all accounts", found.everybody), ("three accounts", found.somebody)):
        for span, limit in LIMITS.items():
            inside = [one for one in asked if f"range={span}" in one.name]
            results.append(_result(f"{len(inside)} explorer pages over {span} of {who}, {load}", inside, limit, found.bare))
    return results


def _result(name: str, asked: list[Asked], limit: int, bare: float) -> Result:
    slowest = max(asked, key=lambda one: one.p95)
    usual = median(one.median for one in asked)
    beside = f"usual {usual:.0f} ms, {usual / bare:.2f} of bare SQL's {bare:.0f} ms"
    most = max(one.rows for one in asked)
    measured = f"slowest p95 {slowest.p95:.0f} ms ({slowest.name}), {beside}; at most {most:,} rows read"
    return Result(name, measured, f"p95 < {limit} ms", slowest.p95 < limit)


def _growth(found: list[Measured]) -> Result:
    """What ten times as many facts cost those who see all."""
    (few, fewer), (many, more) = (_usual(load.everybody) for load in (found[0], found[-1]))
    return Result(
        f"the usual explorer page of all accounts over {found[-1].facts:,} facts beside {found[0].facts:,}",
        f"{many / few:.2f} of the time, {more / fewer:.2f} of the rows read",
        f"<= {MOST_GROWTH}",
        max(many / few, more / fewer) <= MOST_GROWTH,
    )


def _usual(asked: list[Asked]) -> tuple[float, float]:
    return median(one.median for one in asked), median(one.rows for one in asked)


def measure(kind: str) -> list[Measured]:
    """Fill the database step by step and take the times at each. The process belongs to this alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    import cloudconsole.asgi  # noqa: F401 - the web process as it starts
    from bench import explorer_data

    world = explorer_data.World(payers=kind == "payers")
    found = []
    for more in (3,) if world.payers else (10, 30, 60):
        world.grow(more)
        found.append(_of(world))
    return found


def _of(world: Any) -> Measured:
    everybody, somebody = _browser(world.everybody), _browser(world.somebody)
    pages = [f"/costs?range={span}&{question}" for span in LIMITS for question in QUESTIONS]
    return Measured(
        facts=world.facts,
        overview=_asked(everybody, "/"),
        everybody=[_asked(everybody, page) for page in pages],
        # Who sees a few members of a payer is refused what no cube tells by account.
        somebody=[_asked(somebody, page) for page in pages if not world.payers or _is_told_by_account(page)],
        bare=median(_milliseconds(world.ask_bare) for _ in range(5)),
    )


def _is_told_by_account(page: str) -> bool:
    return not any(word in page for word in ("region", "usage_type", "service,record_type", "charge_type", "record_type&service"))


def _asked(browser: Any, page: str) -> Asked:
    for _ in range(2):
        _get(browser, page)
    times = [_milliseconds(lambda: _get(browser, page)) for _ in range(REPEATS)]
    before = _rows_read()
    _get(browser, page)
    rows = _rows_read() - before
    # Of few values the other method takes the slowest for the p95, or goes beyond it.
    p95 = quantiles(times, n=20, method="inclusive")[-1]
    return Asked(page, p95, median(times), _queries(lambda: _get(browser, page)), rows)


def _rows_read() -> int:
    """Of all tables and indexes so far, by the server's own count."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(
            "SELECT (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes) + (SELECT sum(seq_tup_read) FROM pg_stat_user_tables)"
        )
        row = cursor.fetchone()
    return int(row[0])


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps([asdict(one) for one in measure(sys.argv[1])]))
    else:
        for result in main():
            print(f"{'kept  ' if result.kept else 'BROKEN'} {result.name}: {result.measured} (promised: {result.promised})")
