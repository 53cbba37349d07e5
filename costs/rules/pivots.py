"""A table of the largest groups, the others as one, what AWS told in no group, and the total: rows and columns add up exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from cloudconsole.core.money import EXACT, ZERO, total


class Kind(StrEnum):
    """What a row stands for."""

    GROUP = "group"
    OTHER = "other"  # the groups that have no row of their own
    RESIDUAL = "residual"  # in the total, in no group
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Told:
    """What one span cost by row and column. What the groups leave of `total` is the residual; `totals` are those of the columns
    where AWS tells them, as it does for days and months.
    """

    amounts: Mapping[tuple[str, str], Decimal]
    total: Decimal
    totals: Mapping[str, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class Before:
    """What the span before cost, by row."""

    amounts: Mapping[str, Decimal]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Row:
    """One line. A cell is None where AWS does not tell it, `share` where the total is zero, `before` where nothing is known."""

    kind: Kind
    key: str
    cells: tuple[Decimal | None, ...]
    amount: Decimal
    share: Decimal | None
    before: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return None if self.before is None else EXACT.subtract(self.amount, self.before)


@dataclass(frozen=True, slots=True)
class Pivot:
    """`heads` are the keys of the columns, None for all others together. Rows: groups, others, residual, total."""

    heads: tuple[str | None, ...]
    rows: tuple[Row, ...]


def largest(amounts: Mapping[str, Decimal], count: int) -> list[str]:
    """The keys of the largest amounts, whatever their sign."""
    return sorted(amounts, key=lambda key: (-abs(amounts[key]), key))[:count]


def sums(amounts: Mapping[tuple[str, str], Decimal], at: int) -> dict[str, Decimal]:
    """The amounts summed by the first (0) or the second (1) part of their keys."""
    found: dict[str, Decimal] = {}
    for keys, amount in amounts.items():
        found[keys[at]] = EXACT.add(found.get(keys[at], ZERO), amount)
    return found


def heads_of(amounts: Mapping[str, Decimal], count: int) -> tuple[str | None, ...]:
    """The `count` largest columns, and one for the others where there are any. `amounts` by column."""
    shown = largest(amounts, count)
    return (*shown, None) if len(amounts) > len(shown) else tuple(shown)


def pivot(now: Told, before: Before | None, *, shown: Sequence[str], heads: Sequence[str | None]) -> Pivot:
    """The rows `shown` by the columns `heads`. Columns that are no head are counted under None, if that is one."""
    parts = _by_row(now.amounts)
    groups = [_row(key, {key}, _Spans(parts, now.total, before), heads) for key in shown]
    named = set(parts) | set(before.amounts if before else ())
    rest = named - set(shown)
    others = [_row("", rest, _Spans(parts, now.total, before), heads)] if rest else []
    return Pivot(tuple(heads), (*groups, *others, *_sums(now, before, heads)))


@dataclass(frozen=True, slots=True)
class _Spans:
    """The amounts of `now` by row as (column, amount), its total, and the span before."""

    parts: Mapping[str, Sequence[tuple[str, Decimal]]]
    total: Decimal
    before: Before | None


def _by_row(amounts: Mapping[tuple[str, str], Decimal]) -> dict[str, list[tuple[str, Decimal]]]:
    found: dict[str, list[tuple[str, Decimal]]] = {}
    for (row, column), amount in amounts.items():
        found.setdefault(row, []).append((column, amount))
    return found


def _row(key: str, keys: Collection[str], spans: _Spans, heads: Sequence[str | None]) -> Row:
    """The groups in `keys` as one line: the one called `key`, or the others where that is empty."""
    told = [part for one in keys for part in spans.parts.get(one, ())]
    amount = total(value for _, value in told)
    known = None if spans.before is None else total(spans.before.amounts.get(one, ZERO) for one in keys)
    return Row(Kind.GROUP if key else Kind.OTHER, key, _cells(told, heads), amount, _share(amount, spans.total), known)


def _sums(now: Told, before: Before | None, heads: Sequence[str | None]) -> tuple[Row, Row]:
    told = _cells([(column, amount) for (_, column), amount in now.amounts.items()], heads)
    totals = told if now.totals is None else tuple(now.totals.get(head or "", ZERO) for head in heads)
    left = tuple(None if now.totals is None else EXACT.subtract(whole, part) for whole, part in zip(totals, told, strict=True))
    residual = EXACT.subtract(now.total, total(now.amounts.values()))
    gone = None if before is None else EXACT.subtract(before.total, total(before.amounts.values()))
    return (
        Row(Kind.RESIDUAL, "", left, residual, _share(residual, now.total), gone),
        Row(Kind.TOTAL, "", totals, now.total, _share(now.total, now.total), None if before is None else before.total),
    )


def _cells(parts: Iterable[tuple[str, Decimal]], heads: Sequence[str | None]) -> tuple[Decimal, ...]:
    cells = dict.fromkeys(heads, ZERO)
    for column, amount in parts:
        head = column if column in cells else None
        if head in cells:
            cells[head] = EXACT.add(cells[head], amount)
    return tuple(cells.values())


def _share(amount: Decimal, whole: Decimal) -> Decimal | None:
    return EXACT.divide(amount, whole) if whole else None
