"""Finding rows by the beginnings of words, by one index on PostgreSQL and by a scan on SQLite, with the same answers."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models.lookups import Lookup

# The index of `migrations` is over this expression of the column; PostgreSQL uses it only for the same expression.
VECTOR = "array_to_tsvector(string_to_array(ltrim(%s), ' '))"


class SearchedField(models.TextField):  # type: ignore[type-arg]
    """Words in lower case with a space before each, as `rules.wording.searched` writes them."""


@SearchedField.register_lookup
class HasWordsBeginning(Lookup):
    """`searched__words=["coff", "berl"]`: for each, some word begins so. The given have letters and digits only."""

    lookup_name = "words"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        likes = " AND ".join([f"{column} LIKE %s"] * len(self.rhs))
        return f"({likes or '1 = 1'})", tuple(one for word in self.rhs for one in (*params, f"% {word}%"))

    def as_postgresql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        column, params = self.process_lhs(compiler, connection)
        return f"{VECTOR % column} @@ %s::tsquery", (*params, " & ".join(f"'{word}':*" for word in self.rhs))
