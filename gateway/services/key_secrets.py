"""Secrets of keys: sealed to their key, opened only to send, told apart by fingerprints."""

from __future__ import annotations

import json

from django.utils.crypto import salted_hmac

from accounts.models import User
from accounts.services import encryption
from cloudconsole.sealing import Context, Sealed, Unreadable, keyring
from gateway.models import ApiKey, ApiKeySecret


def seal(key: ApiKey, secret: str) -> Sealed:
    """May ask KMS, so it stands outside of transactions. Raises SealingError."""
    encryption.prove_current_key()
    # Fernet has no associated data, so the text itself says whose it is: moved to another row it is refused.
    text = json.dumps({"key": str(key.uuid), "owner": key.owner_id, "secret": secret})
    return keyring().seal(text, _context(key))


def opened(stored: ApiKeySecret) -> str:
    """Raises SealingError: Unreadable when no key opens it, or it was sealed for another key or another person's."""
    key = stored.key
    found = json.loads(keyring().open(Sealed(bytes(stored.sealed), stored.sealed_with), _context(key)))
    if (found["key"], found["owner"]) != (str(key.uuid), key.owner_id):
        raise Unreadable("The stored secret was sealed for another key.", remedy="Enter the secret again.")
    return str(found["secret"])


def fingerprint(owner: User, secret: str) -> str:
    """The same for the same secret of one person, and useless to anybody else."""
    return salted_hmac("gateway.secret", f"{owner.pk}:{secret}", algorithm="sha256").hexdigest()


def _context(key: ApiKey) -> Context:
    return Context(str(key.uuid), ApiKeySecret.PURPOSE)
