"""What a month's close is made of: its daily costs, and how far they are stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.db.models import Count, Min, QuerySet

from cloudconsole.core.money import total
from costs.models import METRICS, OPEN, CostFact, CostSlice, CostSnapshot, CostSource
from costs.rules import closes
from costs.rules.closes import FROZEN, Fact, Stored
from costs.rules.cubes import Cube
from costs.rules.windows import month_of

Amounts = tuple[Decimal, ...]


@dataclass(frozen=True, slots=True)
class Sum:
    """`amounts` in the order of METRICS, of `rows` daily costs. `service`: the id of one, None for the whole cube."""

    cube: int
    service: int | None
    currency: str
    rows: int
    amounts: Amounts


@dataclass(frozen=True, slots=True)
class Month:
    """A source's month as it is stored now. `is_whole`: each day's costs add up to what its slice says, cube by cube."""

    digest: str
    facts: int
    sums: tuple[Sum, ...]
    is_whole: bool


def month(source: CostSource, first: date) -> Month:
    """Everything of the month that a close is made of."""
    totals = list(_control_totals(source, first))
    facts = list(_facts(source, first))
    told = [fact for fact, _ in facts]
    return Month(
        digest=closes.digest([*totals, *told]),
        facts=len(totals) + len(told),
        sums=tuple(_sums([*((fact, None) for fact in totals), *facts])),
        is_whole=_by_day(told) == _by_slice(source, first),
    )


def _control_totals(source: CostSource, first: date) -> Iterable[Fact]:
    for day, currency, *amounts in _slices(source, first, Cube.TOTAL).values_list("day", "currency", *METRICS):
        yield Fact(day, int(Cube.TOTAL), "", "", currency, tuple(amounts))


def _facts(source: CostSource, first: date) -> Iterable[tuple[Fact, int | None]]:
    """Each with the id of its service, in the one cube that the services are summed by."""
    days = month_of(first)
    rows = CostFact.objects.filter(source=source, cube__in=FROZEN, day__gte=days.start, day__lt=days.end).order_by()
    columns = rows.values_list("day", "cube", "first_id", "first__value", "second__value", "currency", *METRICS)
    for day, cube, pk, one, two, currency, *amounts in columns.iterator():
        service = pk if cube == Cube.SERVICE_RECORD_TYPE else None
        yield Fact(day, cube, one, two, currency, tuple(amounts)), service


def _slices(source: CostSource, first: date, *cubes: Cube) -> QuerySet[CostSlice]:
    days = month_of(first)
    return CostSlice.objects.filter(source=source, cube__in=cubes, day__gte=days.start, day__lt=days.end).order_by()


def _sums(facts: Iterable[tuple[Fact, int | None]]) -> Iterable[Sum]:
    kept: dict[tuple[int, int | None, str], list[Amounts]] = defaultdict(list)
    for fact, service in facts:
        kept[fact.cube, None, fact.currency].append(fact.amounts)
        if service is not None:
            kept[fact.cube, service, fact.currency].append(fact.amounts)
    for (cube, service, currency), amounts in kept.items():
        yield Sum(cube, service, currency, len(amounts), tuple(total(column) for column in zip(*amounts, strict=True)))


def _by_day(facts: Iterable[Fact]) -> Mapping[tuple[int, date], Decimal]:
    kept: dict[tuple[int, date], list[Decimal]] = defaultdict(list)
    for fact in facts:
        kept[fact.cube, fact.day].append(fact.amounts[0])
    return {key: found for key, amounts in kept.items() if (found := total(amounts))}


def _by_slice(source: CostSource, first: date) -> Mapping[tuple[int, date], Decimal]:
    rows = _slices(source, first, *(cube for cube in FROZEN if cube is not Cube.TOTAL)).values_list("cube", "day", METRICS[0])
    return {(cube, day): amount for cube, day, amount in rows if amount}


def stored(source: CostSource, first: date) -> dict[int, Stored]:
    """By cube, how far the month is stored."""
    rows = _slices(source, first, *FROZEN).values_list("cube").annotate(days=Count("pk"), oldest=Min("fetched_at"))
    return {cube: Stored(days, oldest) for cube, days, oldest in rows}


def is_being_fetched(source: CostSource) -> bool:
    return CostSnapshot.objects.filter(source=source, status__in=OPEN).exists()
