"""What happened, once and for ever. Rows refer to nothing: names are frozen as they were, so nothing else can change them.

The database refuses UPDATE and DELETE (see `audit.triggers`); how the chain works: docs/decisions/0003-audit-trail.md.
"""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from django.contrib.auth.models import AnonymousUser
from django.db import models
from django.db.models import Q

from audit import verbs
from audit.rules import labels
from audit.rules.chain import Facts
from cloudconsole.core.permissions import Perm


class Person(Protocol):
    """Who acts or reads. This app knows no user model; it asks only this of one."""

    @property
    def pk(self) -> Any: ...
    @property
    def is_active(self) -> bool: ...
    @property
    def role(self) -> str: ...
    def get_username(self) -> str: ...
    def may(self, permission: Perm, /) -> bool: ...


class Account(Protocol):
    """The AWS account an event is about: its row, its name, its twelve digits, its environment."""

    @property
    def pk(self) -> Any: ...
    @property
    def alias(self) -> str: ...
    @property
    def account_id(self) -> str: ...
    @property
    def environment(self) -> str: ...


class Outcome(models.TextChoices):
    SUCCESS = "success", "Done"
    FAILURE = "failure", "Failed"
    REFUSED = "refused", "Refused"
    INTENT = "intent", "About to happen"


class AuditEventQuerySet(models.QuerySet["AuditEvent"]):
    def visible_to(self, user: Person | AnonymousUser, permission: Perm = Perm.SELF) -> AuditEventQuerySet:
        """Everything for those who may see all, else what the reader did. A narrower `permission` never widens that."""
        if isinstance(user, AnonymousUser) or not user.is_active:
            return self.none()
        if user.may(Perm.AUDIT_VIEW_ALL):
            return self
        return self.filter(actor_id=user.pk) if user.may(Perm.SELF) else self.none()

    def update(self, **_: Any) -> NoReturn:
        raise AppendOnly

    def delete(self) -> NoReturn:
        raise AppendOnly


class AppendOnly(TypeError):
    """Somebody tried to change or remove what was recorded. The database would have refused it too."""

    def __init__(self) -> None:
        super().__init__("The audit trail is append-only.")


class AuditEvent(models.Model):
    """One thing that happened. `seq` counts from 1 without a gap; `hash` covers the row and the hash before it."""

    seq = models.BigIntegerField(primary_key=True, editable=False)
    at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True, help_text="Empty: the installation itself, or somebody not signed in.")
    actor_name = models.CharField(max_length=150, blank=True)
    role = models.CharField(max_length=16, blank=True, help_text="The actor's role at that moment.")
    ip = models.CharField("address", max_length=45, blank=True)
    auth = models.CharField("signed in by", max_length=16, blank=True)
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=255, blank=True, help_text="What or whom it was done to, as a name for people.")
    account_pk = models.BigIntegerField(null=True)
    account_alias = models.CharField(max_length=63, blank=True)
    account_number = models.CharField(max_length=12, blank=True)
    account_environment = models.CharField(max_length=16, blank=True)
    region = models.CharField(max_length=32, blank=True)
    target = models.CharField(max_length=2048, blank=True, help_text="The AWS resource or the row, as an id for programs.")
    outcome = models.CharField(max_length=16, choices=Outcome)
    request_id = models.CharField(max_length=64, blank=True)
    aws_request_id = models.CharField(max_length=128, blank=True)
    detail = models.JSONField(default=dict)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)  # unique: the verifier asks whether a predecessor exists anywhere

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        ordering = ["-seq"]
        constraints = [
            # One successor for each event: the chain cannot fork, even if the head's lock were lost.
            models.UniqueConstraint(fields=["prev_hash"], name="audit_event_follows_once"),
            models.CheckConstraint(condition=Q(seq__gte=1), name="audit_event_counts_from_one"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="audit_event_outcome_is_known"),
        ]
        indexes = [
            # Everybody who is no admin reads their own rows, newest first.
            models.Index(fields=["actor_id", "-seq"], name="audit_event_by_actor"),
            # The list filtered by AWS account; an account's page shows its latest.
            models.Index(fields=["account_pk", "-seq"], name="audit_event_by_account"),
            # The list narrowed to environments.
            models.Index(fields=["account_environment", "-seq"], name="audit_event_by_environment"),
            # The list filtered by action.
            models.Index(fields=["action", "-seq"], name="audit_event_by_action"),
            # The list between two moments.
            models.Index(fields=["at"], name="audit_event_by_time"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnly
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise AppendOnly

    @property
    def sentence(self) -> str:
        """The event in words."""
        return verbs.sentence(
            self.action,
            actor=self.actor_name or "Cloudconsole",
            subject=self.subject,
            account=self.account_alias,
            region=self.region,
            target=self.target,
            **{name: value for name, value in self.detail.items() if name not in verbs.RESERVED},
        )

    @property
    def title(self) -> str:
        return verbs.title(self.action)

    @property
    def details(self) -> list[tuple[str, str]]:
        """Its details with names and values for people."""
        return [(labels.label(name), labels.text(name, value)) for name, value in self.detail.items()]

    def facts(self) -> Facts:
        """What the hash covers, beside the hash before it. `seq` is not in it: the place is proven by the link."""
        return Facts(
            at=self.at,
            values={
                "actor_id": self.actor_id,
                "actor_name": self.actor_name,
                "role": self.role,
                "ip": self.ip,
                "auth": self.auth,
                "action": self.action,
                "subject": self.subject,
                "account_pk": self.account_pk,
                "account_alias": self.account_alias,
                "account_number": self.account_number,
                "account_environment": self.account_environment,
                "region": self.region,
                "target": self.target,
                "outcome": self.outcome,
                "request_id": self.request_id,
                "aws_request_id": self.aws_request_id,
                "detail": self.detail,
            },
        )


class AuditHead(models.Model):
    """The end of the chain, and the lock that writers queue for. The one row is sealed with the audit key."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField()
    hash = models.CharField(max_length=64, blank=True)
    seal = models.CharField(max_length=64)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_head_is_one")]

    def __str__(self) -> str:
        return f"head at {self.seq}"
