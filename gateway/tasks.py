"""Doorbells. The rows say what is to be done; ringing twice, late or never changes nothing."""

from __future__ import annotations

from celery import shared_task

from gateway.services import rate_windows, ticks


@shared_task(name="gateway.tick")
def tick() -> None:
    ticks.tick()


@shared_task(name="gateway.forget_requests")
def forget_requests() -> None:
    ticks.forget_requests()


@shared_task(name="gateway.tend_rate_limits")
def tend_rate_limits() -> None:
    rate_windows.tend()
