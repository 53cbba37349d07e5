"""Who may come in, and where each may act."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser, AnonymousUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from cloudconsole.core.permissions import ROLE_PERMISSIONS, Perm, Role, lower_of, roles_with

ROLES = [(role.value, role.value.capitalize()) for role in Role]
# An admin needs no grant: that role is everywhere.
GRANTABLE_ROLES = [(Role.VIEWER.value, "Viewer"), (Role.OPERATOR.value, "Operator")]


class UserQuerySet(models.QuerySet["User"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> UserQuerySet:
        """Everybody for those who hold the installation-wide `permission`, oneself for all others."""
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        return self.all() if permission != Perm.SELF and user.may(permission) else self.filter(pk=user.pk)


class UserManager(BaseUserManager["User"]):
    """Makes people for commands and tests; the product's own door is `services.people`."""

    def create_user(self, username: str, email: str = "", password: str | None = None, role: Role = Role.VIEWER) -> User:
        user = User(username=User.normalize_username(username), email=email.lower(), role=role)
        user.set_password(password)  # None: nobody can sign in with a password
        user.save()
        return user

    def get_queryset(self) -> UserQuerySet:
        return UserQuerySet(self.model, using=self._db)

    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> UserQuerySet:
        return self.get_queryset().visible_to(user, permission)

    def create_superuser(self, username: str, email: str = "", password: str | None = None) -> User:
        """What Django's own `createsuperuser` calls."""
        return self.create_user(username, email, password, Role.ADMIN)


class User(AbstractUser):
    """A person or a machine that signs in. `role` is the ceiling: no grant lifts anybody above it.

    Names and e-mail addresses are unique in any case; addresses are kept in lower case.
    """

    role = models.CharField(max_length=16, choices=ROLES, default=Role.VIEWER)
    token_version = models.PositiveIntegerField(
        default=1, editable=False, help_text="Growing it ends every session, access token and refresh token."
    )
    last_seen_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="To within a few minutes.")
    awaits_verification = models.BooleanField(
        default=False, editable=False, help_text="Signed up by themselves and has not proven the e-mail address yet."
    )

    objects = UserManager()  # type: ignore[assignment,misc]  # Django's own manager sets the two flags below

    class Meta(AbstractUser.Meta):
        constraints = [
            models.UniqueConstraint(Lower("username"), name="user_username_once_in_any_case"),
            models.UniqueConstraint(Lower("email"), condition=~Q(email=""), name="user_email_once_in_any_case"),
            models.CheckConstraint(condition=Q(role__in=[role.value for role in Role]), name="user_role_is_known"),
        ]

    # Two columns of Django's that would be a second truth beside the role: admins, and only they, enter Django's admin.
    @property
    def is_staff(self) -> bool:  # type: ignore[override]
        return self.role == Role.ADMIN

    @property
    def is_superuser(self) -> bool:  # type: ignore[override]
        return self.role == Role.ADMIN

    @property
    def is_admin(self) -> bool:
        return self.is_active and self.role == Role.ADMIN

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        # Django compares this with what the session remembers, so the same counter ends sessions and tokens.
        return salted_hmac(
            "accounts.session", f"{self.pk}:{self.token_version}:{self.password}", secret=secret, algorithm="sha256"
        ).hexdigest()

    def token_stamp(self) -> str:
        """What the tokens of this person carry: changes with the password and with `token_version`."""
        return salted_hmac("accounts.token", f"{self.pk}:{self.token_version}:{self.password}", algorithm="sha256").hexdigest()

    def may(self, permission: Perm) -> bool:
        """Whether this person's role carries an installation-wide `permission`."""
        return self.is_active and permission in ROLE_PERMISSIONS[Role(self.role)]


class Grant(models.Model):
    """Lets a person act on one AWS account, or on all of them when `account` is empty."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="grants")
    account = models.ForeignKey("accounts.AwsAccount", on_delete=models.CASCADE, null=True, blank=True, related_name="grants")
    role = models.CharField(max_length=16, choices=GRANTABLE_ROLES)

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
