"""Doorbells. The rows say what is to be done; ringing twice, late or never changes nothing."""

from __future__ import annotations

from celery import shared_task

from resources.services import automation, operations, quotas
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


@shared_task(name="resources.automation_tick")
def automation_tick() -> None:
    automation.tick()


@shared_task(name=automation.RUN)
def run_automation_slot(slot_id: int) -> None:
    automation.run(slot_id=slot_id)


@shared_task(name="resources.scaling_tick")
def scaling_tick() -> None:
    automation.scaling_tick()


@shared_task(name=automation.RUN_SCALING_RULES)
def run_scaling_rules(account_id: int, region: str) -> None:
    automation.run_scaling_rules(account_id=account_id, region=region)


@shared_task(name="resources.quota_tick")
def quota_tick() -> None:
    quotas.tick()


@shared_task(name=quotas.LIMITS)
def read_quota_limits() -> None:
    quotas.in_turn(quotas.read_limits)


@shared_task(name=quotas.SERIES)
def find_quota_series() -> None:
    quotas.in_turn(quotas.find_series)


@shared_task(name="resources.sample_quota_minutes")
def sample_quota_minutes() -> None:
    quotas.in_turn(quotas.sample_minutes)


@shared_task(name="resources.sample_quota_metrics")
def sample_quota_metrics() -> None:
    quotas.in_turn(quotas.sample_metrics)
