"""Every place of the installation that holds sealed secrets, whatever app declares it, as rotation and checks see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.apps import apps
from django.db import models
from django.db.models import Count

from cloudconsole.sealing.fields import SealedField
from cloudconsole.sealing.keyring import Context, Sealed


@dataclass(frozen=True)
class SealedRow:
    """One ciphertext, where it stands, and the context it was sealed with."""

    pk: Any
    sealed: Sealed
    context: Context


class Column(Protocol):
    """One place where secrets are stored. `name` is what reports call it."""

    @property
    def name(self) -> str: ...

    def per_key(self) -> Counter[str]:
        """How many secrets each key has sealed, by key id."""
        ...

    def to_rotate(self, current: str, *, after: Any, limit: int) -> Sequence[SealedRow]:
        """The next rows that another key than `current` has sealed, in the order of their primary keys."""
        ...

    def swap(self, row: SealedRow, new: Sealed) -> bool:
        """Put `new` in place of exactly the ciphertext that was read. False when somebody has written meanwhile."""
        ...


@dataclass(frozen=True)
class FieldColumn:
    """A SealedField of a model."""

    model: type[models.Model]
    field: SealedField

    @property
    def name(self) -> str:
        return f"{self.model._meta.label}.{self.field.name}"

    def per_key(self) -> Counter[str]:
        counted = self._rows().order_by().values_list(self.field.key_field).annotate(Count("pk"))
        return Counter(dict(counted))

    def to_rotate(self, current: str, *, after: Any, limit: int) -> Sequence[SealedRow]:
        rows = self._rows().exclude(**{self.field.key_field: current}).order_by("pk")
        if after is not None:
            rows = rows.filter(pk__gt=after)
        found = rows.values_list("pk", self.field.name, self.field.key_field, self.field.owner)[:limit]
        return [
            SealedRow(pk, Sealed(bytes(ciphertext), key_id), Context(str(owner), self.field.purpose))
            for pk, ciphertext, key_id, owner in found
        ]

    def swap(self, row: SealedRow, new: Sealed) -> bool:
        same = self.model._base_manager.filter(
            **{"pk": row.pk, self.field.name: row.sealed.ciphertext, self.field.key_field: row.sealed.key_id}
        )
        return bool(same.update(**{self.field.name: new.ciphertext, self.field.key_field: new.key_id}))

    def _rows(self) -> models.QuerySet[Any]:
        # Empty holds no secret, and was made by no key.
        return self.model._base_manager.exclude(**{self.field.name: None}).exclude(**{self.field.name: b""})


_registered: list[Column] = []


def register(*columns: Column) -> None:
    """Secrets in tables that are not ours, which cannot declare a SealedField; said once, when the apps are ready."""
    _registered.extend(column for column in columns if column not in _registered)


def all_columns() -> list[Column]:
    """Every SealedField of every model and everything registered, in a steady order."""
    found: list[Column] = [
        FieldColumn(model, field)
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, SealedField)
    ]
    return sorted([*found, *_registered], key=lambda column: column.name)
