"""Values of cost allocation tags, and what stands for having none.

Cost Explorer groups by `Key$value`, and tells costs without the tag and costs with an empty value as the same `Key$`.
Billing files tell the two apart. No tag's value can look like these words: AWS allows no dollar sign in them (Tagging AWS
Resources User Guide).
"""

from __future__ import annotations

from collections.abc import Mapping

# Untagged or with an empty value: Cost Explorer does not tell which.
NO_VALUE = "$none"
UNTAGGED = "$untagged"
EMPTY = "$empty"

LABELS: Mapping[str, str] = {
    NO_VALUE: "No value",
    UNTAGGED: "Untagged",
    EMPTY: "Empty value",
}
# What coverage counts as not tagged: an empty value tells nobody anything.
WITHOUT_VALUE = frozenset(LABELS)


def value_of(key: str, told: str) -> str:
    """The value in a group key of Cost Explorer: `team$platform` → `platform`."""
    return told.removeprefix(f"{key}$") or NO_VALUE


def label_of(value: str) -> str:
    """For people."""
    return LABELS.get(value, value)
