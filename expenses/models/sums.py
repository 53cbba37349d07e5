"""Sums of a column of `ScaledAmountField`, exact on either database."""

from __future__ import annotations

from typing import Any

from django.db.models import Aggregate
from django.db.models.expressions import Combinable

from cloudconsole.core.money import ScaledAmountField


class CostSum(Aggregate):
    """SUM. None for no rows."""

    function = "SUM"
    name = "CostSum"

    def __init__(self, expression: str | Combinable, **extra: Any) -> None:
        super().__init__(expression, output_field=ScaledAmountField(), **extra)
