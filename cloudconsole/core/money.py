"""Exact money. Amounts are Decimals with twelve places, on PostgreSQL and on SQLite, in rows and in sums."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from decimal import Context, Decimal, InvalidOperation
from functools import reduce
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Aggregate
from django.db.models.expressions import Combinable

MAX_DIGITS = 28
DECIMAL_PLACES = 12
ZERO = Decimal(0)

# Sums of many rows stay exact: far more digits than any sum of 28-digit amounts can need.
EXACT = Context(prec=60)


def total(amounts: Iterable[Decimal]) -> Decimal:
    """The exact sum. The built-in `sum` rounds to 28 digits, fewer than a sum of many amounts can need."""
    return reduce(EXACT.add, amounts, ZERO)


class AmountField(models.DecimalField):  # type: ignore[type-arg]
    """A signed amount of money, exact to twelve decimal places.

    SQLite's numeric affinity would turn long decimals into binary floats, so there the column is text.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", MAX_DIGITS)
        kwargs.setdefault("decimal_places", DECIMAL_PLACES)
        super().__init__(*args, **kwargs)

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "text" if connection.vendor == "sqlite" else f"numeric({self.max_digits}, {self.decimal_places})"

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Decimal | None:
        return None if value is None else Decimal(value)

    def get_internal_type(self) -> str:
        # Not "DecimalField": Django's SQLite converter for that name rounds through a float.
        return "AmountField"

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        amount = self.to_python(value)
        return str(amount) if amount is not None and connection.vendor == "sqlite" else amount


class ScaledAmountField(models.BigIntegerField):  # type: ignore[type-arg]
    """A signed amount of money with four decimal places, kept as a whole number of ten-thousandths.

    Either database sums, sorts and compares it natively and exactly; sums and extremes of it read as Decimals again.
    """

    PLACES = 4

    def from_db_value(self, value: Any, expression: Any, connection: BaseDatabaseWrapper) -> Decimal | None:
        return None if value is None else Decimal(value).scaleb(-self.PLACES, EXACT)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return Decimal(str(value))
        except InvalidOperation as error:
            raise ValidationError("This is not a number.", code="invalid") from error

    def get_prep_value(self, value: Any) -> Any:
        amount = None if isinstance(value, Combinable) else self.to_python(value)
        if amount is None:
            return value
        scaled = amount.scaleb(self.PLACES, EXACT)
        if scaled != scaled.to_integral_value():
            raise ValueError(f"{amount} has more than {self.PLACES} decimal places")
        return int(scaled)

    def value_to_string(self, obj: models.Model) -> str:
        return str(self.value_from_object(obj))

    def formfield(self, **kwargs: Any) -> Any:
        return models.Field.formfield(self, form_class=forms.DecimalField, decimal_places=self.PLACES, **kwargs)


class ExactSum(Aggregate):
    """SUM over an AmountField without a float on the way. None for no rows, as SUM does."""

    function = "SUM"
    name = "ExactSum"
    window_compatible = True

    def __init__(self, expression: str | Combinable, **extra: Any) -> None:
        super().__init__(expression, output_field=AmountField(), **extra)

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return self.as_sql(compiler, connection, function="exact_sum", **extra)


class _SqliteExactSum:
    """The SQLite aggregate behind ExactSum, over groups and over windows; registered on every connection by `CoreConfig`."""

    def __init__(self) -> None:
        self.total = ZERO
        self.count = 0

    def step(self, value: str | None) -> None:
        if value is not None:
            self.total = EXACT.add(self.total, Decimal(value))
            self.count += 1

    def inverse(self, value: str | None) -> None:
        """The row has left the window."""
        if value is not None:
            self.total = EXACT.subtract(self.total, Decimal(value))
            self.count -= 1

    def value(self) -> str | None:
        return str(self.total) if self.count else None

    finalize = value


def register_sqlite_functions(connection: BaseDatabaseWrapper) -> None:
    if connection.vendor == "sqlite":
        raw: sqlite3.Connection = connection.connection
        raw.create_window_function("exact_sum", 1, _SqliteExactSum)
