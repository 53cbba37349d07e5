"""`make bench`: every benchmark, one table. Fails when a promise is not kept; says what could not be measured here."""

from __future__ import annotations

import os
import sys
import tempfile

from bench import (
    anomalies,
    automation,
    aws_clients,
    billing,
    costs,
    expense_imports,
    expenses,
    explorer,
    fan_out,
    forecast,
    gateway,
    inventory,
    request_log,
    uploads,
)
from bench.aws_clients import Result
from tests.services import postgresql

HEAD = ("benchmark", "measured here", "promised", "")


def main() -> int:
    with tempfile.TemporaryDirectory() as var_dir:
        os.environ["VAR_DIR"] = var_dir
        results = aws_clients.main() + fan_out.main() + uploads.main() + forecast.main() + automation.main()
        results += anomalies.main() + billing.main() + gateway.main() + expense_imports.main()
        server = postgresql()
        os.environ.setdefault("DATABASE_URL", f"{server.url.rpartition('/')[0]}/postgres" if server.is_there else "")
        if server.is_there or os.environ["DATABASE_URL"]:
            results += costs.main() + explorer.main() + inventory.main()
        results += expenses.main() + request_log.main()
    print_table(results)
    if not server.is_there:
        print(f"\nCosts on PostgreSQL were not measured: {server.missing}.")
    return 0 if all(result.kept for result in results) else 1


def print_table(results: list[Result]) -> None:
    rows = [HEAD, *((r.name, r.measured, r.promised, "kept" if r.kept else "BROKEN") for r in results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
