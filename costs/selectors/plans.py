"""Which rows answer a question: from which cube, of which sources and linked accounts, under which ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Q

from costs.models import DimensionValue, Kept
from costs.rules import charge_types, cubes
from costs.rules.cubes import DIMENSIONS, Cube, Dimension
from costs.selectors.questions import NotStored, Question, UnknownValue
from costs.selectors.scope import Part

_COLUMNS = ("first_id", "second_id")
_KEPT = {(): Kept.NONE, ("first_id",): Kept.FIRST, ("second_id",): Kept.SECOND, _COLUMNS: Kept.BOTH}

# The dimensions whose values are few; usage types and tags have many.
OF_FEW = Q(dimension__in=[dimension for dimension in DIMENSIONS if dimension != Dimension.USAGE_TYPE])

# The cubes of tags that each source stores, by its primary key.
Tagged = Mapping[int, Sequence[Cube]]


@dataclass(frozen=True, slots=True)
class Read:
    """Sources that are read from the same cube in the same way."""

    cube: Cube
    sources: tuple[int, ...]
    condition: Q
    columns: tuple[str, ...]
    is_controlled: bool  # unfiltered whole bills: their total is the control total
    is_whole: bool  # whole bills, filtered or not
    filtered: frozenset[str]  # the columns that `condition` narrows
    told: tuple[int, ...] | None = None  # of the first column, the only ids that are told apart
    # The sources that must be taken out of sums over all sources; None where such sums are no shorter way.
    less: tuple[int, ...] | None = None

    @property
    def flag_cube(self) -> Cube:
        return Cube.TOTAL if self.is_controlled else self.cube

    @property
    def is_summed(self) -> bool:
        """Whether sums over all sources are the shorter way: of all groups, or of those together that are not told apart."""
        return self.less is not None and (self.sums_tell(self.columns) or (self.told is not None and self.sums_tell(self.rest)))

    @property
    def is_mixed(self) -> bool:
        """Whether facts are taken out of sums: then both must be of the same moment."""
        return bool(self.less) or (self.is_summed and bool(self.told) and not self.sums_tell(self.columns))

    @property
    def rest(self) -> tuple[str, ...]:
        """What tells apart the costs of the groups that are folded into one."""
        return self.columns[1:] if self.told is not None else self.columns

    def sums_tell(self, columns: Iterable[str]) -> bool:
        """Pairs with accounts are not summed: there are as many of them as facts."""
        return self.kept(columns) is not Kept.BOTH or Dimension.ACCOUNT not in self.cube.shape

    def kept(self, columns: Iterable[str]) -> Kept:
        """What has to be told apart for `columns` and the filters."""
        needed = self.filtered | frozenset(columns)
        return _KEPT[tuple(column for column in _COLUMNS if column in needed)]


@dataclass(frozen=True, slots=True)
class Values:
    """The ids of dimension values and back. Usage types and tags, which have many, are read when they are asked for."""

    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def all(cls) -> Values:
        values = cls()
        values.load(OF_FEW)
        return values

    def complete(self, ids: Iterable[int]) -> None:
        """Fetch values that a worker stored since the others were read; normally there are none."""
        if missing := [pk for pk in set(ids) if pk not in self.names]:
            self.load(Q(pk__in=missing))

    def load(self, which: Q) -> None:
        for row in DimensionValue.objects.filter(which).values_list("pk", "dimension", "value", "label"):
            self.add(*row)

    def add(self, pk: int, dimension: str, value: str, label: str) -> None:
        self.ids[dimension, value] = pk
        self.names[pk] = (value, label or value)

    def of(self, dimension: Dimension, wanted: Iterable[str]) -> list[int]:
        return [self.ids[dimension, value] for value in wanted if (dimension, value) in self.ids]

    def all_of(self, dimension: Dimension) -> list[str]:
        return [value for kind, value in self.ids if kind == dimension]


def reads(
    parts: Sequence[Part], question: Question, values: Values, tagged: Tagged, summed: frozenset[int] = frozenset()
) -> list[Read]:
    """`summed`: the sources that are in the sums over all sources. Raises NotStored, UnknownValue."""
    filters = _filters(question, values)
    whole_payers = any(part.is_payer for part in parts if part.is_whole)
    alike: dict[tuple[Cube, bool], list[Part]] = defaultdict(list)
    for part in parts:
        # Whole bills that are asked together are read from one cube: the one that payers need tells single accounts as well.
        cube = _cube(part, question, tagged, payer=whole_payers if part.is_whole else part.is_payer)
        alike[cube, part.is_whole].append(part)
    return [_read(cube, group, question, _Known(filters, values, summed)) for (cube, _), group in alike.items()]


@dataclass(frozen=True, slots=True)
class _Known:
    """What the reads of one question have in common."""

    filters: dict[Dimension, list[int]]
    values: Values
    summed: frozenset[int]


def _read(cube: Cube, parts: Sequence[Part], question: Question, known: _Known) -> Read:
    filters, values = known.filters, known.values
    is_whole = parts[0].is_whole
    sources = tuple({part.source.pk: None for part in parts})
    condition = Q(**{f"{_column(cube, dimension)}__in": ids for dimension, ids in filters.items()})
    return Read(
        cube=cube,
        sources=sources,
        condition=condition if is_whole else condition & _accounts(cube, parts, values),
        columns=tuple(_column(cube, dimension) for dimension in question.group_by),
        is_controlled=is_whole and not filters,
        is_whole=is_whole,
        filtered=frozenset(_column(cube, dimension) for dimension in filters),
        less=_less(sources, known.summed) if is_whole else None,
        told=None if question.told is None else tuple(values.of(question.group_by[0], sorted(question.told))),
    )


def _less(sources: Sequence[int], summed: frozenset[int]) -> tuple[int, ...] | None:
    """Taking out fewer sources than are asked is the shorter way."""
    asked = summed & set(sources)
    return tuple(sorted(summed - asked)) if len(summed) < 2 * len(asked) else None


def cube_of(part: Part, dimensions: Iterable[Dimension], tagged: Tagged, *, payer: bool | None = None) -> Cube | None:
    """The cube from which `part` tells all of `dimensions` apart.

    Where its source does not store a tag that others do, it is read from the same cube as they: it has nothing there, so that all
    of it is in no group, and incomplete where the question is narrowed to values of the tag. `payer`: look as in a payer's bill;
    None: as `part` is one.
    """
    payer = part.is_payer if payer is None else payer
    wanted = _told_apart(part, dimensions)
    own = cubes.answering(wanted, payer=payer, tags=tagged.get(part.source.pk, ()))
    return own or cubes.answering(wanted, payer=payer, tags=all_of(tagged))


def all_of(tagged: Tagged) -> list[Cube]:
    return sorted({cube for cubes_of in tagged.values() for cube in cubes_of})


def _told_apart(part: Part, dimensions: Iterable[Dimension]) -> frozenset[Dimension]:
    return frozenset(dimensions) | (frozenset() if part.is_whole else {Dimension.ACCOUNT})


def _cube(part: Part, question: Question, tagged: Tagged, *, payer: bool) -> Cube:
    dimensions = {*question.group_by, *question.filtered, *question.beside}
    cube = cube_of(part, dimensions, tagged, payer=payer)
    if cube is None:
        wanted = _told_apart(part, dimensions)
        raise NotStored.because(wanted, tags=all_of(tagged), attr="group_by" if len(question.group_by) > 1 else "account")
    return cube


def _column(cube: Cube, dimension: Dimension) -> str:
    return _COLUMNS[cube.shape.index(dimension)]


def _accounts(cube: Cube, parts: Sequence[Part], values: Values) -> Q:
    """The linked accounts that count, payer by payer, in one condition however many there are."""
    column = _column(cube, Dimension.ACCOUNT)
    only: dict[int, set[str]] = defaultdict(set)
    condition = Q(pk__in=[])
    for part in parts:
        if part.only is None:
            left_out = values.of(Dimension.ACCOUNT, part.without)
            condition |= Q(source=part.source.pk) & ~Q(**{f"{column}__in": left_out})
        else:
            only[part.source.pk] |= part.only
    for source, numbers in only.items():
        condition |= Q(source=source, **{f"{column}__in": values.of(Dimension.ACCOUNT, numbers)})
    return condition


def _filters(question: Question, values: Values) -> dict[Dimension, list[int]]:
    """The ids that each filter lets through. Raises UnknownValue."""
    wanted = {
        Dimension.SERVICE: question.services,
        Dimension.REGION: question.regions,
        Dimension.RECORD_TYPE: question.record_types,
        Dimension.USAGE_TYPE: question.usage_types,
    }
    for key, value in question.tags:
        wanted[Dimension.tag(key)] = wanted.get(Dimension.tag(key), frozenset()) | {value}
    for dimension, names in wanted.items():
        if names and (dimension == Dimension.USAGE_TYPE or dimension.tag_key):
            values.load(Q(dimension=dimension, value__in=names))
    filters = {dimension: _known(dimension, names, values) for dimension, names in wanted.items() if names}
    if question.charge_types:
        ids = values.of(Dimension.RECORD_TYPE, charge_types.of_types(values.all_of(Dimension.RECORD_TYPE), question.charge_types))
        both = filters.get(Dimension.RECORD_TYPE)
        filters[Dimension.RECORD_TYPE] = ids if both is None else [pk for pk in both if pk in ids]
    return filters


def check(question: Question, values: Values) -> None:
    """Whether any cost ever had the values that the filters name, but for tags. Raises UnknownValue."""
    _filters(replace(question, tags=frozenset()), values)


def _known(dimension: Dimension, names: Iterable[str], values: Values) -> list[int]:
    for name in sorted(names):
        if (dimension, name) not in values.ids:
            raise UnknownValue(f"No stored cost has the {dimension.word} “{name}”.", attr=dimension.word)
    return values.of(dimension, names)
