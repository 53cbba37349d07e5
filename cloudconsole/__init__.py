"""Cloudconsole: one self-hosted place for a team's AWS accounts."""

from cloudconsole.celery import app as celery_app

__all__ = ["celery_app"]
