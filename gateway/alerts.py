"""What the gateway tells people about. A person's keys are told to nobody but them."""

from __future__ import annotations

from accounts.alerts import register

KEY_EXPIRING = register("gateway.key_expiring", "API keys that run out")
