"""What a source is asked about its chosen tags: the newest days at a pace of their own, and what is missing of their history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from django.db.models import Max, QuerySet

from costs.models import BillingScope, CostSlice, CostSource, ImportedPeriod, TagKey
from costs.rules import tag_requests, windows
from costs.rules.cubes import ASIDE, Cube
from costs.rules.windows import DayRange, first_of_month

Asked = tuple[Cube, DayRange]


def due(*, source: CostSource, today: date) -> list[Asked]:
    """Chosen tags have a pace as usage types have; then comes what is missing of their history.

    Only what is known to be a payer has more than a single account's share of questions.
    """
    found = chosen(source=source)
    asked = _asked_on(source, found)
    wanted: list[Asked] = []
    for number in tag_requests.due(asked, today, single=source.scope != BillingScope.PAYER):
        days = windows.usage_types(today, asked[number])
        wanted += [(found[number], chunk) for chunk in windows.chunks(days, windows.CHUNK_MONTHS)] if days else []
    return [*wanted, *_history(source, found, today)]


def chosen(*, source: CostSource) -> dict[int, Cube]:
    """By number, the cubes of tags that AWS is asked for. Of a single account, those by account follow."""
    found: dict[int, Cube] = {}
    for row in source.tags.filter(is_chosen=True).select_related("tag"):
        found |= _asked_for(row.tag, by_account=row.by_account and not source.is_single)
    return found


def following(*, source: CostSource) -> list[Cube]:
    """The cubes of chosen tags that follow from others in a single account's bill."""
    return [row.tag.cubes.by_account for row in source.tags.filter(is_chosen=True).select_related("tag")]


def _asked_for(tag: TagKey, *, by_account: bool) -> dict[int, Cube]:
    cubes = (tag.cubes.by_service, tag.cubes.by_account) if by_account else (tag.cubes.by_service,)
    return {int(cube): cube for cube in cubes}


def _asked_on(source: CostSource, chosen: Iterable[int]) -> dict[int, date | None]:
    slices = CostSlice.objects.filter(source=source, cube__in=_places(chosen)).order_by()
    told: dict[int, date] = {}
    for place, last in slices.values_list("cube").annotate(last=Max("fetched_at")):
        told[place % ASIDE] = max(last.date(), told.get(place % ASIDE, date.min))
    return {cube: told.get(cube) for cube in chosen}


def _places(chosen: Iterable[int]) -> list[int]:
    """Where a cube's days stand: of months that a billing file tells, they are kept aside."""
    return [place for cube in chosen for place in (int(cube), cube + ASIDE)]


def _history(source: CostSource, chosen: Mapping[int, Cube], today: date) -> list[Asked]:
    """Days with a control total that lie before what a refresh asks and are not stored by tag: nothing is paid for twice."""
    end = windows.refresh(today).start
    days = CostSlice.objects.filter(source=source, day__gte=windows.backfill(today).start, day__lt=end).order_by()
    controlled = _controlled(source, days) if chosen else set()
    stored: dict[int, set[date]] = {number: set() for number in chosen}
    for place, day in days.filter(cube__in=_places(chosen)).values_list("cube", "day"):
        stored[place % ASIDE].add(day)
    return [(cube, piece) for number, cube in chosen.items() for piece in _pieces(controlled - stored[number])]


def _controlled(source: CostSource, days: QuerySet[CostSlice]) -> set[date]:
    """Those that Cost Explorer told a total of, which stands aside where a billing file tells the month."""
    of_files = set(ImportedPeriod.objects.owning().filter(source=source).values_list("month", flat=True))
    told = days.filter(cube__in=_places([Cube.TOTAL])).values_list("cube", "day")
    return {day for place, day in told if (place >= ASIDE) == (first_of_month(day) in of_files)}


def _pieces(missing: set[date]) -> list[DayRange]:
    if not missing:
        return []
    whole = DayRange(min(missing), windows.tomorrow(max(missing)))
    return [
        piece for piece in windows.chunks(whole, windows.CHUNK_MONTHS) if any(piece.start <= day < piece.end for day in missing)
    ]


def history_requests(*, source: CostSource, wanted: Mapping[str, bool], today: date) -> int:
    """The least that choosing these keys, by account where the value says so, asks at once."""
    keys = TagKey.objects.filter(key__in=wanted)
    cubes: dict[int, Cube] = {}
    for tag in keys:
        cubes |= _asked_for(tag, by_account=wanted[tag.key] and not source.is_single)
    return len(missing(source=source, chosen=cubes, today=today)) if source.backfilled_from else 0


def missing(*, source: CostSource, chosen: Mapping[int, Cube], today: date) -> list[Asked]:
    """The history of what was never asked, newest first, and what is missing of the rest."""
    asked = _asked_on(source, chosen)
    never = [cube for number, cube in chosen.items() if asked[number] is None]
    recent = windows.refresh(today)
    return [*((cube, recent) for cube in never), *_history(source, chosen, today)]
