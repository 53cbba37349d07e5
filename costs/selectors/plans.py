"""Which rows answer a question: from which cube, of which sources and linked accounts, under which ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q

from costs.models import DimensionValue
from costs.rules import charge_types, cubes
from costs.rules.cubes import SHAPES, Cube, Dimension
from costs.selectors.questions import NAMES, NotStored, Question, UnknownValue
from costs.selectors.scope import Part

_COLUMNS = ("first_id", "second_id")


@dataclass(frozen=True, slots=True)
class Read:
    """Sources that are read from the same cube in the same way."""

    cube: Cube
    sources: tuple[int, ...]
    condition: Q
    columns: tuple[str, ...]
    is_controlled: bool  # unfiltered whole bills: their total is the control total
    told: tuple[int, ...] | None = None  # of the first column, the only ids that are told apart

    @property
    def flag_cube(self) -> Cube:
        return Cube.TOTAL if self.is_controlled else self.cube


@dataclass(frozen=True, slots=True)
class Values:
    """The ids of dimension values and back. Usage types, of which there are many, are read when they are asked for."""

    ids: dict[tuple[str, str], int] = field(default_factory=dict)
    names: dict[int, tuple[str, str]] = field(default_factory=dict)

    @classmethod
    def all(cls) -> Values:
        values = cls()
        values.load(Q(dimension__in=[dimension for dimension in Dimension if dimension is not Dimension.USAGE_TYPE]))
        return values

    def complete(self, ids: Iterable[int]) -> None:
        """Fetch values that a worker stored since the others were read; normally there are none."""
        if missing := [pk for pk in set(ids) if pk not in self.names]:
            self.load(Q(pk__in=missing))

    def load(self, which: Q) -> None:
        rows = DimensionValue.objects.filter(which).values_list("pk", "dimension", "value", "label")
        for pk, dimension, value, label in rows:
            self.ids[dimension, value] = pk
            self.names[pk] = (value, label or value)

    def of(self, dimension: Dimension, wanted: Iterable[str]) -> list[int]:
        return [self.ids[dimension, value] for value in wanted if (dimension, value) in self.ids]

    def all_of(self, dimension: Dimension) -> list[str]:
        return [value for kind, value in self.ids if kind == dimension]


def reads(parts: Sequence[Part], question: Question, values: Values) -> list[Read]:
    filters = _filters(question, values)
    alike: dict[tuple[Cube, bool], list[Part]] = defaultdict(list)
    for part in parts:
        alike[_cube(part, question), part.is_whole].append(part)
    return [_read(cube, group, question, filters, values) for (cube, _), group in alike.items()]


def _read(
    cube: Cube,
    parts: Sequence[Part],
    question: Question,
    filters: dict[Dimension, list[int]],
    values: Values,
) -> Read:
    is_whole = parts[0].is_whole
    condition = Q(**{f"{_column(cube, dimension)}__in": ids for dimension, ids in filters.items()})
    return Read(
        cube=cube,
        sources=tuple({part.source.pk: None for part in parts}),
        condition=condition if is_whole else condition & _accounts(cube, parts, values),
        columns=tuple(_column(cube, dimension) for dimension in question.group_by),
        is_controlled=is_whole and not filters,
        told=None if question.told is None else tuple(values.of(question.group_by[0], sorted(question.told))),
    )


def cube_of(part: Part, dimensions: Iterable[Dimension]) -> Cube | None:
    """The cube from which `part` tells all of `dimensions` apart."""
    return cubes.answering(_told_apart(part, dimensions), payer=part.is_payer)


def _told_apart(part: Part, dimensions: Iterable[Dimension]) -> frozenset[Dimension]:
    return frozenset(dimensions) | (frozenset() if part.is_whole else {Dimension.ACCOUNT})


def _cube(part: Part, question: Question) -> Cube:
    dimensions = {*question.group_by, *question.filtered, *question.beside}
    cube = cube_of(part, dimensions)
    if cube is None:
        wanted = _told_apart(part, dimensions)
        raise NotStored.because(wanted, attr="group_by" if len(question.group_by) > 1 else "account")
    return cube


def _column(cube: Cube, dimension: Dimension) -> str:
    return _COLUMNS[SHAPES[cube].index(dimension)]


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
    if question.usage_types:
        values.load(Q(dimension=Dimension.USAGE_TYPE, value__in=question.usage_types))
    filters = {dimension: _known(dimension, names, values) for dimension, names in wanted.items() if names}
    if question.charge_types:
        ids = values.of(Dimension.RECORD_TYPE, charge_types.of_types(values.all_of(Dimension.RECORD_TYPE), question.charge_types))
        both = filters.get(Dimension.RECORD_TYPE)
        filters[Dimension.RECORD_TYPE] = ids if both is None else [pk for pk in both if pk in ids]
    return filters


def _known(dimension: Dimension, names: Iterable[str], values: Values) -> list[int]:
    for name in sorted(names):
        if (dimension, name) not in values.ids:
            raise UnknownValue(f"No stored cost has the {NAMES[dimension]} “{name}”.", attr=NAMES[dimension])
    return values.of(dimension, names)
