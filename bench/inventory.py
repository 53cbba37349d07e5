"""How fast the list of 10,000 instances is read, and how much memory a sync of 100,000 needs.

Run it with `python -m bench.inventory`. It makes a database of its own on the server that DATABASE_URL names, and drops it.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from bench.aws_clients import Result
from bench.costs import _browser, _client, _database_of_its_own, _p95, _queries

INSTANCES, ACCOUNTS, REGIONS = 10_000, 20, 17
SYNCED, PAGE = 100_000, 500
MAX_MILLISECONDS = 150
MAX_MORE_MEGABYTES = 20


@dataclass(frozen=True)
class Measured:
    """Times in milliseconds, queries for all rows and for a hundredth of them, memory in MB."""

    page_p95: float
    search_p95: float
    api_p95: float
    page_queries: tuple[int, int]
    api_queries: tuple[int, int]
    sync_seconds: float
    sync_peak_mb: float
    tenth_peak_mb: float


def main() -> list[Result]:
    url = os.environ.get("DATABASE_URL", "")
    if not url.startswith("postgres"):
        reason = "left out: set DATABASE_URL to a PostgreSQL server where databases may be made"
        return [Result("the inventory's lists", reason, f"p95 < {MAX_MILLISECONDS} ms", kept=True)]
    with _database_of_its_own(url) as own:
        command = [sys.executable, "-m", "bench.inventory", "measure"]
        environment = os.environ | {"DATABASE_URL": own, "REDIS_URL": "", "LOG_LEVEL": "WARNING"}
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment).stdout
    return _table(Measured(**json.loads(told.splitlines()[-1])))


def _table(found: Measured) -> list[Result]:
    return [
        _reading("the page of the instance list", found.page_p95, found.page_queries),
        _reading("the page of a search in it", found.search_p95, found.page_queries),
        _reading("GET /api/ec2/instances", found.api_p95, found.api_queries),
        Result(
            f"storing a sync of {SYNCED:,} instances, twice",
            f"{found.sync_seconds:.0f} s, {found.sync_peak_mb - found.tenth_peak_mb:.0f} MB more than for a tenth of them",
            f"<= {MAX_MORE_MEGABYTES} MB more",
            found.sync_peak_mb - found.tenth_peak_mb <= MAX_MORE_MEGABYTES,
        ),
    ]


def _reading(name: str, p95: float, queries: tuple[int, int]) -> Result:
    many, few = queries
    return Result(
        f"{name}, {INSTANCES:,} instances in {ACCOUNTS} accounts",
        f"p95 {p95:.0f} ms, {many} queries ({few} for {INSTANCES // 100})",
        f"< {MAX_MILLISECONDS} ms, the same queries",
        p95 < MAX_MILLISECONDS and many == few,
    )


def measure() -> Measured:
    """Fill the database and take the times. The process belongs to this alone."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from accounts.models import User
    from cloudconsole.core.permissions import Role

    call_command("migrate", verbosity=0)
    admin = User.objects.create_user("everybody", "everybody@example.com", None, role=Role.ADMIN)
    browser, client = _browser(admin), _client(admin)
    accounts = _accounts()
    _fill(accounts, INSTANCES // 100)
    _get(browser, "/ec2")  # a session's first page sets it up
    few = (_queries(lambda: _get(browser, "/ec2")), _queries(lambda: _get(client, "/api/ec2/instances")))
    _fill(accounts, INSTANCES, start=INSTANCES // 100)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # as the server's own vacuum does some time after a sync
    many = (_queries(lambda: _get(browser, "/ec2")), _queries(lambda: _get(client, "/api/ec2/instances")))
    return Measured(
        page_p95=_p95(lambda: _get(browser, "/ec2")),
        search_p95=_p95(lambda: _get(browser, "/ec2?search=team%3Dshop+web-01&state=running")),
        api_p95=_p95(lambda: _get(client, "/api/ec2/instances")),
        page_queries=(many[0], few[0]),
        api_queries=(many[1], few[1]),
        **_sync(accounts[0]),
    )


def _get(client: Any, path: str) -> None:
    answer = client.get(path, HTTP_HOST="localhost")
    if answer.status_code != 200:
        raise SystemExit(answer.content.decode())


def _accounts() -> list[Any]:
    from resources.models import Service
    from resources.tests import inventory

    accounts = [inventory.account(f"account-{number:02}", f"{500_000_000_000 + number}") for number in range(ACCOUNTS)]
    for account in accounts:
        for region in range(REGIONS):
            inventory.scan(account, f"region-{region}", Service.EC2)
    return accounts


def _fill(accounts: list[Any], count: int, *, start: int = 0) -> None:
    from resources.tests import inventory

    for number, account in enumerate(accounts):
        inventory.instances(account, count // len(accounts), region=f"region-{number % REGIONS}", start=start)


def _sync(account: Any) -> dict[str, float]:
    """Store pages as a sync does while they come, twice: the second time nothing has changed."""
    _store(account, SYNCED // 10, "region-a")
    tenth, started = _peak_mb(), time.perf_counter()
    _store(account, SYNCED, "region-b")
    return {"sync_seconds": time.perf_counter() - started, "sync_peak_mb": _peak_mb(), "tenth_peak_mb": tenth}


def _peak_mb() -> float:
    """The most memory that this process ever had, which Linux tells in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _store(account: Any, count: int, region: str) -> None:
    from cloudconsole.core import clock
    from resources.services.inventory import instances
    from resources.services.inventory.instances import Asked

    for _ in range(2):
        started = clock.now()
        for first in range(0, count, PAGE):
            asked = Asked(clock.now(), clock.now())
            instances.observe(account=account, region=region, facts=[_facts(first + n) for n in range(PAGE)], asked=asked)
        instances.mark_gone(account=account, region=region, asked=Asked(started, clock.now()))


def _facts(number: int) -> Any:
    from datetime import UTC, datetime

    from cloudconsole.aws.ec2 import InstanceFacts

    started = datetime(2026, 11, 1, tzinfo=UTC)
    return InstanceFacts(
        instance_id=f"i-{number:017x}", name=f"web-{number}", state="running", instance_type="m6i.large", zone="region-a1",
        launched_at=started, private_ip="10.0.0.1", public_ip="", private_dns="", vpc_id="vpc-1", subnet_id="subnet-1",
        image_id="ami-1", key_name="", platform="Linux/UNIX", architecture="x86_64", lifecycle="on-demand",
        root_device_type="ebs", tags={"Name": f"web-{number}", "team": "shop"}, state_reason_code="", state_reason="",
        transition_reason="", first_attached_at=started,
    )  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        print(json.dumps(asdict(measure())))
    else:
        for result in main():
            print(f"{'kept  ' if result.kept else 'BROKEN'} {result.name}: {result.measured} (promised: {result.promised})")
