"""A list as somebody likes to see it: the filters, the order and the columns, under a name of their own."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import User
from cloudconsole.core.permissions import Perm


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> SavedViewQuerySet:
        """One's own: a view is personal whatever `permission` a role carries."""
        return self.filter(user=user) if isinstance(user, User) and user.may(permission) else self.none()


class SavedView(models.Model):
    """`query` is the address's query string; what it shows is decided anew for whoever opens it."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_views")
    page = models.CharField(max_length=32, help_text="The list it belongs to: ec2, s3, lambda or operations.")
    name = models.CharField(max_length=64)
    query = models.CharField(max_length=2048, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["page", "name"]
        constraints = [models.UniqueConstraint(fields=["user", "page", "name"], name="saved_view_once")]

    def __str__(self) -> str:
        return f"{self.page}: {self.name}"
