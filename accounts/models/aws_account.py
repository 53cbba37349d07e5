"""AWS accounts, the credentials that reach them, and what those credentials turned out to allow."""

from __future__ import annotations

import secrets
import uuid

from django.contrib.auth.models import AnonymousUser
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from accounts.models.people import Grant, User
from cloudconsole.core.permissions import Perm
from cloudconsole.sealing import KeyIdField, SealedField


class AuthMethod(models.TextChoices):
    ACCESS_KEY = "access_key", "Access key"
    ASSUME_ROLE = "assume_role", "Role"
    AMBIENT = "ambient", "Credentials of the host"


class Environment(models.TextChoices):
    PRODUCTION = "production", "Production"
    STAGING = "staging", "Staging"
    DEVELOPMENT = "development", "Development"
    SANDBOX = "sandbox", "Sandbox"


class Status(models.TextChoices):
    PENDING = "pending", "Not verified yet"
    OK = "ok", "Connected"
    DEGRADED = "degraded", "Partly working"
    ERROR = "error", "Not working"


class CapabilityStatus(models.TextChoices):
    OK = "ok", "Allowed"
    DENIED = "denied", "Denied"
    NOT_ENABLED = "not_enabled", "Not enabled"
    UNKNOWN = "unknown", "Unknown"


FILES_ONLY = "billing_files_only"  # the status code of an account without credentials that holds what billing files tell


def make_external_id() -> str:
    """192 random bits. Made here, never chosen and never changed, so that no other tenant can name it."""
    return secrets.token_urlsafe(24)


class Approval(models.TextChoices):
    """Whether what destroys something waits for a second person."""

    BY_ENVIRONMENT = "by_environment", "In production only"
    ALWAYS = "always", "Always"
    NEVER = "never", "Never"


class AwsAccountQuerySet(models.QuerySet["AwsAccount"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> AwsAccountQuerySet:
        """The accounts on which `user` holds `permission`. Deleted accounts are nobody's."""
        present = self.filter(deleted_at=None)
        if not isinstance(user, User) or not user.is_active:
            return present.none()
        if user.is_admin:
            return present
        grants = Grant.carrying(user, permission)
        return present.filter(Q(pk__in=grants.values("account")) | Q(models.Exists(grants.filter(account=None))))


class AwsAccount(models.Model):
    """One AWS account as this installation knows it."""

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    alias = models.CharField(
        max_length=63,
        validators=[RegexValidator(r"^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$", "Use lower-case letters, digits and hyphens.")],
    )
    account_id = models.CharField(
        "AWS account number",
        max_length=12,
        blank=True,
        validators=[RegexValidator(r"^\d{12}$", "An AWS account number has twelve digits.")],
    )
    auth_method = models.CharField(max_length=16, choices=AuthMethod)
    access_key_hint = models.CharField(max_length=4, blank=True, help_text="The last four characters of the access key id.")
    role_arn = models.CharField("role ARN", max_length=2048, blank=True)
    hub = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="spokes",
        help_text="The account whose credentials assume the role.",
    )
    external_id = models.CharField(max_length=64, default=make_external_id, editable=False, unique=True)
    regions = models.JSONField(default=list, blank=True, help_text="Empty: every region enabled for the account.")
    environment = models.CharField(max_length=16, choices=Environment, default=Environment.DEVELOPMENT)
    capabilities = models.JSONField(default=list, help_text="The capabilities switched on for this account.")
    approval = models.CharField(
        "approval by a second person",
        max_length=16,
        choices=Approval,
        default=Approval.BY_ENVIRONMENT,
        help_text="Whether what destroys something waits until somebody else agrees.",
    )
    status = models.CharField(max_length=16, choices=Status, default=Status.PENDING)
    status_code = models.CharField(max_length=64, blank=True)
    status_detail = models.TextField(blank=True)
    status_remedy = models.TextField(blank=True)
    status_aws_code = models.CharField(max_length=128, blank=True, help_text="AWS's own code, where AWS refused.")
    status_aws_request_id = models.CharField(max_length=128, blank=True)
    identity_arn = models.CharField(
        max_length=2048, blank=True, editable=False, help_text="Who the credentials are, as STS said when they last worked."
    )
    verified_at = models.DateTimeField(null=True, blank=True)
    next_check_at = models.DateTimeField(null=True, blank=True, editable=False, help_text="When AWS is asked again by itself.")
    failed_checks = models.PositiveSmallIntegerField(default=0, editable=False, help_text="In a row, until one succeeds.")
    enabled_regions = models.JSONField(default=list, blank=True, editable=False, help_text="As AWS told them.")
    regions_observed_at = models.DateTimeField(null=True, blank=True, editable=False)
    key_created_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When AWS made the access key; empty where it did not tell."
    )
    credentials_expire_at = models.DateTimeField(null=True, blank=True)
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = AwsAccountQuerySet.as_manager()

    class Meta:
        verbose_name = "AWS account"
        ordering = ["alias"]
        constraints = [
            models.UniqueConstraint(Lower("alias"), condition=Q(deleted_at=None), name="aws_account_alias_once"),
            models.UniqueConstraint(
                fields=["account_id"], condition=Q(deleted_at=None) & ~Q(account_id=""), name="aws_account_number_once"
            ),
            models.CheckConstraint(condition=Q(auth_method__in=AuthMethod.values), name="aws_account_auth_method_is_known"),
            models.CheckConstraint(condition=Q(status__in=Status.values), name="aws_account_status_is_known"),
            models.CheckConstraint(condition=Q(approval__in=Approval.values), name="aws_account_approval_is_known"),
            models.CheckConstraint(
                condition=~Q(auth_method=AuthMethod.ASSUME_ROLE) | ~Q(role_arn=""), name="aws_account_role_has_an_arn"
            ),
        ]
        indexes = [
            # The scheduler's tick looks for accounts whose check is due.
            models.Index(fields=["next_check_at"], condition=Q(deleted_at=None), name="aws_account_check_due"),
        ]

    def __str__(self) -> str:
        return self.alias

    @property
    def state(self) -> str:
        """Its status; an account that only holds what billing files tell has nothing that waits to be verified."""
        return FILES_ONLY if (self.status, self.status_code) == (Status.PENDING, FILES_ONLY) else self.status

    @property
    def names(self) -> frozenset[str]:
        """What people and programs may call it by, in lower case: its id, alias, and 12-digit number once that is known."""
        return frozenset({str(self.pk), self.alias.lower(), self.account_id} - {""})

    def closed_regions(self) -> list[str]:
        """Regions chosen here that are not enabled in AWS, as far as that is known."""
        return [name for name in self.regions if self.enabled_regions and name not in self.enabled_regions]


class AwsCredential(models.Model):
    """The secret half of an account's credentials, apart from it so that no list ever loads it.

    `sealed` holds JSON with the key, the secret, the session token and the account's uuid: a ciphertext
    moved to another row is refused when it is opened. `version` grows with every replacement.
    """

    account = models.OneToOneField(AwsAccount, on_delete=models.CASCADE, related_name="credential")
    sealed = SealedField(editable=False, key_field="sealed_with", owner="account__uuid", purpose="aws_credential.sealed")
    sealed_with = KeyIdField()
    version = models.PositiveIntegerField(default=1, editable=False)
    replaced_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"credentials of {self.account}"


class CapabilityCheck(models.Model):
    """What the last verification found for one capability of one account."""

    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="checks")
    capability = models.CharField(max_length=64)
    status = models.CharField(max_length=16, choices=CapabilityStatus)
    aws_code = models.CharField(max_length=128, blank=True)
    detail = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    checked_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "capability"], name="capability_check_once"),
            models.CheckConstraint(condition=Q(status__in=CapabilityStatus.values), name="capability_check_status_is_known"),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.capability} {self.status}"
