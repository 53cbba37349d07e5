"""Which days of a question are read from sums over all sources, and which from the facts themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from costs.rules.windows import DayRange, chunks

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cut:
    """Ranges of days, cut in two: neither holds a day of the other, both together hold all."""

    summed: tuple[DayRange, ...] = ()
    others: tuple[DayRange, ...] = ()


def by_days(ranges: Iterable[DayRange], *, is_summed: Callable[[date], bool], marked: Sequence[DayRange]) -> Cut:
    """Every day of a summed month (told by its first day) that no mark names is read from sums."""
    pieces = [(piece, is_summed(piece.start.replace(day=1))) for days in ranges for piece in _months(days)]
    found: list[tuple[DayRange, bool]] = []
    for piece, summed in pieces:
        found += _cut(piece, marked) if summed else [(piece, False)]
    return Cut(_joined(days for days, summed in found if summed), _joined(days for days, summed in found if not summed))


def by_months(months: DayRange | None, *, is_summed: Callable[[date], bool], marked: Sequence[DayRange]) -> Cut:
    """A month's sum holds as long as none of its days is marked. `months` are whole ones."""
    pieces = _months(months) if months else []
    clean = [piece for piece in pieces if is_summed(piece.start) and not any(_meet(piece, one) for one in marked)]
    return Cut(_joined(clean), _joined(piece for piece in pieces if piece not in clean))


def _months(days: DayRange) -> list[DayRange]:
    return list(reversed(chunks(days, 1)))


def _meet(one: DayRange, other: DayRange) -> bool:
    return one.start < other.end and other.start < one.end


def _cut(days: DayRange, marked: Sequence[DayRange]) -> list[tuple[DayRange, bool]]:
    inside = [mark for mark in marked if _meet(days, mark)]
    if not inside:
        return [(days, True)]
    each = [days.start + _DAY * number for number in range(days.days)]
    return [(DayRange(day, day + _DAY), not any(mark.start <= day < mark.end for mark in inside)) for day in each]


def _joined(pieces: Iterable[DayRange]) -> tuple[DayRange, ...]:
    """Neighbours as one range. `pieces` come in their order."""
    found: list[DayRange] = []
    for piece in pieces:
        if found and found[-1].end == piece.start:
            found[-1] = DayRange(found[-1].start, piece.end)
        else:
            found.append(piece)
    return tuple(found)
