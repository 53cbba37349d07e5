"""Instance families that newer ones have replaced (EC2 user guide, "Previous generation instances")."""

from __future__ import annotations

from collections.abc import Mapping

# To a family of the same architecture, with as many vCPUs and at least as much memory in a size of the same name.
SUCCESSORS: Mapping[str, str] = {
    "t2": "t3",
    "m3": "m6i",
    "m4": "m6i",
    "c3": "c6i",
    "c4": "c6i",
    "r3": "r6i",
    "r4": "r6i",
}


def successor(instance_type: str) -> str:
    """The type that took its place, "" for none: m4.large → m6i.large. Whether there is that size, the price list knows."""
    family, _, size = instance_type.partition(".")
    return f"{SUCCESSORS[family]}.{size}" if family in SUCCESSORS and size else ""
