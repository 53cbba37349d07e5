"""The stored groupings and which of them answers a question.

Cost Explorer groups by at most two dimensions, so a question is answerable when one stored pair holds all it names.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum, StrEnum


class Dimension(StrEnum):
    """What costs are told apart by; the value is AWS's name of the dimension."""

    SERVICE = "SERVICE"
    ACCOUNT = "LINKED_ACCOUNT"
    REGION = "REGION"
    RECORD_TYPE = "RECORD_TYPE"
    USAGE_TYPE = "USAGE_TYPE"


class Cube(IntEnum):
    """One stored grouping."""

    TOTAL = 0
    SERVICE_RECORD_TYPE = 1
    ACCOUNT_SERVICE = 2
    REGION_SERVICE = 3
    ACCOUNT_RECORD_TYPE = 4
    SERVICE_USAGE_TYPE = 5


# The order of a cube's two keys.
SHAPES: dict[Cube, tuple[Dimension, ...]] = {
    Cube.TOTAL: (),
    Cube.SERVICE_RECORD_TYPE: (Dimension.SERVICE, Dimension.RECORD_TYPE),
    Cube.ACCOUNT_SERVICE: (Dimension.ACCOUNT, Dimension.SERVICE),
    Cube.REGION_SERVICE: (Dimension.REGION, Dimension.SERVICE),
    Cube.ACCOUNT_RECORD_TYPE: (Dimension.ACCOUNT, Dimension.RECORD_TYPE),
    Cube.SERVICE_USAGE_TYPE: (Dimension.SERVICE, Dimension.USAGE_TYPE),
}

TITLES: dict[Cube, str] = {
    Cube.TOTAL: "Control total",
    Cube.SERVICE_RECORD_TYPE: "Service and record type",
    Cube.ACCOUNT_SERVICE: "Account and service",
    Cube.REGION_SERVICE: "Region and service",
    Cube.ACCOUNT_RECORD_TYPE: "Account and record type",
    Cube.SERVICE_USAGE_TYPE: "Service and usage type",
}

# A payer's costs grouped by account lose what AWS cannot split (support), so those cubes come late. Usage types come last: their
# cube is the widest and is asked least often.
_PAYER = (
    Cube.TOTAL,
    Cube.SERVICE_RECORD_TYPE,
    Cube.REGION_SERVICE,
    Cube.ACCOUNT_RECORD_TYPE,
    Cube.ACCOUNT_SERVICE,
    Cube.SERVICE_USAGE_TYPE,
)
# In a single account they lose nothing and are the narrowest.
_SINGLE = (
    Cube.TOTAL,
    Cube.ACCOUNT_RECORD_TYPE,
    Cube.ACCOUNT_SERVICE,
    Cube.REGION_SERVICE,
    Cube.SERVICE_RECORD_TYPE,
    Cube.SERVICE_USAGE_TYPE,
)


def answering(dimensions: Iterable[Dimension], *, payer: bool) -> Cube | None:
    """The narrowest cube that tells all of `dimensions` apart; None when none does."""
    wanted = frozenset(dimensions)
    return next((cube for cube in (_PAYER if payer else _SINGLE) if wanted <= frozenset(SHAPES[cube])), None)


def pairs() -> list[tuple[Dimension, ...]]:
    """What can be asked together."""
    return [shape for shape in SHAPES.values() if shape]


# What a single account's costs by account are made of: there is only one account to tell.
DERIVED: dict[Cube, Dimension] = {
    Cube.ACCOUNT_SERVICE: Dimension.SERVICE,
    Cube.ACCOUNT_RECORD_TYPE: Dimension.RECORD_TYPE,
}


def refreshed(*, single: bool) -> list[Cube]:
    """The cubes that each refresh asks for, the control total first. Usage types have a pace of their own."""
    left_out = {Cube.SERVICE_USAGE_TYPE, *(DERIVED if single else ())}
    return [cube for cube in Cube if cube not in left_out]
