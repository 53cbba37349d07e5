"""Where allauth's second factors meet this product: their secrets are stored sealed, and move to new keys like all others.

allauth keeps them as text inside JSON, in a table of its own; so the key id stands in that text, before the ciphertext.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from allauth.mfa.adapter import DefaultMFAAdapter
from django.db import models, transaction

from accounts.services import encryption
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.sealing import Context, KeyUnavailable, Sealed, Unreadable, keyring
from cloudconsole.sealing.columns import SealedRow

_CONTEXT = Context("installation", "second_factor")  # allauth does not say whose secret it hands over


class SecondFactorUnreadable(CloudconsoleError):
    """No key of this installation opens a stored second factor, or its key cannot be used at the moment."""

    kind = Kind.UNAVAILABLE
    code = "second_factor_unreadable"
    title = "The second factor cannot be read"
    silent_variable_failure = True  # a page that only counts codes shows none


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of authenticator apps and seeds of recovery codes are sealed with the installation's current key."""

    def encrypt(self, text: str) -> str:
        """Raises SealingError."""
        encryption.prove_current_key()
        return _as_text(keyring().seal(text, _CONTEXT))

    def decrypt(self, encrypted_text: str) -> str:
        """Raises SecondFactorUnreadable."""
        try:
            return keyring().open(_as_sealed(encrypted_text), _CONTEXT)
        except Unreadable as error:
            raise SecondFactorUnreadable("Ask an admin to take it away, then add it again.") from error
        except KeyUnavailable as error:
            raise SecondFactorUnreadable(f"{error.detail} {error.remedy}") from error

    def get_totp_issuer(self) -> str:
        return f"Cloudconsole ({self._get_site_name()})"


@dataclass(frozen=True)
class SecondFactors:
    """One member of allauth's JSON as rotation and checks see it: "secret" of the apps, or "seed" of recovery codes."""

    member: str

    @property
    def name(self) -> str:
        return f"mfa.Authenticator.{self.member}"

    def per_key(self) -> Counter[str]:
        return Counter(_as_sealed(text).key_id for _, text in self._texts(None))

    def to_rotate(self, current: str, *, after: Any, limit: int) -> Sequence[SealedRow]:
        found = (SealedRow(pk, _as_sealed(text), _CONTEXT) for pk, text in self._texts(after))
        return list(islice((row for row in found if row.sealed.key_id != current), limit))

    @transaction.atomic
    def swap(self, row: SealedRow, new: Sealed) -> bool:
        """Changes nothing but this member: which recovery codes are used stands in the same JSON."""
        found = self._rows().select_for_update().filter(pk=row.pk).first()
        if found is None or _as_sealed(found.data[self.member]) != row.sealed:
            return False
        found.data[self.member] = _as_text(new)
        found.save(update_fields=["data"])
        return True

    def _rows(self) -> models.QuerySet[Any]:
        from allauth.mfa.models import Authenticator  # models do not load before the apps that name this module

        rows: models.QuerySet[Any] = Authenticator._base_manager.filter(data__has_key=self.member)
        return rows

    def _texts(self, after: Any) -> models.QuerySet[Any, tuple[Any, str]]:
        rows = self._rows() if after is None else self._rows().filter(pk__gt=after)
        return rows.order_by("pk").values_list("pk", f"data__{self.member}")


def _as_text(sealed: Sealed) -> str:
    return f"{sealed.key_id} {base64.b64encode(sealed.ciphertext).decode()}"


def _as_sealed(text: str) -> Sealed:
    key_id, _, ciphertext = text.rpartition(" ")
    try:
        return Sealed(base64.b64decode(ciphertext), key_id)
    except binascii.Error:  # damaged; no key opens it
        return Sealed(b"", key_id)
