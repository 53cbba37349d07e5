"""Pages of a list without end: from a row on, in either direction, however far down, without counting."""

from __future__ import annotations

import base64
import binascii
import heapq
import json
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, Final

from django.db.models import Q

from cloudconsole.core.errors import CloudconsoleError
from expenses.models import Expense, ExpenseQuerySet

# The orders there are. Ids sort by when they were made.
ORDERINGS: Final = ("-date", "date", "-cost", "cost", "-created_at", "created_at")
NEWEST: Final = "-date"
_COLUMN: Final = {"date": "date", "cost": "cost", "created_at": "id"}
# A question for each of more workspaces would take longer than putting all their rows in order.
_MERGED: Final = 20


class CursorRefused(CloudconsoleError):
    code = "invalid"
    title = "The cursor is none of this list"


@dataclass(frozen=True)
class Page:
    """`newer` and `older` are cursors, empty at the ends."""

    rows: list[Expense]
    newer: str = ""
    older: str = ""


@dataclass(frozen=True)
class _Place:
    value: Any
    id: uuid.UUID
    backwards: bool


def page(
    found: ExpenseQuerySet, *, ordering: str = NEWEST, cursor: str = "", size: int, workspaces: Collection[int] = ()
) -> Page:
    """The rows after (or before) the one that the cursor names. `workspaces`: those that `found` may be of, where it is known.

    Raises CursorRefused.
    """
    column, descending = _COLUMN[ordering.removeprefix("-")], ordering.startswith("-")
    place = _read(cursor, column) if cursor else None
    backwards = place is not None and place.backwards
    down = descending != backwards
    narrowed = found if place is None else found.filter(_beyond(column, place, down=down))
    rows = _first(narrowed, column, down=down, count=size + 1, workspaces=workspaces)
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    has_newer, has_older = (more, True) if backwards else (place is not None, more)
    return Page(
        rows,
        _cursor(rows[0], column, backwards=True) if rows and has_newer else "",
        _cursor(rows[-1], column, backwards=False) if rows and has_older else "",
    )


def _first(found: ExpenseQuerySet, column: str, *, down: bool, count: int, workspaces: Collection[int]) -> list[Expense]:
    """An index has the order of one workspace: of several, the first rows of each are merged, so that no others are read.

    The index of costs has no ids in it, and what it leaves to be put in order are better two columns than whole rows.
    """
    order = _order(column, down=down)
    is_merged = column != "id" and 1 < len(workspaces) <= _MERGED
    if column != "cost" and not is_merged:
        return list(found.order_by(*order).with_names()[:count])
    each = [found.filter(workspace=pk) for pk in workspaces] if is_merged else [found]
    keys = [one.order_by(*order).values_list(column, "id")[:count] for one in each]
    ids = [pk for _, pk in islice(heapq.merge(*keys, reverse=down), count)]
    rows = {one.pk: one for one in found.filter(pk__in=ids).with_names()}
    return [rows[pk] for pk in ids if pk in rows]


def cursor_after(row: Expense, ordering: str = NEWEST) -> str:
    """The cursor of the page that follows `row`."""
    return _cursor(row, _COLUMN[ordering.removeprefix("-")], backwards=False)


def _order(column: str, *, down: bool) -> list[str]:
    sign = "-" if down else ""
    return [f"{sign}{column}"] if column == "id" else [f"{sign}{column}", f"{sign}id"]


def _beyond(column: str, place: _Place, *, down: bool) -> Q:
    less = "lt" if down else "gt"
    if column == "id":
        return Q(**{f"id__{less}": place.id})
    further = Q(**{f"{column}__{less}": place.value}) | Q(**{column: place.value, f"id__{less}": place.id})
    return Q(**{f"{column}__{less}e": place.value}) & further  # the first part is what an index can start from


def _cursor(row: Expense, column: str, *, backwards: bool) -> str:
    told = json.dumps([str(getattr(row, column)), str(row.pk), backwards])
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read(cursor: str, column: str) -> _Place:
    try:
        told = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        value, pk, backwards = told
        return _Place(_value(column, str(value)), uuid.UUID(str(pk)), backwards is True)
    except (ValueError, TypeError, binascii.Error, InvalidOperation, RecursionError) as error:
        raise CursorRefused("Take the cursor from `next` or `previous` of an earlier answer.", attr="cursor") from error


def _value(column: str, text: str) -> Any:
    if column == "date":
        return date.fromisoformat(text)
    if column == "cost":
        amount = Decimal(text)
        if not amount.is_finite() or not -(10**13) <= amount <= 10**13 or amount != round(amount, 4):
            raise ValueError(text)
        return amount
    return None
