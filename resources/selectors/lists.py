"""The lists of what runs: one question for pages, API and exports, answered in slices that stay put while rows arrive."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Coalesce

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from resources.models import Bucket, Function, Instance, Service
from resources.models.inventory import Resource, ResourceQuerySet

R = TypeVar("R", bound=Resource)

EXPORT_CHUNK = 1000
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_CURSOR = 2000


@dataclass(frozen=True)
class Kind(Generic[R]):
    """One list: its rows, the filters (parameter → column) and the orders (parameter → column) it knows."""

    service: Service
    objects: ResourceQuerySet[R]
    filters: Mapping[str, str]
    orders: Mapping[str, str]

    def choices(self, user: User, names: Sequence[str]) -> dict[str, list[str]]:
        """The values for which each of these filters finds something, read in one pass."""
        seen = self.objects.visible_to(user, Perm.RESOURCES_VIEW).present().order_by()
        found = list(seen.values_list(*(self.filters[name] for name in names)).distinct())
        return {name: sorted({values[at] for values in found} - {""}) for at, name in enumerate(names)}


_COMMON = {"name": "name", "region": "region", "account": "account__alias", "observed_at": "observed_at"}

INSTANCES = Kind[Instance](
    Service.EC2,
    Instance.objects.all(),
    {"state": "state", "region": "region", "instance_type": "instance_type", "vpc": "vpc_id", "image": "image_id"},
    {**_COMMON, "id": "instance_id", "state": "state", "instance_type": "instance_type", "launched_at": "launched_at"},
)
BUCKETS = Kind[Bucket](
    Service.S3,
    Bucket.objects.all(),
    {"region": "region", "versioning": "versioning"},
    {**_COMMON, "size_bytes": "size_bytes", "object_count": "object_count", "created_at": "created_at"},
)
FUNCTIONS = Kind[Function](
    Service.LAMBDA,
    Function.objects.all(),
    {"region": "region", "runtime": "runtime", "state": "state"},
    {
        **_COMMON,
        "runtime": "runtime",
        "memory_mb": "memory_mb",
        "code_size": "code_size",
        "modified_at": "modified_at",
        "invocations_24h": "invocations_24h",
        "errors_24h": "errors_24h",
    },
)


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks of a list. `accounts` None: all they may see. `order`: one of the kind's, "-" for descending."""

    accounts: Sequence[AwsAccount] | None = None
    filters: Mapping[str, Sequence[str]] = field(default_factory=dict)
    search: str = ""
    gone: bool = False
    order: str = "name"

    @property
    def narrowed(self) -> bool:
        return bool(self.search or self.gone or any(self.filters.values()))


def found(kind: Kind[R], user: User, question: Question) -> QuerySet[R]:
    """The rows that `user` may see and asks for, in no order yet."""
    rows = kind.objects.visible_to(user, Perm.RESOURCES_VIEW).filter(gone_at__isnull=not question.gone)
    if question.accounts is not None:
        rows = rows.filter(account__in=question.accounts)
    for name, values in question.filters.items():
        if values:
            rows = rows.filter(**{f"{kind.filters[name]}__in": values})
    for word in question.search.lower().split():
        rows = rows.filter(searched__contains=word)
    return rows.select_related("account")


def ordered(kind: Kind[R], rows: QuerySet[R], order: str) -> QuerySet[R]:
    """By the order and then by number, so that no two rows are level. What is not known comes before everything."""
    keyed = _keyed(kind, rows, order)
    return keyed.order_by("-sort_key", "-pk") if order.startswith("-") else keyed.order_by("sort_key", "pk")


@dataclass(frozen=True)
class Slice(Generic[R]):
    """Some rows of a list; `before` and `after` are cursors, empty at the ends."""

    rows: list[R]
    before: str
    after: str


def slice_of(kind: Kind[R], rows: QuerySet[R], order: str, *, size: int, before: str = "", after: str = "") -> Slice[R]:
    """The `size` rows that follow the cursor `after`, or precede `before`. A cursor that means nothing is the beginning."""
    backwards = bool(before)
    place = _opened(kind, order, before or after)
    wanted = _reversed(order) if backwards and place else order
    if place is not None:
        rows = _keyed(kind, rows, order).filter(_beyond(place, wanted))
    taken = list(ordered(kind, rows, wanted)[: size + 1])
    has_more, taken = len(taken) > size, taken[:size]
    if backwards and place:
        taken.reverse()
        return Slice(taken, _sealed(taken[0]) if taken and has_more else "", _sealed(taken[-1]) if taken else "")
    return Slice(taken, _sealed(taken[0]) if taken and place else "", _sealed(taken[-1]) if taken and has_more else "")


def one_by_one(kind: Kind[R], rows: QuerySet[R], order: str) -> Iterator[list[R]]:
    """All of them, a chunk at a time, so that no cursor of the database stays open while a download waits."""
    after = ""
    while True:
        part = slice_of(kind, rows, order, size=EXPORT_CHUNK, after=after)
        yield part.rows
        if not part.after:
            return
        after = part.after


def _keyed(kind: Kind[R], rows: QuerySet[R], order: str) -> QuerySet[R]:
    keyed: QuerySet[Any] = rows.annotate(sort_key=_sort_key(kind, order.removeprefix("-")))
    return keyed


def _sort_key(kind: Kind[R], name: str) -> Any:
    column = kind.orders[name]
    field_of = _column(kind, column)
    if not field_of.null:
        return F(column)
    # NULLs sort differently in each database, and a cursor cannot compare with one.
    empty: Any = _LONG_AGO if isinstance(field_of, models.DateTimeField) else -1
    return Coalesce(column, Value(empty), output_field=field_of)


def _reversed(order: str) -> str:
    return order.removeprefix("-") if order.startswith("-") else f"-{order}"


def _beyond(place: tuple[Any, int], order: str) -> Q:
    value, pk = place
    way = "lt" if order.startswith("-") else "gt"
    return Q(**{f"sort_key__{way}": value}) | Q(**{"sort_key": value, f"pk__{way}": pk})


def _sealed(row: Any) -> str:
    value = row.sort_key.isoformat() if isinstance(row.sort_key, datetime) else row.sort_key
    return base64.urlsafe_b64encode(json.dumps([value, row.pk]).encode()).decode().rstrip("=")


def _opened(kind: Kind[R], order: str, cursor: str) -> tuple[Any, int] | None:
    """What the cursor stands at, or None for one that was made up: only what the column can hold is compared with it."""
    if not cursor or len(cursor) > _LONGEST_CURSOR:
        return None
    column = _column(kind, kind.orders[order.removeprefix("-")])
    try:
        value, pk = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if isinstance(pk, bool) or not isinstance(pk, int) or not 0 < pk < 2**63:
            return None
        return _comparable(column, value), pk
    except (ValueError, TypeError, ValidationError):
        return None


def _comparable(column: Any, value: object) -> object:
    """`value` as the column holds it. Raises ValueError or ValidationError for what it cannot hold."""
    known = column.to_python(value)
    out_of_range = isinstance(known, int) and abs(known) >= 2**63
    naive = isinstance(known, datetime) and known.tzinfo is None
    if known is None or out_of_range or naive or (isinstance(known, str) and "\x00" in known):
        raise ValueError("not a value of this column")
    return known


def _column(kind: Kind[R], path: str) -> Any:
    model: Any = kind.objects.model
    *relations, last = path.split("__")
    for relation in relations:
        model = model._meta.get_field(relation).related_model
    return model._meta.get_field(last)
