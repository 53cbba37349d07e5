"""Cost allocation tags: the keys that costs are stored by, and what each source is asked for."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from costs.models.sources import CostSource
from costs.rules import cubes
from costs.rules.cubes import TagCubes

KEY_LENGTH = 128  # of a tag's key, AWS's own limit


class TagKey(models.Model):
    """One key, the same in every source. Its id numbers its cubes in the facts, so a row is never deleted."""

    id = models.AutoField(primary_key=True)
    key = models.CharField(max_length=KEY_LENGTH, unique=True)

    class Meta:
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key

    @property
    def cubes(self) -> TagCubes:
        return cubes.of_tag(self.key, self.pk)


class TagStatus(models.TextChoices):
    """Whether AWS puts the tag on the bill."""

    ACTIVE = "active", "Active"
    INACTIVE = "inactive", "Inactive"
    UNKNOWN = "unknown", "Not told"


class TagKind(models.TextChoices):
    """Whose tag it is."""

    USER = "user", "Your own"
    AWS = "aws", "Made by AWS"
    UNKNOWN = "unknown", "Not told"


class SourceTagQuerySet(models.QuerySet["SourceTag"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> SourceTagQuerySet:
        return self.filter(source__account__in=AwsAccount.objects.visible_to(user, permission))

    def stored(self) -> SourceTagQuerySet:
        """Those that costs are, or were, fetched by."""
        return self.exclude(chosen_at=None)


class SourceTag(models.Model):
    """A tag key in one source's bill. What was fetched stays readable when the key is no longer chosen.

    `is_chosen`: refreshes ask for its costs. `by_account`: of a payer, also told by account, which is another question.
    """

    source = models.ForeignKey(CostSource, on_delete=models.CASCADE, related_name="tags")
    tag = models.ForeignKey(TagKey, on_delete=models.PROTECT, related_name="in_sources")
    status = models.CharField(max_length=16, choices=TagStatus, default=TagStatus.UNKNOWN)
    kind = models.CharField(max_length=16, choices=TagKind, default=TagKind.UNKNOWN)
    last_updated_on = models.DateField(null=True, blank=True, help_text="When its activation last changed, as AWS tells.")
    last_used_on = models.DateField(
        null=True, blank=True, help_text="The last month in which it was on a resource, as AWS tells."
    )
    listed_at = models.DateTimeField(null=True, blank=True, help_text="When AWS last named it.")
    is_chosen = models.BooleanField(default=False)
    by_account = models.BooleanField(default=False)
    chosen_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    chosen_at = models.DateTimeField(null=True, blank=True, help_text="When it was last chosen; empty: never.")

    objects = SourceTagQuerySet.as_manager()

    class Meta:
        ordering = ["tag__key"]
        constraints = [
            models.UniqueConstraint(fields=["source", "tag"], name="source_tag_once"),
            models.CheckConstraint(condition=models.Q(status__in=TagStatus.values), name="source_tag_status_is_known"),
            models.CheckConstraint(
                condition=models.Q(is_chosen=False) | models.Q(chosen_at__isnull=False), name="source_tag_chosen_at_some_time"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tag} in {self.source}"
