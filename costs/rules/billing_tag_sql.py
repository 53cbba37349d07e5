"""What a line of a billing file says under a tag, in SQL: its value, or which kind of nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass

from costs.rules import billing_tags
from costs.rules.billing_formats import Header
from costs.rules.sql_dialects import LONGEST_NAME, Dialect, is_nothing, literal
from costs.rules.tags import EMPTY, NO_VALUE, UNTAGGED

# No key has it: AWS allows letters, digits, spaces and a few signs.
BETWEEN_NAMES = "\x1f"


@dataclass(frozen=True, slots=True)
class TagColumns:
    """The columns that tell tags. `maps`: those that are maps; others hold JSON, or one tag each."""

    dialect: Dialect
    header: Header
    maps: frozenset[str]

    def value(self, key: str) -> str | None:
        """NULL where it cannot be read, so that the line is told by no value; None where the file has no place for the tag."""
        own = billing_tags.column_of(key, self.header.columns.values())
        if own is not None:
            text = self._text(own)
            # One empty cell for both: no such tag, and an empty value.
            return f"CASE WHEN COALESCE({text}, '') = '' THEN {literal(NO_VALUE)} ELSE {_kept(text)} END"
        holder = self._holder()
        return None if holder is None else self._held(holder, key)

    def _held(self, holder: str, key: str) -> str:
        how = self.dialect.of_map if holder in self.maps else self.dialect.of_tags
        found = ", ".join(how.format(self.dialect.quoted(holder), literal(name)) for name in billing_tags.names_of(key))
        value = f"COALESCE({found}, NULL)"
        cases = [f"{value} IS NULL THEN {literal(UNTAGGED)}", f"{value} = '' THEN {literal(EMPTY)}"]
        if holder not in self.maps:
            text = self._text(holder)
            cases.insert(0, f"{text} IS NULL OR {is_nothing(f'TRIM({text})')} THEN {literal(UNTAGGED)}")
            cases.insert(1, f"NOT ({self.dialect.is_json.format(text)}) THEN NULL")
        return f"CASE {' '.join(f'WHEN {case}' for case in cases)} ELSE {_kept(value)} END"

    def all(self) -> str | None:
        """All of a line's tags as a JSON object, in DuckDB's words; None where the file tells none."""
        holder = self._holder()
        if holder is not None:
            column = self.dialect.quoted(holder)
            if holder in self.maps:
                return f"CAST(TO_JSON({column}) AS VARCHAR)"
            return f"CASE WHEN {self.dialect.is_json.format(self._text(holder))} THEN {self._text(holder)} END"
        own = {key: name for name in self.header.columns.values() if (key := billing_tags.key_in_column(name))}
        pairs = (
            f"CASE WHEN {self._text(name)} <> '' THEN {literal(json.dumps(key))} || ':' || TO_JSON({self._text(name)}) END"
            for key, name in own.items()
        )
        return f"'{{' || CONCAT_WS(',', {', '.join(pairs)}) || '}}'" if own else None

    def names(self) -> str | None:
        """The names of a line's tags, as the file writes them, one behind the other; None where no one column holds them."""
        holder = self._holder()
        if holder is None:
            return None
        how = self.dialect.names_in_map if holder in self.maps else self.dialect.names_in_json
        return how.format(self.dialect.quoted(holder), f"CHR({ord(BETWEEN_NAMES)})")

    def _holder(self) -> str | None:
        return next((name for one in billing_tags.HOLDERS if (name := self.header.name_of(one))), None)

    def _text(self, column: str) -> str:
        return f"CAST({self.dialect.quoted(column)} AS VARCHAR)"


def _kept(text: str) -> str:
    """As it is stored: no database keeps a NUL. What is longer than any value is not told."""
    return f"CASE WHEN LENGTH({text}) <= {LONGEST_NAME} THEN REPLACE({text}, CHR(0), '') END"
