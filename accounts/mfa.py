"""Where allauth's second factors meet this product: their secrets are stored encrypted."""

from __future__ import annotations

from allauth.mfa.adapter import DefaultMFAAdapter
from fernet_fields import EncryptedTextField


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets of authenticator apps and seeds of recovery codes are sealed with FERNET_KEYS, newest key first."""

    def encrypt(self, text: str) -> str:
        return str(EncryptedTextField().fernet.encrypt(text.encode()).decode())

    def decrypt(self, encrypted_text: str) -> str:
        return str(EncryptedTextField().fernet.decrypt(encrypted_text.encode()).decode())

    def get_totp_issuer(self) -> str:
        return f"Cloudconsole ({self._get_site_name()})"
