"""What people have to know: one row for each thing that happened, and who has read it."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Exists, OuterRef, Q

from accounts.alerts import Severity, title_of
from accounts.models.aws_account import AwsAccount
from accounts.models.people import Grant, User
from cloudconsole.core.permissions import Perm

SEVERITIES = [(severity.value, severity.value.capitalize()) for severity in Severity]


class AlertQuerySet(models.QuerySet["Alert"]):
    def visible_to(self, user: User | AnonymousUser, permission: Perm) -> AlertQuerySet:
        """Alerts all of whose accounts `user` may see; those of the whole installation for who may see every account.

        What concerns one person alone is seen by nobody else.
        """
        if not isinstance(user, User) or not user.is_active:
            return self.none()
        if user.is_admin:
            return self.filter(Q(person=None) | Q(person=user))
        concerned = AlertAccount.objects.filter(alert=OuterRef("pk"))
        hidden = concerned.exclude(account__in=AwsAccount.objects.visible_to(user, permission).values("pk"))
        sees_all = Grant.carrying(user, permission).filter(account=None)
        told = Q(Exists(concerned)) | Q(Exists(sees_all), everywhere=True)
        return self.filter((told & Q(person=None)) | Q(person=user)).exclude(Exists(hidden))

    def unread_by(self, user: User) -> AlertQuerySet:
        """What `user` has not read; what was there before them is no news to them."""
        return self.filter(created_at__gte=user.date_joined).exclude(
            Exists(AlertRead.objects.filter(alert=OuterRef("pk"), user=user))
        )


class Alert(models.Model):
    """Something that happened, once. Never changed afterwards; `key` says what it is about, and is unique for ever."""

    key = models.CharField(max_length=200, unique=True, help_text="The same key again is the same alert.")
    kind = models.CharField(max_length=64)
    severity = models.CharField(max_length=16, choices=SEVERITIES)
    title = models.CharField(max_length=200)
    lines = models.JSONField(default=list, blank=True, help_text="Plain sentences.")
    path = models.CharField(max_length=500, blank=True, help_text="The page of the console that shows more.")
    everywhere = models.BooleanField(default=False, help_text="Concerns the whole installation.")
    accounts = models.ManyToManyField(AwsAccount, through="AlertAccount", related_name="alerts")
    person = models.ForeignKey(
        User, on_delete=models.CASCADE, null=True, blank=True, related_name="+", help_text="Whom alone it concerns."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(severity__in=[one.value for one in Severity]), name="alert_severity_is_known"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def kind_title(self) -> str:
        return title_of(self.kind)


class PastAlert(models.Model):
    """That something was told, of which the alert is removed by now: it is not told again."""

    key = models.CharField(max_length=200, primary_key=True)

    def __str__(self) -> str:
        return self.key


class AlertAccount(models.Model):
    """That an alert concerns an AWS account."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="+")
    account = models.ForeignKey(AwsAccount, on_delete=models.CASCADE, related_name="+")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["alert", "account"], name="alert_account_once")]

    def __str__(self) -> str:
        return f"{self.alert}: {self.account}"


class AlertRead(models.Model):
    """That a person has read an alert."""

    alert = models.ForeignKey(Alert, on_delete=models.CASCADE, related_name="reads")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    read_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "alert"], name="alert_read_once")]

    def __str__(self) -> str:
        return f"{self.user} read {self.alert}"
