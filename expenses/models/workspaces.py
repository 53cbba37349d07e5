"""Whose money it is: workspaces, who is in them as what, and the categories and payment methods they use."""

from __future__ import annotations

from typing import Generic, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models import User
from cloudconsole.core.permissions import Perm
from expenses.rules.statuses import MemberRole, MethodKind

ROLES = [(one.value, one.value.capitalize()) for one in MemberRole]
METHOD_KINDS = [(one.value, one.value.capitalize()) for one in MethodKind]

Row = TypeVar("Row", bound=models.Model)


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> WorkspaceQuerySet:
        """Those that `user` is a member of; to admins all."""
        if not isinstance(user, User) or not user.may(permission):
            return self.none()
        return self if user.is_admin else self.of(user)

    def of(self, user: User) -> WorkspaceQuerySet:
        """Those that `user` is a member of."""
        return self.filter(pk__in=WorkspaceMember.objects.filter(user=user).values("workspace"))

    def ids(self) -> models.QuerySet[Workspace, int]:
        return self.order_by().values_list("pk", flat=True)


class Workspace(models.Model):
    """Expenses that belong together. Everybody has a personal one, made when it is first needed; others are shared."""

    name = models.CharField(max_length=80)
    personal_of = models.OneToOneField(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="personal_workspace")
    currency = models.CharField(max_length=3, default="USD", help_text="Offered first for what is entered.")
    needs_approval = models.BooleanField(default=False, help_text="Expenses are submitted, and somebody else approves them.")
    members = models.ManyToManyField(User, through="WorkspaceMember", related_name="workspaces")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint(Lower("name"), condition=Q(personal_of=None), name="workspace_name_once_in_any_case"),
        ]

    def __str__(self) -> str:
        return self.name


class WorkspaceMember(models.Model):
    """That a person is in a workspace, and as what."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="workspace_memberships")
    role = models.CharField(max_length=16, choices=ROLES)
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="workspace_member_once"),
            models.CheckConstraint(condition=Q(role__in=[one.value for one in MemberRole]), name="workspace_role_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.workspace}"


class OwnedQuerySet(models.QuerySet[Row], Generic[Row]):
    """Rows of a workspace: who sees the workspace sees them."""

    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> OwnedQuerySet[Row]:
        if not isinstance(user, User) or not user.may(permission):
            return self.none()
        return self if user.is_admin else self.filter(workspace__in=Workspace.objects.of(user))


class Category(models.Model):
    """What an expense is for. A tree of two levels: one with a parent is a subcategory, and has no children itself."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="categories")
    parent = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="children")
    name = models.CharField(max_length=80)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: OwnedQuerySet[Category] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["name", "pk"]
        verbose_name_plural = "categories"
        constraints = [
            # Entry and import look a name up in any case; the tree is read by its workspace.
            models.UniqueConstraint("workspace", Lower("name"), condition=Q(parent=None), name="category_once_at_the_top"),
            models.UniqueConstraint("parent", Lower("name"), condition=~Q(parent=None), name="category_once_below_its_parent"),
            models.CheckConstraint(condition=~Q(parent=models.F("id")), name="category_is_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return f"{self.parent.name} › {self.name}" if self.parent else self.name


class PaymentMethod(models.Model):
    """How it was paid: a card, cash, a bank account."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="payment_methods")
    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16, choices=METHOD_KINDS, default=MethodKind.OTHER.value)
    last_four = models.CharField(max_length=4, blank=True, help_text="The last digits of a card or account.")
    created_at = models.DateTimeField(auto_now_add=True)
    archived_at = models.DateTimeField(null=True, blank=True, help_text="Not offered any more.")

    objects: OwnedQuerySet[PaymentMethod] = OwnedQuerySet.as_manager()  # type: ignore[assignment]

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.UniqueConstraint("workspace", Lower("name"), name="payment_method_once"),
            models.CheckConstraint(condition=Q(kind__in=[one.value for one in MethodKind]), name="payment_method_kind_is_known"),
        ]

    def __str__(self) -> str:
        return self.name
