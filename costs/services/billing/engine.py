"""DuckDB, locked in: it reads the one export it is given, within bounds of memory and threads, and nothing else on this machine.

The files come from anybody. So there is no network, no extension that is not built in, no other file, and no way to change that.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
from django.conf import settings

from cloudconsole.core.errors import CloudconsoleError
from costs.rules import billing_formats
from costs.rules.billing_formats import Header
from costs.rules.billing_sql import TAG_NAMES, Query
from costs.rules.sql_dialects import DUCKDB, literal
from costs.services.billing.content import LEFT_FREE, Content, Shape, UnreadableFile

MEMORY = "512MB"
THREADS = 2
_LONGEST_LINE = 8 << 20
_LOOK_EVERY_S = 1.0
# The first faulty lines that are told one by one.
TOLD_FAULTS = 10_000
ANSWER, CHARGES = "answer", "charges"
_PIECE = 2_000
_MIB = 1 << 20

Alive = Callable[[int], None]


class TookTooLong(CloudconsoleError):
    """A small Parquet file may say that it has any number of rows."""

    code = "import_too_long"
    title = "Reading took too long"


class Engine:
    """One locked connection. `alive` is called about every second with the percent done; what it raises ends the query.

    Reading ends after COST_IMPORT_MAX_MINUTES, and takes no more of the disk than COST_IMPORT_MAX_GB and what is free.
    """

    def __init__(self, folder: Path, paths: Sequence[Path], alive: Alive) -> None:
        self._alive, self._until = alive, time.monotonic() + settings.COST_IMPORT_MAX_MINUTES * 60
        self.written, self.taken = folder / "charges.parquet", folder / "answer.csv"
        (folder / "spill").mkdir(exist_ok=True)
        self.connection = duckdb.connect(
            ":memory:",
            config={
                "threads": THREADS,
                "memory_limit": MEMORY,
                "temp_directory": str(folder / "spill"),
                "max_temp_directory_size": f"{_room(folder) // _MIB}MiB",
                "preserve_insertion_order": True,
                "allow_community_extensions": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            },
        )
        allowed = ", ".join(literal(str(path)) for path in (*paths, self.written, self.taken))
        self.connection.execute(f"SET allowed_paths = [{allowed}]")
        self.connection.execute("SET enable_external_access = false")
        self.connection.execute("SET lock_configuration = true")

    def hold(self, sql: str) -> None:
        """Keep what `Query.aggregate` answers: the table `ANSWER`, of which CHARGES are the charges."""
        self.run(f"CREATE TABLE {ANSWER} AS {sql}")
        self.run(f"CREATE VIEW {CHARGES} AS SELECT * EXCLUDE ({TAG_NAMES}) FROM {ANSWER} WHERE {TAG_NAMES} IS NULL")

    def run(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """The rows of a statement, which runs beside this thread. Raises UnreadableFile, and what `alive` raises."""
        with ThreadPoolExecutor(max_workers=1) as beside:
            asked = beside.submit(lambda: self.connection.execute(sql, parameters).fetchall())
            while True:
                try:
                    return asked.result(timeout=_LOOK_EVERY_S)
                except TimeoutError:
                    self._look(asked.done())
                except duckdb.Error as error:
                    raise unreadable(error) from error

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a statement, a piece of them in memory at a time. Raises UnreadableFile."""
        try:
            found = self.connection.execute(sql, parameters)
            while piece := found.fetchmany(_PIECE):
                yield from piece
        except duckdb.Error as error:
            raise unreadable(error) from error

    def _check_time(self) -> None:
        if time.monotonic() > self._until:
            raise TookTooLong(
                f"It was not read within {settings.COST_IMPORT_MAX_MINUTES} minutes (COST_IMPORT_MAX_MINUTES). It may be "
                "damaged, or made to take long."
            )

    def _look(self, is_over: bool) -> None:
        if is_over:
            return
        try:
            self._check_time()
            self._alive(max(0, min(100, int(self.connection.query_progress()))))
        except BaseException:
            self.connection.interrupt()
            raise


def _room(folder: Path) -> int:
    """How many bytes may be spilled: some of the disk is left for everything else."""
    return max(_MIB, min(settings.COST_IMPORT_MAX_GB << 30, shutil.disk_usage(folder).free - LEFT_FREE))


@contextmanager
def opened(folder: Path, paths: Sequence[Path], alive: Alive) -> Iterator[Engine]:
    engine = Engine(folder, paths, alive)
    try:
        yield engine
    finally:
        engine.connection.close()


def query_of(engine: Engine, content: Content, tags: Mapping[str, str]) -> Query:
    """The questions to the content's rows. `tags`: the wanted keys, by their columns.

    Raises UnreadableFile for what is no billing file.
    """
    if content.shape is Shape.CSV:
        header_of(content.names)  # as the file has them: below, those that come twice are told apart
    source, names, maps = _csv_source(content) if content.shape is Shape.CSV else _parquet_source(engine, content)
    return Query(DUCKDB, header_of(names), source, maps, tags)


def header_of(names: Sequence[str]) -> Header:
    try:
        return billing_formats.read(names)
    except billing_formats.UnknownFormat as error:
        raise UnreadableFile(str(error)) from error


def _csv_source(content: Content) -> tuple[str, tuple[str, ...], frozenset[str]]:
    names = _told_apart(content.names)
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    files = ", ".join(literal(str(path)) for path in content.paths)
    source = (
        f"read_csv([{files}], columns = {{{columns}}}, delim = {literal(content.delimiter)}, quote = '\"', escape = '\"', "
        f"header = true, auto_detect = false, ignore_errors = true, store_rejects = true, rejects_limit = 0, "
        f"max_line_size = {_LONGEST_LINE}, buffer_size = {4 * _LONGEST_LINE})"
    )
    return source, names, frozenset()


def _told_apart(names: Sequence[str]) -> tuple[str, ...]:
    """DuckDB wants different names; those that come again, or that differ in case only, are of columns that nobody reads."""
    found: dict[str, str] = {}
    for position, name in enumerate(names):
        plain = name.lower()
        found[plain if plain not in found else f"{plain} {position}"] = name if plain not in found else f"{name} {position}"
    return tuple(found.values())


def _parquet_source(engine: Engine, content: Content) -> tuple[str, tuple[str, ...], frozenset[str]]:
    files = ", ".join(literal(str(path)) for path in content.paths)
    source = f"read_parquet([{files}], union_by_name = true)"
    described = engine.run(f"DESCRIBE SELECT * FROM {source}")
    maps = frozenset(str(name) for name, kind, *_ in described if str(kind).startswith("MAP("))
    return source, tuple(str(name) for name, *_ in described), maps


def unreadable(error: duckdb.Error) -> UnreadableFile:
    """Its first line, without the paths of this machine that it may name."""
    if isinstance(error, duckdb.OutOfMemoryException):
        return UnreadableFile(
            "The file, or a column of it, is larger than the memory and the room on disk that reading may take."
        )
    return UnreadableFile("The file is damaged, or is not what its first bytes say.")


# A question for faulty lines reads the file once more, and rejects once more.
_OF_FIRST_READING = "FROM reject_errors WHERE scan_id = (SELECT MIN(scan_id) FROM reject_errors)"


def rejected(engine: Engine) -> list[tuple[int, str, str, str]]:
    """Lines that are no lines of the table: number after the header, column, text, reason. A line lacking much is told once."""
    rows = engine.run(
        "SELECT line - 1, FIRST(COALESCE(column_name, '')), FIRST(COALESCE(csv_line, '')), FIRST(CAST(error_type AS VARCHAR)) "
        f"{_OF_FIRST_READING} GROUP BY file_id, line ORDER BY line LIMIT {TOLD_FAULTS}"
    )
    return [(int(line), column, text, _REASONS.get(kind, "is no line of this table")) for line, column, text, kind in rows]


def count_rejected(engine: Engine) -> int:
    return int(engine.run(f"SELECT COUNT(*) FROM (SELECT DISTINCT file_id, line {_OF_FIRST_READING})")[0][0])


_REASONS = {
    "MISSING COLUMNS": "has fewer columns than the first line",
    "TOO MANY COLUMNS": "has more columns than the first line",
    "UNQUOTED VALUE": "has a quote that does not end",
    "LINE SIZE OVER MAXIMUM": "is longer than any line of an export",
    "INVALID ENCODING": "is not text in UTF-8",
}
