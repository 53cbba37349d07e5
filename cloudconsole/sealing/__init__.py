"""Secrets at rest: sealed before they are stored, opened only where they are used, and re-sealed when keys change.

A model joins by declaring a `SealedField` and its `KeyIdField`; `columns.all_columns()` then finds it for rotation and checks.
Secrets in tables of other packages join by `columns.register`.
"""

from cloudconsole.sealing.errors import KeyUnavailable, SealingError, Unreadable
from cloudconsole.sealing.fields import KeyIdField, SealedField
from cloudconsole.sealing.keyring import Context, Sealed, keyring

__all__ = ["Context", "KeyIdField", "KeyUnavailable", "Sealed", "SealedField", "SealingError", "Unreadable", "keyring"]
