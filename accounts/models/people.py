"""Who may come in, and where each may act."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from cloudconsole.core.permissions import ROLE_PERMISSIONS, Perm, Role, lower_of, roles_with


class User(AbstractUser):
    """A person or a machine that signs in. `role` is the ceiling: no grant lifts anybody above it."""

    role = models.CharField(max_length=16, choices=[(role.value, role.value.capitalize()) for role in Role], default=Role.VIEWER)

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("username"), name="user_username_once_in_any_case"),
            models.UniqueConstraint(Lower("email"), condition=~Q(email=""), name="user_email_once_in_any_case"),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="user_role_is_known"),
        ]

    @property
    def is_admin(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    def may(self, permission: Perm) -> bool:
        """Whether this person's role carries an installation-wide `permission`."""
        return self.is_active and permission in ROLE_PERMISSIONS[Role(self.role)]


class Grant(models.Model):
    """Lets a person act on one AWS account, or on all of them when `account` is empty."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    account = models.ForeignKey("accounts.AwsAccount", on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    role = models.CharField(max_length=16, choices=[(Role.VIEWER.value, "Viewer"), (Role.OPERATOR.value, "Operator")])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "account"], name="grant_once_per_account"),
            models.UniqueConstraint(fields=["user"], condition=Q(account=None), name="grant_once_for_all_accounts"),
            models.CheckConstraint(condition=Q(role__in=[Role.VIEWER.value, Role.OPERATOR.value]), name="grant_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.account or 'all accounts'}"

    @staticmethod
    def carrying(user: User, permission: Perm) -> models.QuerySet[Grant]:
        """The grants through which `user` holds `permission`, the ceiling of their own role applied."""
        roles = [role for role in (Role.VIEWER, Role.OPERATOR) if lower_of(role, Role(user.role)) in roles_with(permission)]
        return Grant.objects.filter(user=user, role__in=roles)
