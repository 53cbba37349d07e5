"""The two columns of a stored secret: its ciphertext, and the id of the key that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import models

if TYPE_CHECKING:
    _CharField = models.CharField[str, str]
    _BinaryField = models.BinaryField[bytes, bytes]
else:
    _CharField, _BinaryField = models.CharField, models.BinaryField


class KeyIdField(_CharField):
    """The public id of the key that made the ciphertext beside it. Indexed: rotation looks for other keys than today's."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 200)
        kwargs.setdefault("editable", False)
        kwargs.setdefault("db_index", True)
        super().__init__(**kwargs)


class SealedField(_BinaryField):
    """A column of ciphertext. What is loaded stays ciphertext until somebody opens it on purpose.

    `key_field` names the KeyIdField beside it, `owner` the path to what the secret belongs to (such as
    "account__uuid"), `purpose` what it is for; both go into the context that a secret is sealed with.
    """

    def __init__(self, *, key_field: str = "", owner: str = "", purpose: str = "", **kwargs: Any) -> None:
        self.key_field, self.owner, self.purpose = key_field, owner, purpose
        super().__init__(**kwargs)
