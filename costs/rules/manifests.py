"""Where an export's files lie, as its manifest says (AWS Data Exports user guide, "Understanding export delivery").

Data Exports: `<prefix>/<name>/metadata/BILLING_PERIOD=2026-11/<name>-Manifest.json`, which lists `dataFiles` as s3 addresses.
Legacy reports: `<prefix>/<name>/20261101-20261201/<name>-Manifest.json`, which lists `reportKeys`. Manifests of single executions
lie one folder deeper and are not current.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass

_CURRENT = re.compile(
    r"(?:BILLING_PERIOD=(?P<period>\d{4}-\d{2})|(?P<year>\d{4})(?P<month>\d{2})01-\d{8})/[^/]+-Manifest\.json", re.IGNORECASE
)
MOST_FILES = 10_000


class UnreadableManifest(ValueError):
    """It is no manifest of an export; the text says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """`keys` of the data files in the manifest's own bucket."""

    keys: tuple[str, ...]


def period_of(key: str) -> str | None:
    """The billing period (YYYY-MM) of a current manifest; None for any other object."""
    found = _CURRENT.search(key)
    if found is None or found.end() != len(key):
        return None
    return found["period"] or f"{found['year']}-{found['month']}"


def read(text: bytes, bucket: str) -> Manifest:
    """Raises UnreadableManifest."""
    try:
        told = json.loads(text)
    except ValueError as error:
        raise UnreadableManifest("The manifest is no JSON.") from error
    named = (told.get("dataFiles") or told.get("reportKeys")) if isinstance(told, dict) else None
    if not isinstance(named, list) or not named or not all(isinstance(one, str) for one in named):
        raise UnreadableManifest("The manifest lists no data files.")
    if len(named) > MOST_FILES:
        raise UnreadableManifest(f"The manifest lists more than {MOST_FILES:,} files.")
    return Manifest(tuple(_keys(named, bucket)))


def _keys(named: Iterable[str], bucket: str) -> Iterable[str]:
    for address in named:
        if not address.startswith("s3://"):
            yield address
            continue
        home, _, key = address.removeprefix("s3://").partition("/")
        if home != bucket:
            raise UnreadableManifest("The manifest leads to another bucket, which is not read.")
        yield key
