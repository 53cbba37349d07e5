from __future__ import annotations

from celery import shared_task

from audit.services import answers, checkpoints


@shared_task(name="audit.checkpoint", ignore_result=True)
def checkpoint() -> None:
    """Note outside the database how far the trail has come."""
    checkpoints.write()


@shared_task(name="audit.forget_answers", ignore_result=True)
def forget_answers() -> None:
    """Remove answers to idempotency keys that are past their time."""
    answers.forget_old()
