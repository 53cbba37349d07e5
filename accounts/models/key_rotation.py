"""Replacing an account's own access key, step by step; and that its credentials run out, told once for each threshold."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models.aws_account import AwsAccount
from accounts.models.people import User
from cloudconsole.core.permissions import Perm
from cloudconsole.sealing import KeyIdField, SealedField


class RotationStatus(models.TextChoices):
    """Each names what is done; the next step is what follows it. CREATING is the intent before AWS is asked."""

    CREATING = "creating", "Asking AWS for a new key"
    CREATED = "created", "New key made"
    PROVEN = "proven", "New key works"
    SWAPPED = "swapped", "New key in use"
    DEACTIVATED = "deactivated", "Old key switched off"
    DONE = "done", "Old key deleted"
    UNDONE = "undone", "Taken back"


ROTATION_OVER = (RotationStatus.DONE, RotationStatus.UNDONE)


class KeyRotationQuerySet(models.QuerySet["KeyRotation"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> KeyRotationQuerySet:
        return self.filter(account__in=AwsAccount.objects.visible_to(user, permission))

    def open(self) -> KeyRotationQuerySet:
        return self.exclude(status__in=ROTATION_OVER)


class KeyRotation(models.Model):
    """One rotation. `sealed` holds both keys, bound to the account, while they may be needed; afterwards it is empty."""

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="rotations")
    status = models.CharField(max_length=16, choices=RotationStatus, default=RotationStatus.CREATING)
    sealed = SealedField(
        editable=False, default=b"", key_field="sealed_with", owner="account__uuid", purpose="key_rotation.sealed"
    )
    sealed_with = KeyIdField(default="", blank=True)
    old_key_hint = models.CharField(max_length=4)
    new_key_hint = models.CharField(max_length=4, blank=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_detail = models.TextField(blank=True)
    error_remedy = models.TextField(blank=True)
    requested_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    working_until = models.DateTimeField(null=True, blank=True, editable=False, help_text="While a step is under way.")
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = KeyRotationQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["account"], condition=~Q(status__in=["done", "undone"]), name="key_rotation_one_open_per_account"
            ),
            models.CheckConstraint(condition=Q(status__in=RotationStatus.values), name="key_rotation_status_is_known"),
        ]

    def __str__(self) -> str:
        return f"key rotation of {self.account}: {self.get_status_display()}"

    @property
    def is_open(self) -> bool:
        return self.status not in ROTATION_OVER


class ExpiryAnnouncement(models.Model):
    """That credentials run out was told for this threshold. Other credentials have another expiry, and are told anew."""

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="expiry_announcements")
    expires_at = models.DateTimeField()
    threshold_s = models.PositiveIntegerField(help_text="How long before the expiry, in seconds.")
    announced_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "expires_at", "threshold_s"], name="expiry_announced_once"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.threshold_s} s before {self.expires_at}"
