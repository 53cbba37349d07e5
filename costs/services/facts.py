"""Storing what Cost Explorer told: whole days are replaced, in one transaction, with their control totals and monthly sums."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import localcontext

from django.db.models import Count, Q
from django.db.models.functions import TruncMonth

from cloudconsole.aws.cost_explorer import Amounts, CostAnswer, DayCosts
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.money import DECIMAL_PLACES, EXACT, MAX_DIGITS, ZERO, ExactSum
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
from costs.rules.cubes import SHAPES, Cube, Dimension
from costs.rules.windows import DayRange, first_of_month
from costs.services import copying, dimensions
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
    shape = SHAPES[cube]
    if not shape:
        return {}
    keys = {key for day in answer.days for key in day.groups}
    first = dimensions.ids_of(dimension=shape[0], values={key[0] for key in keys})
    second = dimensions.ids_of(dimension=shape[1], values={key[1] for key in keys})
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

    Days that the answer does not tell keep what they had. Raises UnstorableAmount, NoControlTotal.
    """
    days = [day.day for day in answer.days]
    if not days:
        return Stored(rows=0, restated=0)
    slices = [_slice(source, cube, day, _currency(answer), fetched_at) for day in answer.days]
    for new in slices:
        new.snapshot = snapshot
    if cube is Cube.TOTAL:
        restated = _restated(source, slices, snapshot, fetched_at)
    else:
        _check_controlled(source, days)
        restated = []
    _delete(source, cube, days)
    rows = [
        FactRow.of(Place(source.pk, cube, day.day), ids[keys], _currency(answer), amounts)
        for day in answer.days
        for keys, amounts in day.groups.items()
    ]
    if rows:
        copying.insert(rows)
    CostSlice.objects.bulk_create(slices, batch_size=500)
    CostRestatement.objects.bulk_create(restated)
    _sum_months(source, cube, {first_of_month(day) for day in days})
    return Stored(rows=len(rows), restated=len(restated))


def is_controlled(*, source: CostSource, days: DayRange) -> bool:
    """Whether there are control totals among these days, so that asking for their groups is worth its price."""
    return CostSlice.objects.filter(source=source, cube=Cube.TOTAL, day__gte=days.start, day__lt=days.end).exists()


def any_stored(*, source: CostSource) -> bool:
    return CostSlice.objects.filter(source=source).exists()


def _currency(answer: CostAnswer) -> str:
    return answer.currency or _DEFAULT_CURRENCY


def _slice(source: CostSource, cube: Cube, day: DayCosts, currency: str, fetched_at: datetime) -> CostSlice:
    sums = _sum(day.groups.values()) if SHAPES[cube] else day.total or _NOTHING
    _check_exact(day, sums)
    return CostSlice(
        source=source,
        cube=cube,
        day=day.day,
        estimated=day.estimated,
        complete=settle.is_complete(day.day, fetched_at),
        rows=len(day.groups),
        fetched_at=fetched_at,
        currency=currency,
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


def _check_controlled(source: CostSource, days: list[date]) -> None:
    found = CostSlice.objects.filter(source=source, cube=Cube.TOTAL, day__in=days).count()
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


def _delete(source: CostSource, cube: Cube, days: list[date]) -> None:
    old = {"source": source, "cube": cube, "day__in": days}
    CostFact.objects.filter(**old).delete()
    CostSlice.objects.filter(**old).delete()


def _sum_months(source: CostSource, cube: Cube, months: set[date]) -> None:
    """Recompute the monthly sums from the facts, so that they can never drift from them."""
    old = {"source": source, "cube": cube, "month__in": months}
    CostMonth.objects.filter(**old).delete()
    CostMonthSlice.objects.filter(**old).delete()
    touched = Q(day__gte=min(months), day__lt=first_of_month(max(months), months=1))
    sums = {f"{metric}_sum": ExactSum(metric) for metric in METRICS}
    dimensions_of = ("source_id", "cube", "month", "first_id", "second_id", "currency")
    facts = CostFact.objects.filter(touched, source=source, cube=cube).annotate(month=TruncMonth("day")).order_by()
    copying.insert_from(
        CostMonth,
        (*dimensions_of, *METRICS),
        facts.values(*dimensions_of).annotate(**sums).values_list(*dimensions_of, *sums),
    )
    _sum_slices(source, cube, touched, sums)


def _sum_slices(source: CostSource, cube: Cube, touched: Q, sums: dict[str, ExactSum]) -> None:
    keys = ("source_id", "cube", "month", "currency")
    counts = {
        "day_count": Count("pk"),
        "complete_count": Count("pk", filter=Q(complete=True)),
        "estimated_count": Count("pk", filter=Q(estimated=True)),
    }
    slices = CostSlice.objects.filter(touched, source=source, cube=cube).annotate(month=TruncMonth("day")).order_by()
    copying.insert_from(
        CostMonthSlice,
        (*keys, "days", "complete_days", "estimated_days", *METRICS),
        slices.values(*keys).annotate(**counts, **sums).values_list(*keys, *counts, *sums),
    )
