"""Doorbells and periodic work: what is to be done is found in rows; ringing twice, late or never changes nothing."""

from __future__ import annotations

from celery import shared_task

from expenses.services import budgets, rates, recurring, retention
from expenses.services.importing import runs


@shared_task(name="expenses.tick")
def tick() -> None:
    recurring.tick()
    budgets.tick()


@shared_task(name="expenses.run_series")
def run_series(series_id: int) -> None:
    recurring.run(pk=series_id)


@shared_task(name="expenses.forget")
def forget() -> None:
    retention.forget()


@shared_task(name="expenses.run_import")
def run_import(batch_id: int) -> None:
    runs.run(batch_id=batch_id)


@shared_task(name="expenses.import_tick")
def import_tick() -> None:
    runs.tick()


@shared_task(name="expenses.rates_tick")
def rates_tick() -> None:
    rates.load()
