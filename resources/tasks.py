"""Doorbells. The rows say what is to be done; ringing twice, late or never changes nothing."""

from __future__ import annotations

from celery import shared_task

from resources.services.inventory import runs, syncs, ticks


@shared_task(name="resources.tick")
def tick() -> None:
    ticks.tick()


@shared_task(name=syncs.RUN)
def run_sync(sync_id: int) -> None:
    runs.run(sync_id=sync_id)
