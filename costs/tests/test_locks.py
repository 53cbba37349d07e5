"""Several workers that end at once: none waits for another in a circle."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from accounts.models import AuthMethod, AwsAccount
from costs.models import CostSnapshot, CostSource, SnapshotStatus, SnapshotTrigger
from costs.services import runs, snapshots

WITHIN_S = 60


def source(number: str) -> CostSource:
    """Of an account whose key was lost: its run ends as soon as it begins."""
    account = AwsAccount.objects.create(
        alias=f"account-{number[-1]}",
        account_id=number,
        auth_method=AuthMethod.ACCESS_KEY,
        capabilities=["costs"],
        status="ok",
    )
    return CostSource.objects.create(account=account)


def work(snapshot: CostSnapshot) -> None:
    try:
        runs.run(snapshot_id=snapshot.pk)
    finally:
        connection.close()


def waiting() -> int:
    """How many of the database's sessions wait for a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction the view does not move
        cursor.execute("SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
        return int(cursor.fetchone()[0])


@pytest.mark.django_db(transaction=True)
def test_two_runs_that_end_at_once_both_end() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one lock for all writers; PostgreSQL runs this test")
    first = source("511111111111")
    ending = [
        snapshots.request(source=source(number), trigger=SnapshotTrigger.MANUAL, by=None).snapshot
        for number in ("522222222222", "533333333333")
    ]
    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            CostSource.objects.select_for_update().get(pk=first.pk)
            both = [pool.submit(work, snapshot) for snapshot in ending]
            deadline = time.monotonic() + WITHIN_S
            while waiting() < len(both) and time.monotonic() < deadline:
                threading.Event().wait(0.02)
            assert waiting() == len(both)
        for one in both:
            one.result(timeout=WITHIN_S)
    assert {snapshot.status for snapshot in CostSnapshot.objects.all()} == {SnapshotStatus.FAILED}
