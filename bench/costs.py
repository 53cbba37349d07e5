"""How fast costs are read and stored with 100 accounts, 400 days and 30 services: 1.2 million facts on PostgreSQL.

Run it with `python -m bench.costs`. It makes a database of its own on the server that DATABASE_URL names, and drops it.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bench.aws_clients import Result

ACCOUNTS, DAYS, SERVICES = 100, 400, 30
REPEATS = 60
MAX_MILLISECONDS = 150
MAX_MILLISECONDS_LONG = 300  # thirteen months, or two spans of three months beside each other
MAX_QUERIES = 15
MIN_RATIO = 0.25
STORED_DAYS, STORED_SERVICES = 92, 100


@dataclass(frozen=True)
class Measured:
    """Times in milliseconds, storing in rows per second. Queries for all accounts and for one."""

    costs_p95: float
    costs_queries: tuple[int, int]
    overview_p95: float
    overview_queries: tuple[int, int]
    opened_p95: float
    opened_queries: tuple[int, int]
    explorer_p95: float
    explorer_queries: tuple[int, int]
    months_p95: float
    months_queries: tuple[int, int]
    changes_p95: float
    changes_queries: tuple[int, int]
    stored_rows: float
    copied_rows: float


def main() -> list[Result]:
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        reason = "left out: set DATABASE_URL to a PostgreSQL server where databases may be made"
        return [Result("reading and storing costs", reason, f"p95 < {MAX_MILLISECONDS} ms", kept=True)]
    with _database_of_its_own(url) as own:
        command = [sys.executable, "-m", "bench.costs", "measure"]
        environment = os.environ | {"DATABASE_URL": own, "REDIS_URL": "", "LOG_LEVEL": "WARNING"}
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return _table(Measured(**json.loads(told.splitlines()[-1])))


def _table(found: Measured) -> list[Result]:
    ratio = found.stored_rows / found.copied_rows
    return [
        _reading("GET /api/costs, 90 days by service", found.costs_p95, found.costs_queries),
        _reading("the overview page, GET /", found.overview_p95, found.overview_queries),
        _reading("the explorer page as it opens, 30 days against 30 by service", found.opened_p95, found.opened_queries),
        _reading(
            "the explorer page, 90 days against 90 by service",
            found.explorer_p95,
            found.explorer_queries,
            most=MAX_MILLISECONDS_LONG,
        ),
        _reading(
            "the explorer page, 13 months by account and service",
            found.months_p95,
            found.months_queries,
            most=MAX_MILLISECONDS_LONG,
        ),
        _reading("GET /api/costs/changes, 30 days against 30", found.changes_p95, found.changes_queries),
        Result(
            "storing a snapshot window beside a bare COPY of its rows into a table with the same keys",
            f"{found.stored_rows:,.0f} rows/s beside {found.copied_rows:,.0f} rows/s: {ratio:.2f}",
            f">= {MIN_RATIO}",
            ratio >= MIN_RATIO,
        ),
    ]


def _reading(name: str, p95: float, queries: tuple[int, int], most: int = MAX_MILLISECONDS) -> Result:
    every, one = queries
    return Result(
        f"{name}, {ACCOUNTS} accounts, {ACCOUNTS * DAYS * SERVICES:,} facts",
        f"p95 {p95:.0f} ms, {every} queries ({one} for one account)",
        f"< {most} ms, <= {MAX_QUERIES} queries, the same for one account",
        p95 < most and every <= MAX_QUERIES and every == one,
    )


@contextmanager
def _database_of_its_own(url: str) -> Iterator[str]:
    import psycopg

    name = f"cloudconsole_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def measure() -> Measured:
    """Fill the database and take the times. The process belongs to this alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    import cloudconsole.asgi  # noqa: F401 - the web process as it starts
    from bench import costs_data

    world = costs_data.fill(accounts=ACCOUNTS, days=DAYS, services=SERVICES)
    everybody, somebody = _client(world.everybody), _client(world.somebody)
    everybodys_browser, somebodys_browser = _browser(world.everybody), _browser(world.somebody)
    return Measured(
        **_of_page("opened", everybodys_browser, somebodys_browser, "/costs"),
        **_of_page("explorer", everybodys_browser, somebodys_browser, "/costs?range=90d"),
        **_of_page(
            "months", everybodys_browser, somebodys_browser, "/costs?range=13m&granularity=monthly&group_by=account,service"
        ),
        **_of_page("changes", everybodys_browser, somebodys_browser, "/api/costs/changes?span=30d"),
        costs_p95=_p95(lambda: _get_costs(everybody, world)),
        costs_queries=(_queries(lambda: _get_costs(everybody, world)), _queries(lambda: _get_costs(somebody, world))),
        **_of_page("overview", everybodys_browser, somebodys_browser, "/"),
        **_storing(world),
    )


def _client(user: Any) -> Any:
    from rest_framework.test import APIClient

    from accounts.tokens import AccessToken

    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {AccessToken.made_for(user)}")
    return client


def _browser(user: Any) -> Any:
    from django.test import Client

    browser = Client()
    browser.force_login(user)
    return browser


def _get_costs(client: Any, world: Any) -> None:
    answer = client.get("/api/costs", {"start": world.days[-90], "end": world.end, "group_by": "service"}, HTTP_HOST="localhost")
    if answer.status_code != 200:
        raise SystemExit(answer.content.decode())


def _of_page(name: str, everybodys: Any, somebodys: Any, address: str) -> dict[str, Any]:
    """The time and the queries of a page, under the names of Measured."""
    return {
        f"{name}_p95": _p95(lambda: _get(everybodys, address)),
        f"{name}_queries": (_queries(lambda: _get(everybodys, address)), _queries(lambda: _get(somebodys, address))),
    }


def _get(browser: Any, address: str) -> None:
    answer = browser.get(address, HTTP_HOST="localhost")
    if answer.status_code != 200:
        raise SystemExit(answer.content.decode())


def _p95(work: Callable[[], object]) -> float:
    for _ in range(5):
        work()
    return quantiles([_milliseconds(work) for _ in range(REPEATS)], n=20)[-1]


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _queries(work: Callable[[], object]) -> int:
    """Of a page in the middle of a session: the first one also writes the session's start."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    work()
    with CaptureQueriesContext(connection) as captured:
        work()
    return len(captured)


def _storing(world: Any) -> dict[str, Any]:
    """Rows per second, taken in turns so that both meet the same machine."""
    from bench import costs_data

    window = costs_data.window(world, days=STORED_DAYS, services=STORED_SERVICES)
    stored, copied = [], []
    for _ in range(9):
        stored.append(window.size / _milliseconds(window.store) * 1000)
        window.empty()
        copied.append(window.size / _milliseconds(window.copy) * 1000)
    return {"stored_rows": median(stored), "copied_rows": median(copied)}


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(asdict(measure())))
    else:
        for result in main():
            print(f"{'kept  ' if result.kept else 'BROKEN'} {result.name}: {result.measured} (promised: {result.promised})")
