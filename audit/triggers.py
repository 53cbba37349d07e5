"""The database itself refuses to change or remove events, whoever asks it and by whatever tool."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "audit_auditevent"
REFUSAL = "the audit trail is append-only"

_POSTGRESQL = (
    f"""
    CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'insufficient_privilege'; END $$
    """,
    f"CREATE TRIGGER audit_event_is_final BEFORE UPDATE OR DELETE ON {TABLE} FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    f"CREATE TRIGGER audit_events_stay BEFORE TRUNCATE ON {TABLE} FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
)
_POSTGRESQL_REMOVAL = (
    f"DROP TRIGGER audit_events_stay ON {TABLE}",
    f"DROP TRIGGER audit_event_is_final ON {TABLE}",
    "DROP FUNCTION audit_refuse()",
)
_SQLITE = (
    f"CREATE TRIGGER audit_event_is_final BEFORE UPDATE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    f"CREATE TRIGGER audit_events_stay BEFORE DELETE ON {TABLE} BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
    # INSERT OR REPLACE removes the row in its way without firing the trigger above.
    f"""
    CREATE TRIGGER audit_event_is_new BEFORE INSERT ON {TABLE}
    WHEN EXISTS (SELECT 1 FROM {TABLE} WHERE seq = NEW.seq OR hash = NEW.hash OR prev_hash = NEW.prev_hash)
    BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END
    """,  # noqa: S608 - made of two constants of this module
)
_SQLITE_REMOVAL = (
    "DROP TRIGGER audit_event_is_new",
    "DROP TRIGGER audit_events_stay",
    "DROP TRIGGER audit_event_is_final",
)


def install(connection: BaseDatabaseWrapper) -> None:
    _run(connection, _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE)


def remove(connection: BaseDatabaseWrapper) -> None:
    _run(connection, _POSTGRESQL_REMOVAL if connection.vendor == "postgresql" else _SQLITE_REMOVAL)


def install_by_migration(apps: Any, schema_editor: Any) -> None:
    install(schema_editor.connection)


def remove_by_migration(apps: Any, schema_editor: Any) -> None:
    remove(schema_editor.connection)


@contextmanager
def lifted(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """For emptying the whole installation. All or nothing: no failure leaves the trail without its triggers."""
    with transaction.atomic(using=connection.alias):
        remove(connection)
        yield
        install(connection)


def _run(connection: BaseDatabaseWrapper, statements: tuple[str, ...]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
