"""`make check`: everything about the code that can be said without running its tests. All steps run; the exit status tells."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

CODE = (
    "cloudconsole",
    "accounts",
    "resources",
    "costs",
    "expenses",
    "gateway",
    "audit",
    "tests",
    "bench",
    "conftest.py",
    "manage.py",
)


@dataclass(frozen=True)
class Step:
    name: str
    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    step: Step
    code: int
    output: str
    seconds: float


def steps() -> list[Step]:
    manage = (sys.executable, "manage.py")
    module = (sys.executable, "-m")
    return [
        Step("types (mypy --strict)", (*module, "mypy", "--no-error-summary", *CODE)),
        Step("lint (ruff)", (*module, "ruff", "check", "--quiet", ".")),
        Step("format (ruff)", (*module, "ruff", "format", "--check", "--quiet", ".")),
        Step("templates (djhtml)", (*module, "djhtml", "--check", "--tabwidth", "2", "templates")),
        Step("imports (import-linter)", (sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()")),
        Step("migrations", (*manage, "makemigrations", "--check", "--dry-run")),
        Step("deployment checks", (*manage, "check", "--deploy", "--fail-level", "WARNING"), production()),
        Step("generated docs", (*manage, "generate_docs", "--check")),
        Step("file sizes", (*module, "tests.sizes")),
    ]


def production() -> dict[str, str]:
    """An environment as a real installation has it, with keys for this moment."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FERNET_KEYS": secrets.token_urlsafe(32),
        "AUDIT_KEY": secrets.token_urlsafe(32),
        "DATABASE_URL": "postgres://cloudconsole@db.example.com/cloudconsole",
        "REDIS_URL": "redis://redis.example.com:6379/0",
        "ALLOWED_HOSTS": "console.example.com",
        "CSRF_TRUSTED_ORIGINS": "https://console.example.com",
        "HTTPS": "true",
        "BEHIND_PROXY": "true",
    }


def run(step: Step) -> Result:
    started = time.monotonic()
    done = subprocess.run(
        step.command,
        env={**os.environ, **step.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return Result(step, done.returncode, done.stdout, time.monotonic() - started)


def main() -> int:
    with tempfile.TemporaryDirectory() as var_dir, ThreadPoolExecutor(max_workers=2) as pool:
        os.environ["VAR_DIR"] = var_dir
        results = [report(result) for result in pool.map(run, steps())]
    failed = [result.step.name for result in results if result.code]
    print("Failed: " + ", ".join(failed) if failed else "All checks passed.")
    return 1 if failed else 0


def report(result: Result) -> Result:
    print(f"{'FAILED' if result.code else 'ok':6} {result.step.name} ({result.seconds:.1f} s)", flush=True)
    if result.code:
        print(result.output, flush=True)
    return result


if __name__ == "__main__":
    sys.exit(main())
