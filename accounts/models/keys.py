"""What lets somebody in without a password: personal access tokens and invitations. Only digests of both are stored."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from accounts.models.people import ROLES, User
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm, Role


class Scope(models.TextChoices):
    """`read` refuses whatever changes something; neither lifts anybody above their role."""

    READ = "read", "Read"
    WRITE = "write", "Read and write"


class PersonalTokenQuerySet(models.QuerySet["PersonalToken"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> PersonalTokenQuerySet:
        """One's own. Nobody, admins included, sees those of others; admins end them."""
        if not isinstance(user, User) or not user.may(permission):
            return self.none()
        return self.filter(user=user)


class PersonalToken(models.Model):
    """A token that a person made for a program of theirs. It acts as they do, for as long as they may."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="personal_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of 256 random bits.")
    hint = models.CharField(max_length=4, editable=False, help_text="The last four characters.")
    scope = models.CharField(max_length=8, choices=Scope, default=Scope.READ)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects = PersonalTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [models.CheckConstraint(condition=Q(scope__in=Scope.values), name="personal_token_scope_is_known")]

    def __str__(self) -> str:
        return f"{self.name} of {self.user}"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= clock.now()


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> InvitationQuerySet:
        """All of them, for those who hold the installation-wide `permission`."""
        return self.all() if isinstance(user, User) and user.may(permission) else self.none()

    def open(self) -> InvitationQuerySet:
        """Those that still let somebody in."""
        return self.filter(accepted_at=None, revoked_at=None, expires_at__gt=clock.now())


class Invitation(models.Model):
    """A link that lets one person make themselves an account. It works once, until it expires or is taken back."""

    digest = models.CharField(max_length=64, unique=True, editable=False, help_text="SHA-256 of the link's 256 random bits.")
    email = models.EmailField(blank=True, help_text="Empty: whoever has the link says their own.")
    role = models.CharField(max_length=16, choices=ROLES, default=Role.VIEWER)
    everywhere = models.BooleanField(default=False, help_text="Grants the role on every AWS account.")
    invited_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="invitation_role_is_known"),
            models.CheckConstraint(condition=Q(accepted_at=None) | Q(revoked_at=None), name="invitation_ends_one_way"),
        ]

    def __str__(self) -> str:
        return f"invitation of {self.email or 'somebody'}"
