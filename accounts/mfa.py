"""Where allauth's second factors meet this product: their secrets are stored encrypted."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import InvalidToken
from fernet_fields import EncryptedTextField

from cloudconsole.core.errors import CloudconsoleError, Kind


class SecondFactorUnreadable(CloudconsoleError):
    """No key of this installation opens a stored second factor."""

    kind = Kind.UNAVAILABLE
    code = "second_factor_unreadable"
    title = "The second factor cannot be read"
    silent_variable_failure = True  # a page that only counts codes shows none


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of authenticator apps and seeds of recovery codes are sealed with FERNET_KEYS, newest key first."""

    def encrypt(self, text: str) -> str:
        return str(EncryptedTextField().fernet.encrypt(text.encode()).decode())

    def decrypt(self, encrypted_text: str) -> str:
        """Raises SecondFactorUnreadable."""
        try:
            return str(EncryptedTextField().fernet.decrypt(encrypted_text.encode()).decode())
        except InvalidToken as error:
            raise SecondFactorUnreadable("Ask an admin to take it away, then add it again.") from error

    def get_totp_issuer(self) -> str:
        return f"Cloudconsole ({self._get_site_name()})"
