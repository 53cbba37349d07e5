from __future__ import annotations

from celery import shared_task

from audit.services import checkpoints


@shared_task(name="audit.checkpoint", ignore_result=True)
def checkpoint() -> None:
    """Note outside the database how far the trail has come."""
    checkpoints.write()
