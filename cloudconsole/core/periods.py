"""The periods that days are summed in, as SQL that either database computes itself.

Django's own Trunc and Extract call back into Python for each row on SQLite.
"""

from __future__ import annotations

from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import DateField, Func, IntegerField


class _OfADay(Func):
    """What the template of the database makes of a column of days."""

    arity = 1
    postgresql = ""
    sqlite = ""

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper, *args: Any, **kwargs: Any) -> tuple[str, Any]:
        template = self.sqlite if connection.vendor == "sqlite" else self.postgresql
        return super().as_sql(compiler, connection, *args, **{**kwargs, "template": template})


class MonthOf(_OfADay):
    """The first day of the month."""

    output_field = DateField()
    postgresql = "DATE_TRUNC('month', %(expressions)s)::date"
    sqlite = "SUBSTR(%(expressions)s, 1, 7) || '-01'"


class WeekOf(_OfADay):
    """The Monday of the week."""

    output_field = DateField()
    postgresql = "DATE_TRUNC('week', %(expressions)s)::date"
    sqlite = "DATE(%(expressions)s, 'weekday 0', '-6 days')"


class WeekdayOf(_OfADay):
    """1 is Monday."""

    output_field = IntegerField()
    postgresql = "EXTRACT(ISODOW FROM %(expressions)s)::integer"
    sqlite = "(STRFTIME('%%%%w', %(expressions)s) + 6) %%%% 7 + 1"
