"""Rows of the inventory brought up to date with what AWS told. Only what changed is written in full."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from django.db import models, transaction

from resources.models.inventory import Resource

R = TypeVar("R", bound=Resource)

_BATCH = 500
_MAX_TAGS = 100  # AWS allows 50; what comes from outside is bounded all the same
_MAX_TAG = 512


@dataclass(frozen=True, slots=True)
class Place:
    """Where rows are told of: `within` finds them, `key` names one among them."""

    within: Mapping[str, Any]
    key: str


@dataclass(frozen=True, slots=True)
class Columns:
    """The fields that an answer speaks of; those of `at_times` only where they are not empty."""

    told: Sequence[str]
    at_times: Sequence[str] = ()


@dataclass(frozen=True)
class Merged(Generic[R]):
    """What a page of an answer changed: new rows, and pairs of a row as it was and as it is."""

    new: list[R] = field(default_factory=list)
    changed: list[tuple[R, R]] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.new or self.changed)


@transaction.atomic
def merge(model: type[R], rows: Sequence[R], place: Place, columns: Columns) -> Merged[R]:
    """Store `rows` in the `columns` that AWS spoke of; the other columns of rows that are known stay as they are.

    A row that is known from a later answer is left alone.
    """
    fresh = {getattr(row, place.key): row for row in rows}  # an answer that names one twice counts once
    known = _known(model, place, fresh)
    merged, touched = Merged[R](), []
    for key, row in fresh.items():
        before = known.get(key)
        _keep(before, row, columns.at_times)
        if before is None:
            merged.new.append(row)
        elif before.observed_at > row.observed_at:
            continue
        elif before.gone_at is not None or _differ(before, row, columns.told):
            merged.changed.append((before, row))
        else:
            touched.append(before.pk)
    _write(model, merged, place, columns.told)
    observed_at = rows[0].observed_at if rows else None
    model._base_manager.filter(pk__in=touched).update(observed_at=observed_at)
    return merged


def text(model: type[models.Model], name: str, value: str | None) -> str:
    """`value` as the column called `name` can hold it: without NUL, and no longer than the column."""
    length = model._meta.get_field(name).max_length  # type: ignore[union-attr]
    return (value or "").replace("\x00", "")[:length]


def tags(found: Mapping[str, str]) -> dict[str, str]:
    """Tags as they are kept."""
    clean = {_clean(key): _clean(value) for key, value in found.items()}
    return dict(sorted(clean.items())[:_MAX_TAGS])


def searched(*words: str, tags: Mapping[str, str]) -> str:
    """The text that a search looks through."""
    pairs = (f"{key}={value}" for key, value in tags.items())
    return "\n".join(word for word in (*words, *pairs) if word).lower()


def _clean(value: str) -> str:
    return value.replace("\x00", "")[:_MAX_TAG]


def _known(model: type[R], place: Place, keys: Iterable[str]) -> dict[str, R]:
    found = model._base_manager.select_for_update().filter(**place.within, **{f"{place.key}__in": list(keys)})
    return {getattr(row, place.key): row for row in found}


def _keep(before: Resource | None, after: Resource, at_times: Sequence[str]) -> None:
    for name in at_times:
        if before is not None and not getattr(after, name):
            setattr(after, name, getattr(before, name))


def _differ(before: Resource, after: Resource, told: Sequence[str]) -> bool:
    return any(getattr(before, name) != getattr(after, name) for name in told)


def _write(model: type[R], merged: Merged[R], place: Place, told: Sequence[str]) -> None:
    for before, row in merged.changed:
        row.first_seen_at = before.first_seen_at
    rows = [*merged.new, *(row for _, row in merged.changed)]
    unique = [*place.within, place.key]
    model._base_manager.bulk_create(
        rows,
        batch_size=_BATCH,
        update_conflicts=True,
        unique_fields=unique,
        update_fields=[*told, "searched", "observed_at", "gone_at"],
    )
    for before, row in merged.changed:
        row.pk = before.pk
