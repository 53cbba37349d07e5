"""The encryption keys that this installation has used. Never the keys themselves: their public ids."""

from __future__ import annotations

from django.db import models


class EncryptionKey(models.Model):
    """A key by its public id, with a ciphertext of nothing secret that proves the key whenever it is opened."""

    key_id = models.CharField(max_length=200, unique=True, editable=False)
    canary = models.BinaryField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    given_up_at = models.DateTimeField(
        null=True, editable=False, help_text="Since when an operator has accepted that the key, and what it sealed, is lost."
    )

    def __str__(self) -> str:
        return self.key_id
