"""Doorbells. The rows say what is to be done; ringing twice, late or never changes nothing."""

from __future__ import annotations

from celery import shared_task

from accounts.services import adoptions, deliveries, health, retention


@shared_task(name="accounts.tick")
def tick() -> None:
    health.ring_for_due()
    health.announce_expiries()
    adoptions.ring_for_waiting()


@shared_task(name=health.CHECK)
def check(account_id: int) -> None:
    health.check(account_id=account_id)


@shared_task(name=adoptions.ADOPT)
def adopt(adoption_id: int) -> None:
    adoptions.run(adoption_id=adoption_id)


@shared_task(name=deliveries.SWEEP)
def sweep_deliveries() -> None:
    deliveries.sweep()


@shared_task(name=deliveries.DELIVER)
def deliver(delivery_id: int) -> None:
    deliveries.run(delivery_id=delivery_id)


@shared_task(name=retention.FORGET)
def forget_alerts() -> None:
    retention.forget()
