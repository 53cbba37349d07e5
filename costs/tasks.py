"""Doorbells. The rows say what is to be done; ringing twice, late or never changes nothing."""

from __future__ import annotations

from celery import shared_task

from costs.services import runs, ticks


@shared_task(name="costs.tick")
def tick() -> None:
    ticks.tick()


@shared_task(name="costs.run_snapshot")
def run_snapshot(snapshot_id: int) -> None:
    runs.run(snapshot_id=snapshot_id)
