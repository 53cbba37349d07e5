"""What importing a billing file takes: time beside DuckDB reading and summing the same file, and memory as the file grows.

Run it with `python -m bench.billing`. Each size has a process of its own, with a database of its own in a temporary folder, whose
largest resident size is what counts. The file is as AWS delivers it: FOCUS 1.2, CSV packed by gzip, 57 columns.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import duckdb

from bench.aws_clients import Result

SMALL, LARGE = 100_000, 1_000_000
MOST_TIMES = 3.0
# How much larger the process may be with ten times the lines. DuckDB keeps what it may (512 MB), so some growth is its cache.
MOST_GROWTH_MB = 300
_KEYS = "BillingAccountId, SubAccountId, ChargePeriodStart, ServiceName, RegionId, ChargeCategory, SkuMeter, BillingCurrency"


@dataclass(frozen=True)
class Import:
    """Seconds of the import and of DuckDB alone, the largest size of the process in MB before and after; is all stored?"""

    seconds: float
    alone_seconds: float
    before_megabytes: float
    megabytes: float
    exact: bool


def main() -> list[Result]:
    small, large = _in_its_own_process(SMALL), _in_its_own_process(LARGE)
    times = large.seconds / large.alone_seconds
    growth = large.megabytes - small.megabytes
    return [
        Result(
            "import of a FOCUS file of 1,000,000 lines",
            f"{large.seconds:.1f} s; DuckDB reading and summing it {large.alone_seconds:.1f} s: {times:.1f} times",
            f"at most {MOST_TIMES:.0f} times",
            times <= MOST_TIMES and large.exact,
        ),
        Result(
            "its memory: 100,000 beside 1,000,000 lines",
            f"{small.megabytes:.0f} MB and {large.megabytes:.0f} MB at the peak ({large.before_megabytes:.0f} MB before)",
            f"at most {MOST_GROWTH_MB} MB more for ten times the lines",
            growth <= MOST_GROWTH_MB and small.exact,
        ),
    ]


def make_file(path: Path, lines: int) -> None:
    """October's charges of ten accounts, packed by gzip."""
    with duckdb.connect() as engine:
        engine.execute(_copy(path, lines))


def _copy(path: Path, lines: int) -> str:
    from costs.rules import focus

    told = {
        "ProviderName": "'AWS'", "PublisherName": "'AWS'", "InvoiceIssuerName": "'Amazon Web Services, Inc.'",
        "BillingAccountId": "'511111111111'", "SubAccountId": "CAST(522222222220 + i % 10 AS VARCHAR)",
        "BillingPeriodStart": "'2026-10-01T00:00:00Z'", "BillingPeriodEnd": "'2026-11-01T00:00:00Z'",
        "ChargePeriodStart": "strftime(DATE '2026-10-01' + CAST(i % 31 AS INTEGER), '%Y-%m-%dT00:00:00Z')",
        "ChargePeriodEnd": "strftime(DATE '2026-10-02' + CAST(i % 31 AS INTEGER), '%Y-%m-%dT00:00:00Z')",
        "ChargeCategory": "CASE WHEN i % 50 = 0 THEN 'Credit' ELSE 'Usage' END", "ChargeFrequency": "'Usage-Based'",
        "ChargeDescription": "'Charge number ' || i", "BilledCost": "CAST(i % 977 AS DECIMAL(20, 10)) / 1000",
        "EffectiveCost": "CAST(i % 881 AS DECIMAL(20, 10)) / 1000", "ListCost": "'1'", "ContractedCost": "'1'",
        "BillingCurrency": "'USD'", "PricingCurrency": "'USD'", "ServiceName": "'Service ' || (i % 17)",
        "ServiceCategory": "'Compute'", "RegionId": "'eu-central-' || (i % 3)", "SkuMeter": "'Meter-' || (i % 40)",
        "ResourceId": "'arn:aws:ec2:eu-central-1:522222222222:instance/i-' || md5(CAST(i % 5000 AS VARCHAR))",
        "Tags": """'{"team": "team-' || (i % 9) || '", "environment": "production"}'""",
    }  # fmt: skip
    columns = ", ".join(f'{told.get(name, "NULL")} AS "{name}"' for name in focus.COLUMNS)
    return f"COPY (SELECT {columns} FROM range({lines}) numbers(i)) TO '{path}' (FORMAT csv, HEADER, COMPRESSION gzip)"


def _alone(path: Path) -> float:
    """DuckDB reading the file and summing by what is kept of it, with the threads that the import has."""
    began = time.perf_counter()
    with duckdb.connect(config={"threads": 2}) as engine:
        sums = "SUM(CAST(BilledCost AS DECIMAL(38, 12))), SUM(CAST(EffectiveCost AS DECIMAL(38, 12))), COUNT(*)"
        engine.execute(f"SELECT {_KEYS}, {sums} FROM read_csv('{path}', all_varchar = true) GROUP BY {_KEYS}").fetchall()
    return time.perf_counter() - began


def _in_its_own_process(lines: int) -> Import:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "focus.csv.gz"
        make_file(path, lines)
        alone = min(_alone(path) for _ in range(2))
        own = {**os.environ, "VAR_DIR": folder, "DATABASE_URL": "", "REDIS_URL": ""}
        ran = subprocess.run(
            [sys.executable, "-m", "bench.billing", str(path), str(alone)], check=True, capture_output=True, text=True, env=own
        )
        return Import(**json.loads(ran.stdout.splitlines()[-1]))


def _import(path: Path, alone: float) -> Import:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from accounts.models import User
    from cloudconsole.core.permissions import Role
    from costs.models import CostImport
    from costs.services.billing import imports, runs

    admin = User.objects.create_user("bench", "bench@example.com", "not a secret at all", role=Role.ADMIN)
    before, began = _megabytes(), time.perf_counter()
    with path.open("rb") as file:
        row = imports.receive(name=path.name, file=file, by=admin).cost_import
    runs.run(import_id=row.pk)
    imports.accept(cost_import=CostImport.objects.get(pk=row.pk), by=admin)
    runs.run(import_id=row.pk)
    seconds = time.perf_counter() - began
    row.refresh_from_db()
    return Import(seconds, alone, before, _megabytes(), row.status == "committed" and row.faulty == 0)


def _megabytes() -> float:
    """The largest resident size so far. Not by `getrusage`, which counts what the parent had when it started this process."""
    told = Path("/proc/self/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+) kB", told)[0]) / 1024


if __name__ == "__main__":
    if len(sys.argv) > 1:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudconsole.settings")
        import django

        django.setup()
        print(json.dumps(vars(_import(Path(sys.argv[1]), float(sys.argv[2])))))
    else:
        for result in main():
            print(result)
