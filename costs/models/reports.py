"""Reports that people keep: a name for a question."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User


class SavedReportQuerySet(models.QuerySet["SavedReport"]):
    def of(self, user: User | AnonymousUser) -> SavedReportQuerySet:
        """Those that `user` keeps."""
        return self.filter(user_id=user.pk or 0)


class SavedReport(models.Model):
    """One person's report. `query` is its address's parameters; whoever has `key` may open it and sees what they may see."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="cost_reports")
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=80)
    query = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = SavedReportQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            # The page lists a person's reports by name.
            models.UniqueConstraint(fields=["user", "name"], name="cost_report_name_once"),
        ]

    def __str__(self) -> str:
        return self.name
