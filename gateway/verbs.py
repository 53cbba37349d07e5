"""What happens to keys of other services that the audit trail tells. Their secrets are in none of it."""

from __future__ import annotations

from audit.verbs import register

KEY_STORED = register("api_key.stored", "{actor} stored the API key “{subject}” for {binding}")
KEY_CHANGED = register("api_key.changed", "{actor} changed the API key “{subject}”: {fields}")
KEY_DELETED = register("api_key.deleted", "{actor} deleted the API key “{subject}”")
KEY_ROTATED = register("api_key.rotated", "{actor} rotated the API key “{subject}”; the old secret is usable until {until}")
KEY_ROTATION_UNDONE = register("api_key.rotation_undone", "{actor} went back to the old secret of the API key “{subject}”")
KEY_SECRET_RETIRED = register("api_key.secret_retired", "The old secret of the API key “{subject}” was erased")
KEY_ENABLED = register("api_key.enabled", "{actor} enabled the API key “{subject}”")
KEY_DISABLED = register("api_key.disabled", "{actor} disabled the API key “{subject}”")
KEY_TESTED = register("api_key.tested", "{actor} tested the API key “{subject}”: {result}")
KEYS_IMPORTED = register("api_key.imported", "{actor} imported {count} API keys")
REQUEST_REFUSED = register("gateway.request_refused", "A request of {actor} to {subject} was refused")
SECRET_ECHOED = register("gateway.secret_echoed", "{subject} said the secret of the API key “{key}” back; it was taken out")
LIMIT_SET = register("rate_limit.set", "{actor} set the limit of “{subject}” to {limit} {unit}, of which {remaining} are left")
LIMIT_REMOVED = register("rate_limit.removed", "{actor} removed the limit of {limit} {unit} of “{subject}”")
LIMITS_FORGOTTEN = register("rate_limit.forgotten", "{actor} had everything known of the limits of “{subject}” forgotten")
