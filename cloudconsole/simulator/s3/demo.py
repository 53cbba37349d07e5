"""Which buckets each account has before anybody touches anything: the same for a seed, on every start.

What CloudWatch tells of them is far more than the few objects that are there to look at.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING
from cloudconsole.simulator.s3.bodies import Shelf, whole
from cloudconsole.simulator.s3.buckets import NULL_VERSION, Bucket, Upload, Version, Versioning

US, EU, IE = "us-east-1", "eu-central-1", "eu-west-1"
_FIRST_DAY = datetime(2024, 3, 18, 9, 12, 40, tzinfo=UTC)
_GIB = 1024**3
STANDARD, INFREQUENT, ARCHIVE, TIERED = (
    "StandardStorage", "StandardIAStorage", "DeepArchiveStorage", "IntelligentTieringFAStorage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One bucket of the story. `age`: days after the organization's beginning; `gib`: by CloudWatch's storage type.

    `files`: folder and how many small files are really in it. No `gib`: CloudWatch has not measured it yet.
    """

    name: str
    region: str
    age: int
    team: str
    gib: Mapping[str, float] = field(default_factory=dict)
    count: int | None = None
    files: tuple[tuple[str, int], ...] = ()
    versioning: Versioning = Versioning.OFF
    encryption: str = "AES256"
    is_public: bool = False
    has_unfinished_upload: bool = False


_ON = Versioning.ENABLED
_STORY: dict[str, tuple[Row, ...]] = {
    MANAGEMENT: (
        Row("example-org-cloudtrail", US, 1, "platform", {STANDARD: 318.4, ARCHIVE: 2_210.0}, 4_812_233, (("AWSLogs/", 6),), _ON),
        Row("example-org-cost-reports", US, 3, "finance", {STANDARD: 41.9}, 9_120, (("cur/2026/", 8),)),
    ),
    PRODUCTION: (
        Row("example-shop-assets", US, 20, "shop", {STANDARD: 812.6, INFREQUENT: 96.2}, 1_904_551, (("img/", 9), ("css/", 3)),
            is_public=True),
        Row("example-shop-uploads", EU, 21, "shop", {STANDARD: 1_431.0, TIERED: 388.0}, 7_330_120, (("2026/11/", 7),), _ON,
            has_unfinished_upload=True),
        Row("example-payments-ledger", EU, 40, "payments", {STANDARD: 64.3}, 220_417, (("exports/", 5),), _ON, "aws:kms"),
        Row("example-data-lake", US, 95, "data", {STANDARD: 5_120.7, INFREQUENT: 2_044.0, ARCHIVE: 18_330.0}, 22_908_114,
            (("raw/", 4), ("curated/", 4)), encryption="aws:kms"),
        Row("example-backups-eu", IE, 44, "platform", {ARCHIVE: 9_870.5}, 18_204, (("rds/", 3),), _ON),
    ),
    STAGING: (
        Row("example-staging-assets", EU, 60, "shop", {STANDARD: 22.1}, 40_188, (("img/", 4),)),
        Row("example-staging-uploads", EU, 60, "shop", {STANDARD: 9.4}, 12_044, (("2026/11/", 3),), Versioning.SUSPENDED),
    ),
    DEVELOPMENT: (
        Row("example-dev-artifacts", EU, 70, "platform", {STANDARD: 118.9}, 30_551, (("builds/", 12), ("reports/", 4)), _ON),
        Row("example-dev-lambda-code", EU, 71, "platform", {STANDARD: 3.2}, 412, (("functions/", 3),)),
        Row("example-dev-scratch", US, 300, "data"),
    ),
    SANDBOX: (
        Row("example-sandbox-playground", EU, 250, "data", {STANDARD: 0.4}, 38, (("notebooks/", 3),)),
    ),
}  # fmt: skip

_ROWS = {row.name: row for rows in _STORY.values() for row in rows}


def buckets(seed: int, shelf: Shelf) -> Iterator[Bucket]:
    for account_id, rows in _STORY.items():
        for row in rows:
            yield _bucket(seed, account_id, row, shelf)


def measured(name: str) -> tuple[dict[str, int], int] | None:
    """Bytes by storage type and the number of objects, as CloudWatch tells them; None for a bucket that tells nothing."""
    row = _ROWS.get(name)
    if row is None or row.count is None:
        return None
    return {storage: int(gib * _GIB) for storage, gib in row.gib.items()}, row.count


def _bucket(seed: int, account_id: str, row: Row, shelf: Shelf) -> Bucket:
    made = Bucket(row.name, account_id, row.region, _FIRST_DAY + timedelta(days=row.age, minutes=len(row.name)))
    made.versioning, made.encryption = row.versioning, row.encryption
    made.tags = {"team": row.team}
    if row.is_public:
        made.public_access_block = None
    for folder, count in row.files:
        for number in range(1, count + 1):
            _fill(seed, made, f"{folder}{_name(row, folder, number)}", number, shelf)
    if row.has_unfinished_upload:
        upload = Upload(_digest(seed, f"upload {row.name}")[:32], "2026/11/catalogue.mov", made.created_at, "video/quicktime")
        upload.parts[1] = shelf.blob(b"\0" * 1024)
        made.uploads[upload.upload_id] = upload
    return made


def _name(row: Row, folder: str, number: int) -> str:
    return f"{folder.strip('/').rpartition('/')[2]}-{number:02}.{'json' if row.team in ('data', 'payments') else 'txt'}"


def _fill(seed: int, bucket: Bucket, key: str, number: int, shelf: Shelf) -> None:
    """One version, or two where the bucket keeps versions and the number is even."""
    times = 2 if bucket.versioning is Versioning.ENABLED and number % 2 == 0 else 1
    for at in range(1, times + 1):
        version_id = _digest(seed, f"{bucket.name}/{key}/{at}")[:32] if bucket.versioning is Versioning.ENABLED else NULL_VERSION
        body = whole(shelf.blob(_content(seed, key, at)))
        modified = bucket.created_at + timedelta(days=number * 3 + at, hours=number)
        checksum = {"x-amz-checksum-crc32": body.crc32()}
        bucket.put(Version(key, version_id, modified, body, _type(key), checksums=checksum))


def _content(seed: int, key: str, at: int) -> bytes:
    lines = [
        {"key": key, "version": at, "line": line, "value": _digest(seed, f"{key} {at} {line}")[:24]} for line in range(1, 13)
    ]
    return ("\n".join(json.dumps(line) for line in lines) + "\n").encode()


def _type(key: str) -> str:
    return "application/json" if key.endswith(".json") else "text/plain"


def _digest(seed: int, name: str) -> str:
    return hmac.digest(f"cloudconsole-simulator-s3-{seed}".encode(), name.encode(), hashlib.sha256).hex()
