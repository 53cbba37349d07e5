"""What goes into the trail, and that nothing leaves it."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from audit import services, verbs
from audit.models import AuditEvent, AuditHead
from audit.models.events import AppendOnly

pytestmark = pytest.mark.django_db


def recorded(count: int = 1) -> list[AuditEvent]:
    return [
        services.record(verbs.USER_CREATED, actor=None, subject=f"person {number}", detail={"to": "viewer"})
        for number in range(count)
    ]


def test_events_count_from_one_without_a_gap_and_each_names_the_one_before() -> None:
    first, second, third = recorded(3)

    assert [first.seq, second.seq, third.seq] == [1, 2, 3]
    assert (first.prev_hash, second.prev_hash, third.prev_hash) == ("", first.hash, second.hash)


def test_a_rolled_back_change_leaves_no_event_and_no_gap() -> None:
    recorded()
    with transaction.atomic():
        recorded()
        transaction.set_rollback(True)
    recorded()

    assert list(AuditEvent.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET subject = 'somebody else'",
        "DELETE FROM audit_auditevent",
    ],
)
def test_the_database_refuses_to_change_or_remove_an_event(statement: str) -> None:
    recorded()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert AuditEvent.objects.get().subject == "person 0"


@pytest.mark.skipif("connection.vendor != 'postgresql'", reason="TRUNCATE is PostgreSQL's")
def test_postgresql_refuses_to_truncate_the_trail() -> None:
    recorded()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_auditevent")


@pytest.mark.skipif("connection.vendor != 'sqlite'", reason="INSERT OR REPLACE is SQLite's")
def test_sqlite_refuses_to_replace_an_event() -> None:
    recorded()
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT OR REPLACE INTO audit_auditevent SELECT * FROM audit_auditevent WHERE seq = 1")


def test_the_model_refuses_too() -> None:
    (event,) = recorded()

    for attempt in (event.save, event.delete, AuditEvent.objects.all().delete, lambda: AuditEvent.objects.update(subject="x")):
        with pytest.raises(AppendOnly):
            attempt()


def test_nothing_is_recorded_and_nothing_happens_when_the_head_was_tampered_with() -> None:
    recorded()
    AuditHead.objects.update(seq=0, hash="")

    with pytest.raises(services.TrailBroken):
        recorded()


def test_nothing_is_recorded_when_the_head_was_removed() -> None:
    recorded()
    AuditHead.objects.all().delete()

    with pytest.raises(services.TrailBroken):
        recorded()
