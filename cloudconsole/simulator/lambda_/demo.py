"""Which functions each account has before anybody touches anything: the same for a seed, on every start."""

from __future__ import annotations

import hashlib
import io
import uuid
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cloudconsole.simulator.lambda_.functions import Alias, Configuration, Function
from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING

US, EU = "us-east-1", "eu-central-1"
_FIRST_DAY = datetime(2025, 2, 3, 10, 41, 7, tzinfo=UTC)
_MOMENT = datetime(2025, 1, 1, tzinfo=UTC)

_GREETING = '''"""Greets whoever is named in the event."""


def handler(event, context):
    print(f"invoked with {sorted(event)}")
    return {"message": f"Hello {event.get('name', 'world')}", "version": "{version}"}
'''
_ORDERS = '''"""Adds up an order; an item without a price is an error."""


def handler(event, context):
    items = event["items"]
    print(f"{len(items)} items for {context.function_name}")
    total = sum(item["price"] * item.get("quantity", 1) for item in items)
    return {"order": event.get("order"), "total": round(total, 2), "version": "{version}"}
'''
_REPORT = '''"""Counts to what the event asks for and says how long it took."""

import time


def handler(event, context):
    began = time.monotonic()
    total = sum(range(int(event.get("rows", 100000))))
    print(f"remaining: {context.get_remaining_time_in_millis()} ms")
    return {"total": total, "seconds": round(time.monotonic() - began, 3), "version": "{version}"}
'''
_NODE = "exports.handler = async (event) => ({ statusCode: 200, body: JSON.stringify(event) });\n"


@dataclass(frozen=True, slots=True)
class Row:
    """One function of the story: `age` in days after its first day, `per_hour` invocations and the share that fails."""

    name: str
    region: str
    source: str
    age: int
    runtime: str = "python3.12"
    memory_mb: int = 256
    timeout_s: int = 10
    per_hour: float = 0.0
    failing: float = 0.0
    versions: int = 0
    description: str = ""
    failure: str = ""
    took_ms: float = 120.0
    used_mb: int | None = None  # None: without Lambda Insights


_STORY: dict[str, tuple[Row, ...]] = {
    MANAGEMENT: (Row("budget-notifier", US, _GREETING, 12, per_hour=1.0, description="Mails the monthly budget report"),),
    PRODUCTION: (
        Row("orders-total", US, _ORDERS, 30, memory_mb=512, per_hour=1_830.0, failing=0.004, versions=3,
            description="Adds up orders for the shop"),
        Row("orders-total", EU, _ORDERS, 31, memory_mb=512, per_hour=940.0, failing=0.003, versions=3,
            description="Adds up orders for the shop"),
        Row("image-thumbnails", US, _NODE, 55, "nodejs22.x", 1024, 30, 412.0, 0.021, 2),
        Row("nightly-report", EU, _REPORT, 80, timeout_s=300, per_hour=0.2, failing=0.15, description="Runs at 02:15 UTC"),
        Row("ledger-export", EU, _REPORT, 120, memory_mb=2048, timeout_s=900, per_hour=4.0, took_ms=95_000.0, used_mb=212),
        Row("legacy-mailer", US, _NODE, 2, "nodejs20.x", 128, 5, 22.0, 0.31),
    ),
    STAGING: (
        Row("orders-total", EU, _ORDERS, 60, per_hour=35.0, failing=0.02, versions=2),
        Row("image-thumbnails", EU, _NODE, 61, "nodejs22.x", 512, 30, 9.0, 0.05),
    ),
    DEVELOPMENT: (
        Row("hello", EU, _GREETING, 70, per_hour=0.5, versions=2, description="The first function to try things with"),
        Row("orders-total", EU, _ORDERS, 71, memory_mb=1024, per_hour=3.0, failing=0.2, versions=1, took_ms=8_000.0, used_mb=96),
        Row("load-test", EU, _REPORT, 90, timeout_s=60),
        Row("broken-image", US, _GREETING, 140, failure="The function could not be started: its network interface was deleted."),
    ),
    SANDBOX: (Row("playground", EU, _GREETING, 200, per_hour=0.1),),
}  # fmt: skip


def functions(seed: int) -> Iterator[Function]:
    for account_id, rows in _STORY.items():
        for row in rows:
            yield _function(seed, account_id, row)


def crowd(seed: int, account_id: str, region: str, numbers: Iterable[int]) -> Iterator[Function]:
    """Further functions, one for each number."""
    for number in numbers:
        yield _function(seed, account_id, Row(f"function-{number:05}", region, _GREETING, number % 300))


def zipped(files: dict[str, str]) -> bytes:
    """A zip that is the same, byte for byte, for the same files."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            member = zipfile.ZipInfo(name, _MOMENT.timetuple()[:6])
            member.external_attr = 0o644 << 16
            archive.writestr(member, text)
    return content.getvalue()


def _function(seed: int, account_id: str, row: Row) -> Function:
    latest = _configuration(seed, account_id, row, 1)
    made = Function(
        latest,
        _MOMENT,
        _MOMENT,
        per_hour=row.per_hour,
        failing=row.failing,
        failure=row.failure,
        took_ms=row.took_ms,
        used_mb=row.used_mb,
    )
    for number in range(1, row.versions + 1):
        made.latest = _configuration(seed, account_id, row, number)
        made.publish(f"release {number}")
    if row.versions:
        made.aliases["live"] = Alias("live", str(row.versions), "what callers use")
    return made


def _configuration(seed: int, account_id: str, row: Row, number: int) -> Configuration:
    is_python = row.runtime.startswith("python")
    file = "app.py" if is_python else "index.js"
    return Configuration(
        name=row.name,
        account_id=account_id,
        region=row.region,
        runtime=row.runtime,
        handler="app.handler" if is_python else "index.handler",
        role_arn=f"arn:aws:iam::{account_id}:role/{row.name}-lambda",
        code=zipped({file: row.source.replace("{version}", str(number))}),
        modified_at=_FIRST_DAY + timedelta(days=row.age + 9 * number, minutes=len(row.name) * 3),
        memory_mb=row.memory_mb,
        timeout_s=row.timeout_s,
        description=row.description,
        environment=(("LOG_LEVEL", "info"), ("STRIPE_API_KEY", _secret(seed, account_id, row.name))),
        revision_id=str(
            uuid.UUID(bytes=hashlib.sha256(f"{seed} {account_id} {row.name} {row.region} {number}".encode()).digest()[:16])
        ),
    )


def _secret(seed: int, account_id: str, name: str) -> str:
    """A secret as people put them into environments; it must be seen nowhere."""
    return "sk_live_" + hashlib.sha256(f"{seed} {account_id} {name} secret".encode()).hexdigest()[:24]
