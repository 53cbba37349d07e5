"""Doorbells. The rows say what is to be done; ringing twice, late or never changes nothing."""

from __future__ import annotations

from celery import shared_task

from accounts.models import AwsAccount
from costs.services import (
    anomalies,
    aws_anomalies,
    aws_forecasts,
    budget_evaluations,
    closes,
    recommendations,
    rollups,
    runs,
    ticks,
)
from costs.services.billing import runs as billing_runs
from costs.services.billing import ticks as billing_ticks


@shared_task(name="costs.tick")
def tick() -> None:
    ticks.tick()


@shared_task(name="costs.run_snapshot")
def run_snapshot(snapshot_id: int) -> None:
    runs.run(snapshot_id=snapshot_id)


@shared_task(name="costs.run_import")
def run_import(import_id: int) -> None:
    billing_runs.run(import_id=import_id)


@shared_task(name="costs.billing_tick")
def billing_tick() -> None:
    billing_ticks.tick()


@shared_task(name="costs.judge_anomalies")
def judge_anomalies(source_id: int) -> None:
    anomalies.judge(source_id=source_id)


@shared_task(name="costs.fetch_aws_anomalies")
def fetch_aws_anomalies(source_id: int) -> None:
    aws_anomalies.fetch(source_id=source_id)


@shared_task(name="costs.watch_anomalies")
def watch_anomalies() -> None:
    ticks.watch_anomalies()


@shared_task(name="costs.close_months")
def close_months() -> None:
    closes.tick()


@shared_task(name="costs.roll_up")
def roll_up() -> None:
    rollups.catch_up()


@shared_task(name="costs.tick_savings")
def tick_savings() -> None:
    recommendations.tick()


@shared_task(name="costs.judge_savings")
def judge_savings(account_id: int) -> None:
    recommendations.judge(account=AwsAccount.objects.get(pk=account_id))


@shared_task(name="costs.read_optimization_hub")
def read_optimization_hub(source_id: int) -> None:
    recommendations.read_hub(source_id=source_id)


@shared_task(name="costs.ask_forecast")
def ask_forecast(forecast_id: int) -> None:
    aws_forecasts.run(forecast_id=forecast_id)


@shared_task(name="costs.forecast_tick")
def forecast_tick() -> None:
    aws_forecasts.tick()


@shared_task(name="costs.evaluate_budgets")
def evaluate_budgets() -> None:
    budget_evaluations.evaluate_due()
