"""Storing what Cost Explorer told: whole days are replaced, in one transaction, with their control totals and monthly sums."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import localcontext

from django.db.models import Count, Q

from cloudconsole.aws.cost_explorer import Amounts, CostAnswer, DayCosts
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.money import DECIMAL_PLACES, EXACT, MAX_DIGITS, ZERO, ExactSum
from cloudconsole.core.periods import MonthOf
from costs.models import (
    METRICS,
    CostFact,
    CostMonth,
    CostMonthSlice,
    CostRestatement,
    CostSlice,
    CostSnapshot,
    CostSource,
)
from costs.rules import settle
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange, first_of_month
from costs.services import closes, copying, dimensions, rollups, shelf
from costs.services.copying import FactRow, Place

_NOTHING = Amounts(ZERO, ZERO, ZERO, ZERO, ZERO)
# Where AWS tells no amount at all there is no currency to store; its costs are in USD unless it says otherwise.
_DEFAULT_CURRENCY = "USD"


class UnstorableAmount(CloudconsoleError):
    """An amount with more digits than are kept. Rounding it silently would break every total."""

    kind = Kind.UPSTREAM
    code = "amount_not_exact"
    title = "An amount cannot be stored exactly"


class NoControlTotal(CloudconsoleError):
    """Grouped costs without the ungrouped total they are checked against are not kept."""

    kind = Kind.CONFLICT
    code = "no_control_total"
    title = "The control total is missing"


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing one answer did."""

    rows: int
    restated: int


def prepare(*, cube: Cube, answer: CostAnswer) -> dict[tuple[str, ...], tuple[int, int]]:
    """The ids of an answer's keys, made beforehand so that the storing transaction holds no lock others wait for."""
    if not cube.shape:
        return {}
    keys = {key for day in answer.days for key in day.groups}
    first = dimensions.ids_of(dimension=cube.shape[0], values={key[0] for key in keys})
    second = dimensions.ids_of(dimension=cube.shape[1], values={key[1] for key in keys})
    dimensions.label(dimension=Dimension.ACCOUNT, labels=answer.labels)
    return {key: (first[key[0]], second[key[1]]) for key in keys}


def replace(
    *,
    source: CostSource,
    cube: Cube,
    answer: CostAnswer,
    ids: dict[tuple[str, ...], tuple[int, int]],
    fetched_at: datetime,
    snapshot: CostSnapshot | None,
) -> Stored:
    """Put the answer's days in the place of what was stored for them. Call inside a transaction.

    Days that the answer does not tell keep what they had; those of months whose figures are a billing file's are put beside
    them, on the shelf. Raises UnstorableAmount, NoControlTotal.
    """
    if not answer.days:
        return Stored(rows=0, restated=0)
    shelved = shelf.months_of_files(source=source)
    here = tuple(day for day in answer.days if first_of_month(day.day) not in shelved)
    aside = tuple(day for day in answer.days if first_of_month(day.day) in shelved)
    batch = _Batch(source, cube, ids, _currency(answer), fetched_at, snapshot)
    stored = [_put(batch, days, at) for days, at in ((here, int(cube)), (aside, shelf.place_of(cube))) if days]
    return Stored(rows=sum(one.rows for one in stored), restated=sum(one.restated for one in stored))


@dataclass(frozen=True, slots=True)
class _Batch:
    """What the days of one answer have in common."""

    source: CostSource
    cube: Cube
    ids: dict[tuple[str, ...], tuple[int, int]]
    currency: str
    fetched_at: datetime
    snapshot: CostSnapshot | None


def _put(batch: _Batch, told: Collection[DayCosts], at: int) -> Stored:
    """Store the days under the number `at`: the cube's own, or its place on the shelf."""
    days = [day.day for day in told]
    slices = [_slice(batch, day, at) for day in told]
    restated: list[CostRestatement] = []
    if batch.cube != Cube.TOTAL:
        _check_controlled(batch.source, days, at - batch.cube)
    elif at == Cube.TOTAL:
        restated = _restated(batch.source, slices, batch.snapshot, batch.fetched_at)
    _delete(batch.source, at, days)
    rows = [
        FactRow.of(Place(batch.source.pk, at, day.day), batch.ids[keys], batch.currency, amounts)
        for day in told
        for keys, amounts in day.groups.items()
    ]
    if rows:
        copying.insert(rows)
    CostSlice.objects.bulk_create(slices, batch_size=500)
    CostRestatement.objects.bulk_create(restated)
    months = {first_of_month(day) for day in days}
    _sum_months(batch.source, at, months)
    closes.look_again(source=batch.source, months=months)
    rollups.mark(cube=at, days=days)
    return Stored(rows=len(rows), restated=len(restated))


def replace_month(
    *,
    source: CostSource,
    month: date,
    answers: Mapping[Cube, CostAnswer],
    ids: Mapping[Cube, dict[tuple[str, ...], tuple[int, int]]],
    fetched_at: datetime,
) -> int:
    """Put a billing file's figures in the place of the whole month, all cubes at once; how many facts. Call inside a transaction.

    The control totals are the first of `answers`. Raises UnstorableAmount.
    """
    shelf.clear(source=source, month=month)
    rows = 0
    for cube, answer in answers.items():
        batch = _Batch(source, cube, ids[cube], _currency(answer), fetched_at, None)
        rows += _put(batch, answer.days, cube).rows if answer.days else 0
    return rows


def is_controlled(*, source: CostSource, days: DayRange) -> bool:
    """Whether there are control totals among these days, so that asking for their groups is worth its price."""
    totals = Q(cube=Cube.TOTAL) | Q(cube=shelf.place_of(Cube.TOTAL))
    return CostSlice.objects.filter(totals, source=source, day__gte=days.start, day__lt=days.end).exists()


def any_stored(*, source: CostSource) -> bool:
    return CostSlice.objects.filter(source=source).exists()


def _currency(answer: CostAnswer) -> str:
    return answer.currency or _DEFAULT_CURRENCY


def _slice(batch: _Batch, day: DayCosts, at: int) -> CostSlice:
    sums = _sum(day.groups.values()) if batch.cube.shape else day.total or _NOTHING
    _check_exact(day, sums)
    return CostSlice(
        source=batch.source,
        cube=at,
        day=day.day,
        estimated=day.estimated,
        complete=settle.is_complete(day.day, batch.fetched_at),
        rows=len(day.groups),
        fetched_at=batch.fetched_at,
        snapshot=batch.snapshot,
        currency=batch.currency,
        **{metric: getattr(sums, metric) for metric in METRICS},
    )


def _sum(amounts: Collection[Amounts]) -> Amounts:
    with localcontext(EXACT):
        return Amounts(*(sum((getattr(amount, metric) for amount in amounts), ZERO) for metric in METRICS))


def _check_exact(day: DayCosts, sums: Amounts) -> None:
    """A sum has the decimal places of its longest addend, so only sizes need looking at one by one."""
    told = [*day.groups.values(), sums]
    for metric in METRICS:
        exponent = getattr(sums, metric).as_tuple().exponent
        largest = max(getattr(amounts, metric).adjusted() for amounts in told)
        if not isinstance(exponent, int) or -exponent > DECIMAL_PLACES or largest >= MAX_DIGITS - DECIMAL_PLACES:
            raise UnstorableAmount(f"AWS told an amount of {day.day} with more digits than are kept.")


def _check_controlled(source: CostSource, days: list[date], offset: int) -> None:
    found = CostSlice.objects.filter(source=source, cube=Cube.TOTAL + offset, day__in=days).count()
    if found < len(days):
        raise NoControlTotal(f"{len(days) - found} of {len(days)} days have no control total yet.")


def _restated(
    source: CostSource, slices: list[CostSlice], snapshot: CostSnapshot | None, detected_at: datetime
) -> list[CostRestatement]:
    """Days that had settled when they were last fetched and now tell another amount."""
    settled = CostSlice.objects.filter(source=source, cube=Cube.TOTAL, complete=True, day__in=[new.day for new in slices])
    before = dict(settled.values_list("day", "unblended"))
    return [
        CostRestatement(
            source=source,
            day=new.day,
            currency=new.currency,
            unblended_before=before[new.day],
            unblended_after=new.unblended,
            snapshot=snapshot,
            detected_at=detected_at,
        )
        for new in slices
        if new.day in before and before[new.day] != new.unblended
    ]


def _delete(source: CostSource, cube: int, days: list[date]) -> None:
    old = {"source": source, "cube": cube, "day__in": days}
    CostFact.objects.filter(**old).delete()
    CostSlice.objects.filter(**old).delete()


def _sum_months(source: CostSource, cube: int, months: set[date]) -> None:
    """Recompute the monthly sums from the facts, so that they can never drift from them."""
    old = {"source": source, "cube": cube, "month__in": months}
    CostMonth.objects.filter(**old).delete()
    CostMonthSlice.objects.filter(**old).delete()
    touched = Q(day__gte=min(months), day__lt=first_of_month(max(months), months=1))
    sums = {f"{metric}_sum": ExactSum(metric) for metric in METRICS}
    dimensions_of = ("source_id", "cube", "month", "first_id", "second_id", "currency")
    facts = CostFact.objects.filter(touched, source=source, cube=cube).annotate(month=MonthOf("day")).order_by()
    copying.insert_from(
        CostMonth,
        (*dimensions_of, *METRICS),
        facts.values(*dimensions_of).annotate(**sums).values_list(*dimensions_of, *sums),
    )
    _sum_slices(source, cube, touched, sums)


def _sum_slices(source: CostSource, cube: int, touched: Q, sums: dict[str, ExactSum]) -> None:
    keys = ("source_id", "cube", "month", "currency")
    counts = {
        "day_count": Count("pk"),
        "complete_count": Count("pk", filter=Q(complete=True)),
        "estimated_count": Count("pk", filter=Q(estimated=True)),
    }
    slices = CostSlice.objects.filter(touched, source=source, cube=cube).annotate(month=MonthOf("day")).order_by()
    copying.insert_from(
        CostMonthSlice,
        (*keys, "days", "complete_days", "estimated_days", *METRICS),
        slices.values(*keys).annotate(**counts, **sums).values_list(*keys, *counts, *sums),
    )
