"""How fast the statistics and the request log answer: a million requests of a month on PostgreSQL, a hundred thousand on SQLite.

Run it with `python -m bench.request_log`, or with a number of requests for a smaller load. It makes databases of its own and
drops them. All but today's requests are summed, as the hourly task leaves them.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from statistics import quantiles
from typing import Any

from bench.aws_clients import Result
from bench.costs import _browser, _database_of_its_own, _get, _milliseconds, _queries

REPEATS = 30
SIZES = {"PostgreSQL": 1_000_000, "SQLite": 100_000}
LIMIT = 150
CHUNK = 10_000
DAYS = 30
KEYS = 8
PEOPLE = 20
PAGES = {
    "a month": "/keys/statistics",
    "today": "/keys/statistics?days=1",
    "one key": "/keys/statistics?key={key}",
    "failed ones": "/keys/statistics?outcome=failed",
    "rare ones": "/keys/statistics?outcome=unanswered",
    "one door": "/keys/statistics?via=console",
    "far down the log": "/keys/statistics?before={row}",
    "everybody, a month": "/keys/statistics/people",
    "the key's page": "/keys/{key}",
    "the console": "/keys/console",
}


@dataclass(frozen=True)
class Asked:
    """One page: the p95 of its times in milliseconds, and its queries."""

    name: str
    p95: float
    queries: int


def main(size: int = 0) -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'requests.sqlite3'}"
        results = [_result("SQLite", size or SIZES["SQLite"], url)]
    server = os.environ.get("DATABASE_URL", "")
    if not server.startswith("postgres"):
        reason = "left out: set DATABASE_URL to a PostgreSQL server where databases may be made"
        return [*results, Result("a million requests on PostgreSQL", reason, f"p95 < {LIMIT} ms", kept=True)]
    with _database_of_its_own(server) as own:
        return [*results, _result("PostgreSQL", size or SIZES["PostgreSQL"], own)]


def _result(database: str, size: int, url: str) -> Result:
    command = [sys.executable, "-m", "bench.request_log", "measure", str(size)]
    environment = os.environ | {"DATABASE_URL": url, "REDIS_URL": "", "LOG_LEVEL": "WARNING"}
    told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    asked = [Asked(**one) for one in json.loads(told.splitlines()[-1])]
    slowest = max(asked, key=lambda one: one.p95)
    each = ", ".join(f"{one.name} {one.p95:.0f}" for one in asked)
    most = max(one.queries for one in asked)
    return Result(
        f"{len(asked)} pages of statistics and the log, {size:,} requests on {database}",
        f"slowest p95 {slowest.p95:.0f} ms ({slowest.name}), at most {most} queries; each: {each}",
        f"p95 < {LIMIT} ms",
        slowest.p95 < LIMIT,
    )


# --- in a process of its own


def measure(size: int) -> list[Asked]:
    """Fill the database and take the times."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0)
    import cloudconsole.asgi  # noqa: F401 - the web process as it starts
    from accounts.models import User
    from cloudconsole.core import clock
    from cloudconsole.core.permissions import Role
    from gateway.models import RequestLog
    from gateway.services import day_sums

    user = User.objects.create_user("bench", "bench@example.com", None, Role.ADMIN)
    others = [User.objects.create_user(f"other{number}", f"{number}@example.com", None) for number in range(PEOPLE)]
    key = _fill(user, others, size)
    day_sums.sum_up(clock.now())
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
    row = RequestLog.objects.filter(user=user, at__lt=clock.now() - timedelta(days=DAYS // 2)).order_by("-at")[0].pk
    browser = _browser(user)
    return [_asked(browser, name, address.format(key=key, row=row)) for name, address in PAGES.items()]


def _fill(user: Any, others: list[Any], size: int) -> int:
    """Nine of ten requests are `user`'s. The number of one of the keys."""
    from cloudconsole.core import clock
    from gateway.models import RequestLog
    from gateway.services import keys
    from gateway.services.key_inputs import KeyInput

    chance, now = random.Random(7), clock.now()
    own = [
        keys.create(
            given=KeyInput(api_name=f"api{at}", api_key=f"secret-{at}-0123456789", base_url="https://api.example.com"), by=user
        )
        for at in range(KEYS)
    ]

    def made(number: int) -> RequestLog:
        key = own[number % KEYS] if number % 10 else None
        status = None if number % 20_000 == 1 else chance.choices((200, 201, 404, 429, 500), (88, 6, 3, 2, 1))[0]
        return RequestLog(
            at=now - timedelta(days=DAYS * (size - number) / size),
            user=user if key else chance.choice(others),
            key=key,
            api_name=key.api_name if key else "",
            via=chance.choices(("stream", "envelope", "console"), (70, 29, 1))[0],
            method=chance.choices(("GET", "POST"), (80, 20))[0],
            host=f"api{number % KEYS}.example.com",
            path=f"/v1/things/{chance.randrange(1000)}",
            status=status,
            error="" if status else "no_answer",
            duration_ms=int(chance.lognormvariate(4.5, 0.6)),
            request_bytes=chance.randrange(2_000),
            response_bytes=chance.randrange(90_000),
        )

    for start in range(0, size, CHUNK):
        RequestLog.objects.bulk_create(made(number) for number in range(start, min(start + CHUNK, size)))
    return int(own[1].pk)


def _asked(browser: Any, name: str, address: str) -> Asked:
    for _ in range(3):
        _get(browser, address)
    times = [_milliseconds(lambda: _get(browser, address)) for _ in range(REPEATS)]
    return Asked(name, quantiles(times, n=20, method="inclusive")[-1], _queries(lambda: _get(browser, address)))


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        print(json.dumps([asdict(one) for one in measure(int(sys.argv[2]))]))
    else:
        from bench.__main__ import print_table

        print_table(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
