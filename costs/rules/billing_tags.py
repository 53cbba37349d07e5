"""Tags in billing files: how exports write a key, and what a line says under it.

A map or JSON object tells a key that is absent from an empty value; a column of its own has one cell for both. Sources: AWS Data
Exports user guide, "Cost and Usage Report (CUR) 2.0", `resource_tags`; AWS Billing user guide, "Resource tags details" of the
legacy report (`resourceTags/user:Key`, in Parquet `resource_tags_user_key`); FOCUS 1.2, `Tags`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from costs.rules import billing_formats

HOLDERS = ("Tags", "resource_tags")
_COLUMN = "resource_tags_"
_BY_AWS = "aws:"
_USER, _AWS = "user", "aws"
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_OTHERS = re.compile(r"[^A-Za-z0-9]+")


def names_of(key: str) -> tuple[str, ...]:
    """What a map or JSON object may call the tag, the likeliest first."""
    bare = key.removeprefix(_BY_AWS)
    if key.startswith(_BY_AWS):
        return tuple(dict.fromkeys((key, *(f"aws_{form}" for form in _forms(bare)))))
    return tuple(dict.fromkeys((f"user:{key}", *(f"user_{form}" for form in _forms(key)), key)))


def _forms(key: str) -> tuple[str, ...]:
    """As it is, and in the words that Athena takes: CostCenter → cost_center or costcenter."""
    words = _OTHERS.sub("_", key)
    return key, _CAMEL.sub("_", words).lower(), words.lower()


def column_of(key: str, columns: Iterable[str]) -> str | None:
    """The column of its own that a legacy report has for the tag; None for none."""
    wanted = key if key.startswith(_BY_AWS) else f"user:{key}"
    exact = f"resourceTags/{wanted}"
    plain = billing_formats.key(_COLUMN + wanted)
    found = [name for name in columns if billing_formats.key(name) == plain]
    return exact if exact in found else next(iter(found), None)


def key_in_column(name: str) -> str | None:
    """The key that a column of its own tells, as well as its name says it; None for a column of something else."""
    _, slash, told = name.partition("/")
    if slash and name.lower().startswith("resourcetags/"):
        return key_told(told)
    return key_told(name.removeprefix(_COLUMN)) if name.startswith((f"{_COLUMN}user_", f"{_COLUMN}aws_")) else None


def key_told(name: str) -> str | None:
    """A key without the prefix that says whose it is: `user:team` and `user_team` → `team`; AWS's own keep `aws:`."""
    owner, colon, bare = name.partition(":")
    if not colon:
        owner, _, bare = name.partition("_")
    if owner == _USER:
        return bare or None
    if owner == _AWS:
        return f"{_BY_AWS}{bare}" if bare else None
    return name or None
