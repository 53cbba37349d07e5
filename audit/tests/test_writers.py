"""Many writers at once, in threads with connections of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from audit import services, verbs
from audit.models import AuditEvent
from audit.services import verification

WRITERS, EACH = 8, 10


def write(writer: int) -> None:
    try:
        for number in range(EACH):
            with transaction.atomic():
                services.record(verbs.SIGNED_IN, actor=None, detail={"writer": writer, "number": number})
                transaction.set_rollback(number % 5 == 4)  # some change their mind
    finally:
        connection.close()


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_make_one_chain_without_a_gap_or_a_fork() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
        pytest.skip("SQLite in memory gives threads no connections of their own; PostgreSQL runs this test")
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))

    assert list(AuditEvent.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, WRITERS * EACH * 4 // 5 + 1))
    assert verification.verify().intact
