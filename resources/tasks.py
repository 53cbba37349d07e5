"""Doorbells. The rows say what is to be done; ringing twice, late or never changes nothing."""

from __future__ import annotations

from celery import shared_task

from resources.services import operations
from resources.services.inventory import prices, runs, syncs, ticks


@shared_task(name="resources.tick")
def tick() -> None:
    ticks.tick()


@shared_task(name=syncs.RUN)
def run_sync(sync_id: int) -> None:
    runs.run(sync_id=sync_id)


@shared_task(name=prices.FETCH)
def fetch_prices() -> None:
    prices.fetch()


@shared_task(name="resources.sweep_operations")
def sweep_operations() -> None:
    operations.tick()


@shared_task(name="resources.run_operation")
def run_operation(operation_id: int) -> None:
    operations.run(operation_id=operation_id)
