"""First answers to requests that came with an Idempotency-Key: docs/decisions/0004-idempotency-keys.md."""

from __future__ import annotations

from django.db import models

from cloudconsole.sealing import KeyIdField, SealedField


class RememberedAnswer(models.Model):
    """What one person's key was answered with. No `status` yet: the first request is still at work.

    The answer may carry a token that is shown only once, hence sealed. A `status` without it: it could not be kept.
    """

    PURPOSE = "remembered_answer.body"

    user_id = models.BigIntegerField()
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="Keyed hash of method, address and body.")
    claimed_at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = SealedField(key_field="body_key", owner="user_id", purpose=PURPOSE, default=b"")
    body_key = KeyIdField(blank=True, default="")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user_id", "key"], name="remembered_answer_once")]
        indexes = [
            # A tick sweeps out those that are past their time.
            models.Index(fields=["claimed_at"], name="remembered_answer_age"),
        ]

    def __str__(self) -> str:
        return f"answer {self.status or 'pending'} for person {self.user_id}"
