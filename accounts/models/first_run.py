"""That this installation has had its first admin."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class FirstRun(models.Model):
    """Its one row is written together with the first admin. Two who try at once cannot both write it, and nothing removes it."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    over_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="first_run_is_one")]

    def __str__(self) -> str:
        return f"first run, over since {self.over_at:%Y-%m-%d}"
