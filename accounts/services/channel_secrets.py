"""A channel's secret half: where it sends to and what it signs with. Sealed to the channel, opened only to send."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from accounts.models import NotificationChannel
from accounts.services import encryption
from cloudconsole.sealing import Context, Sealed, Unreadable, keyring

_SHORTEST_SCRUBBED = 8


@dataclass(frozen=True)
class ChannelSecret:
    """`address` is what a message is sent to; `signing_key` is a webhook's."""

    address: str = field(default="", repr=False)
    signing_key: str = field(default="", repr=False)

    def scrubbed(self, text: str) -> str:
        """`text` without the secret, should the other side say it back."""
        parts = {self.signing_key, self.address, *self.address.replace("?", "/").replace("&", "/").split("/")}
        for part in sorted(parts, key=len, reverse=True):
            if len(part) >= _SHORTEST_SCRUBBED:
                text = text.replace(part, "…")
        return text


def seal(channel: NotificationChannel, secret: ChannelSecret) -> Sealed:
    """May ask KMS, so it stands outside of transactions. Raises SealingError."""
    encryption.prove_current_key()
    # Fernet has no associated data, so the text itself says whose it is: moved to another row it is refused.
    text = json.dumps({"channel": str(channel.uuid), "address": secret.address, "signing_key": secret.signing_key})
    return keyring().seal(text, _context(channel))


def opened(channel: NotificationChannel) -> ChannelSecret:
    """Raises SealingError: Unreadable when no key opens it, or it was sealed for another channel."""
    if not channel.sealed:
        return ChannelSecret()
    found = json.loads(keyring().open(Sealed(bytes(channel.sealed), channel.sealed_with), _context(channel)))
    if found["channel"] != str(channel.uuid):
        raise Unreadable("The stored address was sealed for another channel.", remedy="Enter the channel's address again.")
    return ChannelSecret(found["address"], found["signing_key"])


def _context(channel: NotificationChannel) -> Context:
    return Context(str(channel.uuid), NotificationChannel.PURPOSE)
