"""The stored groupings and which of them answers a question.

Cost Explorer groups by at most two dimensions, so a question is answerable when one stored pair holds all it names.
Six cubes are the same everywhere; each chosen tag key adds two of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

_TAG = "TAG:"
_TAG_WORD = "tag:"
# The numbers below are for the cubes that every source has.
_FIRST_OF_TAGS = 100
# What Cost Explorer told of months that a billing file tells is kept under the cube's number plus this, where no question reads.
ASIDE = 20_000


class Dimension(str):
    """What costs are told apart by: AWS's name of a dimension, or `TAG:` and the key of a cost allocation tag."""

    __slots__ = ()

    SERVICE: ClassVar[Dimension]
    ACCOUNT: ClassVar[Dimension]
    REGION: ClassVar[Dimension]
    RECORD_TYPE: ClassVar[Dimension]
    USAGE_TYPE: ClassVar[Dimension]

    @classmethod
    def tag(cls, key: str) -> Dimension:
        return cls(_TAG + key)

    @classmethod
    def called(cls, word: str) -> Dimension:
        """The dimension that the API and addresses call `word`. Raises ValueError for none."""
        if word.startswith(_TAG_WORD) and word != _TAG_WORD:
            return cls.tag(word.removeprefix(_TAG_WORD))
        return DIMENSIONS[_WORDS.index(word)]

    @property
    def value(self) -> str:
        return str(self)

    @property
    def tag_key(self) -> str | None:
        return self.removeprefix(_TAG) if self.startswith(_TAG) else None

    @property
    def word(self) -> str:
        """What the API and addresses call it: `service`, `tag:team`."""
        return _TAG_WORD + self.removeprefix(_TAG) if self.startswith(_TAG) else _WORDS[DIMENSIONS.index(self)]


Dimension.SERVICE = Dimension("SERVICE")
Dimension.ACCOUNT = Dimension("LINKED_ACCOUNT")
Dimension.REGION = Dimension("REGION")
Dimension.RECORD_TYPE = Dimension("RECORD_TYPE")
Dimension.USAGE_TYPE = Dimension("USAGE_TYPE")

# Those that need no choosing; tags are as many as people choose.
DIMENSIONS = (Dimension.SERVICE, Dimension.ACCOUNT, Dimension.REGION, Dimension.RECORD_TYPE, Dimension.USAGE_TYPE)
_WORDS = ("service", "account", "region", "record_type", "usage_type")


class Cube(int):
    """One stored grouping: its number, and what its two keys are, in their order."""

    shape: tuple[Dimension, ...]
    title: str

    TOTAL: ClassVar[Cube]
    SERVICE_RECORD_TYPE: ClassVar[Cube]
    ACCOUNT_SERVICE: ClassVar[Cube]
    REGION_SERVICE: ClassVar[Cube]
    ACCOUNT_RECORD_TYPE: ClassVar[Cube]
    SERVICE_USAGE_TYPE: ClassVar[Cube]

    def __new__(cls, number: int, title: str, *shape: Dimension) -> Cube:
        cube = super().__new__(cls, number)
        cube.title, cube.shape = title, shape
        return cube


Cube.TOTAL = Cube(0, "Control total")
Cube.SERVICE_RECORD_TYPE = Cube(1, "Service and record type", Dimension.SERVICE, Dimension.RECORD_TYPE)
Cube.ACCOUNT_SERVICE = Cube(2, "Account and service", Dimension.ACCOUNT, Dimension.SERVICE)
Cube.REGION_SERVICE = Cube(3, "Region and service", Dimension.REGION, Dimension.SERVICE)
Cube.ACCOUNT_RECORD_TYPE = Cube(4, "Account and record type", Dimension.ACCOUNT, Dimension.RECORD_TYPE)
Cube.SERVICE_USAGE_TYPE = Cube(5, "Service and usage type", Dimension.SERVICE, Dimension.USAGE_TYPE)

# Those of every source, by their numbers.
CUBES = (
    Cube.TOTAL,
    Cube.SERVICE_RECORD_TYPE,
    Cube.ACCOUNT_SERVICE,
    Cube.REGION_SERVICE,
    Cube.ACCOUNT_RECORD_TYPE,
    Cube.SERVICE_USAGE_TYPE,
)


@dataclass(frozen=True, slots=True)
class TagCubes:
    """The cubes of one tag key."""

    by_service: Cube
    by_account: Cube


def of_tag(key: str, number: int) -> TagCubes:
    """The cubes of `key`, the installation's `number`-th (from 1), which it keeps for ever."""
    tag, first = Dimension.tag(key), _FIRST_OF_TAGS + 2 * number
    return TagCubes(
        Cube(first, f"Tag {key} and service", tag, Dimension.SERVICE),
        Cube(first + 1, f"Tag {key} and account", tag, Dimension.ACCOUNT),
    )


def tag_number(cube: Cube) -> int | None:
    """Which of the installation's keys a tag's cube belongs to; None for a cube of every source."""
    return None if cube < _FIRST_OF_TAGS else (cube - _FIRST_OF_TAGS) // 2


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


def answering(dimensions: Iterable[Dimension], *, payer: bool, tags: Sequence[Cube] = ()) -> Cube | None:
    """The narrowest cube that tells all of `dimensions` apart; None when none does. `tags`: those of tags that are stored."""
    wanted = frozenset(dimensions)
    cubes = (*(_PAYER if payer else _SINGLE), *sorted(tags))
    return next((cube for cube in cubes if wanted <= frozenset(cube.shape)), None)


def pairs(tags: Iterable[Cube] = ()) -> list[tuple[Dimension, ...]]:
    """What can be asked together."""
    return [cube.shape for cube in (*CUBES, *sorted(tags)) if cube.shape]


# What a single account's costs by account are made of: there is only one account to tell.
DERIVED: dict[Cube, Dimension] = {
    Cube.ACCOUNT_SERVICE: Dimension.SERVICE,
    Cube.ACCOUNT_RECORD_TYPE: Dimension.RECORD_TYPE,
}


def refreshed(*, single: bool) -> list[Cube]:
    """The cubes that each refresh asks for, the control total first. Usage types and tags have paces of their own."""
    left_out = {Cube.SERVICE_USAGE_TYPE, *(DERIVED if single else ())}
    return [cube for cube in CUBES if cube not in left_out]
