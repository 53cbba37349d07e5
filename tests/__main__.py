"""`make test`: everything this machine can run, on SQLite and on PostgreSQL with Redis, and a word about what it cannot.

The first run is the whole suite in the embedded mode. The second repeats what touches the database in the team mode.
Arguments are handed to pytest. On CI (CI=true) a missing part fails the run, and a few tests that failed are asked once more,
alone: what passes then was disturbed by its neighbours or the machine. It is named at the end, to be mended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.databases import MADE_BEFORE, migrated_on
from tests.services import Part, browser, postgresql, redis_server

FAILED, NOTHING_COLLECTED = 1, 5
FEW = 3  # more tests than this do not fail by chance
FAILURES = Path(".pytest_cache/v/cache/lastfailed")  # what pytest --last-failed goes by


@dataclass(frozen=True)
class Run:
    """One run of the suite: its name, and the environment and options it has."""

    name: str
    options: tuple[str, ...]
    environment: dict[str, str]


def main(arguments: list[str]) -> int:
    with redis_server() as redis:
        parts = (postgresql(), redis, browser())
        unsteady: list[str] = []
        failed = [run.name for run in runs(*parts) if not passes(run, arguments, unsteady)]
    missing = [part for part in parts if not part.is_there]
    left_out = [line for part in missing for line in consequences(part)]
    print(
        "\nLeft out:" if left_out else "\nNothing was left out: SQLite, PostgreSQL, Redis and Chromium took part.",
        *left_out,
        sep="\n",
    )
    print(*(f"Unsteady, failed once and passed alone: {test}" for test in unsteady), sep="\n", end="\n" if unsteady else "")
    if missing and on_ci():
        failed.append("parts that CI requires")
    print("Failed: " + ", ".join(failed) if failed else "Passed.")
    return 1 if failed else 0


def runs(database: Part, redis: Part, chromium: Part) -> list[Run]:
    no_browser = "" if chromium.is_there else " and not browser"
    found = [Run("SQLite, embedded", ("-m", f"not services{no_browser}"), {})]
    if database.is_there and redis.is_there:
        team = {"DATABASE_URL": database.url, "REDIS_URL": redis.url}
        options = ("--database-only", *(() if chromium.is_there else ("-m", "not browser")))
        found.append(Run("PostgreSQL and Redis", options, team))
    return found


def passes(run: Run, arguments: list[str], unsteady: list[str]) -> bool:
    """Whether it does, with the tests that needed a second attempt added to `unsteady`."""
    print(f"\n=== {run.name} ===", flush=True)
    started = time.monotonic()
    FAILURES.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as var_dir, migrated(run, Path(var_dir)) as template:
        command = [sys.executable, "-m", "pytest", "--quiet", *run.options]
        environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
        environment |= {"VAR_DIR": var_dir, **run.environment, **template}
        code = subprocess.call([*command, "-n", workers(), "--dist", "loadgroup", *arguments], env=environment)
        if code == FAILED and on_ci() and 0 < len(doubtful := failures()) <= FEW:
            print("\nOnce more, alone:", *doubtful, sep="\n", flush=True)
            code = subprocess.call([*command, "--last-failed", "--last-failed-no-failures", "none", *arguments], env=environment)
            unsteady += doubtful if code == 0 else []
    print(f"{run.name}: {time.monotonic() - started:.0f} s", flush=True)
    return code in (0, NOTHING_COLLECTED) if arguments else code == 0


def failures() -> list[str]:
    """Node ids of the tests that failed in the run before."""
    return list(json.loads(FAILURES.read_text())) if FAILURES.exists() else []


def on_ci() -> bool:
    return os.environ.get("CI") == "true"


@contextmanager
def migrated(run: Run, folder: Path) -> Iterator[dict[str, str]]:
    """What tells the workers of a run on PostgreSQL the database that each of them copies; SQLite's keep a file."""
    server = run.environment.get("DATABASE_URL")
    if server is None:
        yield {}
        return
    with migrated_on(server, folder) as name:
        yield {MADE_BEFORE: name}


def workers() -> str:
    return os.environ.get("TEST_WORKERS", "auto")


def consequences(part: Part) -> list[str]:
    what = {
        "PostgreSQL": "the run on PostgreSQL and Redis (every test that touches the database)",
        "Redis": "the run on PostgreSQL and Redis (every test that touches the database)",
        "Chromium": "the tests of pages in a browser",
    }[part.name]
    return [f"- {what}, because {part.name} is missing: {part.missing}."]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
