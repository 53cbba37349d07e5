"""The keys of this installation: the first one seals, each one opens what it sealed."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from fernet_fields.hkdf import derive_fernet_key

from cloudconsole.aws.errors import AwsError
from cloudconsole.sealing.errors import KeyUnavailable, Unreadable

_FINGERPRINT_OF = b"cloudconsole key id\0"


@dataclass(frozen=True)
class Context:
    """What a secret belongs to: the row's lasting identity, and what the secret is for there."""

    owner: str
    purpose: str


@dataclass(frozen=True)
class Sealed:
    """A ciphertext and the public id of the key that made it."""

    ciphertext: bytes = field(repr=False)
    key_id: str


class Key(Protocol):
    """One key. `key_id` is public: it stands beside each ciphertext and in reports."""

    @property
    def key_id(self) -> str: ...

    def seal(self, plaintext: bytes, context: Context) -> bytes: ...

    def open(self, ciphertext: bytes, context: Context) -> bytes:
        """Raises Unreadable."""
        ...


class FernetKey:
    """A key of FERNET_KEYS, derived as django-fernet-fields does it.

    Fernet has no associated data: the plaintext itself has to say which row it belongs to.
    """

    def __init__(self, given: str) -> None:
        derived: bytes = derive_fernet_key(given)
        self.key_id = "fernet:" + hashlib.sha256(_FINGERPRINT_OF + derived).hexdigest()[:12]
        self._fernet = Fernet(derived)

    def seal(self, plaintext: bytes, context: Context) -> bytes:
        return self._fernet.encrypt(plaintext)

    def open(self, ciphertext: bytes, context: Context) -> bytes:
        try:
            return self._fernet.decrypt(ciphertext)
        except InvalidToken:
            raise Unreadable(
                "The stored secret is damaged: its own key does not open it.", remedy="Enter the secret again."
            ) from None


class EnvelopeKey:
    """A key in AWS KMS. KMS itself checks the context, so a ciphertext opens only for what it was sealed for."""

    def __init__(self, arn: str, cache_minutes: int) -> None:
        from cloudconsole.aws import kms  # its libraries take half a second, which only who uses KMS shall wait

        self.key_id = f"kms:{arn}"
        self._kms = kms
        self._key = kms.KmsKey(arn, cache_minutes * 60)

    def seal(self, plaintext: bytes, context: Context) -> bytes:
        try:
            return self._kms.encrypt(self._key, plaintext, _for_kms(context))
        except AwsError as error:
            raise KeyUnavailable.because(error) from error

    def open(self, ciphertext: bytes, context: Context) -> bytes:
        try:
            return self._kms.decrypt(self._key, ciphertext, _for_kms(context))
        except self._kms.CiphertextRefused as error:
            raise Unreadable(f"The stored secret does not open: {error}", remedy="Enter the secret again.") from None
        except AwsError as error:
            raise KeyUnavailable.because(error) from error


def _for_kms(context: Context) -> dict[str, str]:
    return {"app": "cloudconsole", "account": context.owner, "purpose": context.purpose}


class Keyring:
    """All keys, the one that seals first."""

    def __init__(self, keys: Sequence[Key]) -> None:
        self.keys = {key.key_id: key for key in keys}
        self.current = keys[0]

    def seal(self, text: str, context: Context) -> Sealed:
        """`text` under the current key. Raises SealingError when that key cannot be used at the moment."""
        return Sealed(self.current.seal(text.encode(), context), self.current.key_id)

    def open(self, sealed: Sealed, context: Context) -> str:
        """The text. Raises Unreadable, or another SealingError when the key cannot be used at the moment."""
        if not sealed.key_id:
            return self._open_by_trying(sealed, context)
        key = self.keys.get(sealed.key_id)
        if key is None:
            raise Unreadable(
                f"The stored secret was encrypted with the key {sealed.key_id}, which this installation no longer has.",
                remedy="Put that key back, or enter the secret again.",
            )
        return key.open(sealed.ciphertext, context).decode()

    def _open_by_trying(self, sealed: Sealed, context: Context) -> str:
        """A secret from before ids were kept, whose key was not there when they were written down."""
        for key in self.keys.values():
            if isinstance(key, FernetKey):
                try:
                    return key.open(sealed.ciphertext, context).decode()
                except Unreadable:
                    continue
        raise Unreadable("No key of this installation opens the stored secret.", remedy="Put its key back, or enter it again.")


def keyring() -> Keyring:
    """The keys as the settings name them. With KMS_KEY_ID that one seals, and FERNET_KEYS only open what they sealed."""
    arns = tuple(settings.KMS_OLD_KEY_IDS)
    return _keyring(tuple(settings.FERNET_KEYS), settings.KMS_KEY_ID, arns, settings.KMS_DATA_KEY_CACHE_MINUTES)


@lru_cache(maxsize=8)
def _keyring(fernet_keys: tuple[str, ...], kms_key: str, old_kms_keys: tuple[str, ...], cache_minutes: int) -> Keyring:
    current: list[Key] = [EnvelopeKey(kms_key, cache_minutes)] if kms_key else []
    fernet: list[Key] = [FernetKey(given) for given in fernet_keys]
    old: list[Key] = [EnvelopeKey(arn, cache_minutes) for arn in old_kms_keys]
    return Keyring([*current, *fernet, *old])
