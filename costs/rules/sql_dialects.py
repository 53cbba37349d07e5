"""What DuckDB and Athena say differently in the questions asked of billing files."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_NAME = 1024
# What exports write where there is nothing.
NOTHINGS = ("", "NULL", "null", "Null", "\\N", "None", "none", "NaN", "nan")


@dataclass(frozen=True, slots=True)
class Dialect:
    """What the two engines say differently."""

    name: str
    fits: str  # whether all of {0} is what the regular expression {1} says
    of_map: str  # the value under the key {1} of the map {0}
    of_json: str  # the same of JSON text, NULL where it is none
    of_tags: str  # the same, whatever is in the key
    is_json: str  # whether the text {0} is JSON
    names_in_map: str  # the keys of the map {0} as one text, {1} between them
    names_in_json: str  # the same of JSON text, NULL where it is none

    def quoted(self, column: str) -> str:
        """An identifier, whatever is in it."""
        return '"' + column.replace('"', '""') + '"'


DUCKDB = Dialect(
    name="duckdb",
    fits="regexp_full_match({0}, '{1}')",
    of_map="{0}[{1}]",
    of_json="TRY(json_extract_string({0}, '$.' || {1}))",
    of_tags="TRY(json_extract_string({0}, '/' || REPLACE(REPLACE({1}, '~', '~0'), '/', '~1')))",
    is_json="json_valid({0})",
    names_in_map="array_to_string(map_keys({0}), {1})",
    names_in_json="CASE WHEN json_valid({0}) THEN array_to_string(json_keys({0}), {1}) END",
)
ATHENA = Dialect(
    name="athena",
    fits="regexp_like({0}, '^{1}$')",
    of_map="element_at({0}, {1})",
    of_json="json_extract_scalar({0}, '$.' || {1})",
    of_tags="element_at(TRY(CAST(json_parse({0}) AS MAP(VARCHAR, VARCHAR))), {1})",
    is_json="TRY(json_parse({0})) IS NOT NULL",
    names_in_map="array_join(map_keys({0}), {1})",
    names_in_json="array_join(map_keys(TRY(CAST(json_parse({0}) AS MAP(VARCHAR, JSON)))), {1})",
)


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def is_nothing(text: str) -> str:
    """Whether an expression without blanks is what exports write for nothing.

    Asked of every cell, and a length is compared several times as quickly as text.
    """
    longest = max(map(len, NOTHINGS))
    return f"(LENGTH({text}) <= {longest} AND {text} IN ({', '.join(literal(nothing) for nothing in NOTHINGS)}))"
