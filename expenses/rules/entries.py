"""What is said of one expense: by a person, a program, or a row of a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Entry:
    """`cost` is positive for money spent. Category and payment method go by their names."""

    date: date
    cost: Decimal
    currency: str
    payee: str = ""
    description: str = ""
    category: str = ""
    subcategory: str = ""
    payment_method: str = ""
    location: str = ""
    tags: tuple[str, ...] = ()
    notes: str = ""
    external_id: str = ""

    def as_json(self) -> dict[str, Any]:
        plain = {one.name: getattr(self, one.name) for one in fields(Entry)}  # `asdict` copies deeply: of a file, for seconds
        return {**plain, "date": self.date.isoformat(), "cost": f"{self.cost:f}", "tags": list(self.tags)}

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Self:
        """What `as_json` wrote."""
        exact = {"date": date.fromisoformat(kept["date"]), "cost": Decimal(kept["cost"]), "tags": tuple(kept["tags"])}
        return cls(**{**kept, **exact})
