"""Every kind of event there is, with the sentence that tells it. Apps above register theirs at import."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

# Names a sentence always knows; details with the same name cannot replace them.
RESERVED = frozenset({"actor", "subject", "account", "region", "target"})


@dataclass(frozen=True)
class Verb:
    """`name` is stable and what programs filter by; `sentence` is filled with RESERVED names and the event's details."""

    name: str
    sentence: str


REGISTRY: dict[str, Verb] = {}


class DuplicateVerb(ValueError):
    """Two places registered the same name with different sentences."""


def register(name: str, sentence: str) -> Verb:
    """Add a verb. The same one twice is the same one."""
    verb = Verb(name, sentence)
    if REGISTRY.setdefault(name, verb) != verb:
        raise DuplicateVerb(name)
    return verb


def sentence(name: str, /, **values: object) -> str:
    """The sentence of the verb called `name`; a verb that is no longer known is told by its name alone."""
    verb = REGISTRY.get(name)
    if verb is None:
        return f"{values.get('actor', '')}: {name}"
    shown: defaultdict[str, object] = defaultdict(
        lambda: "?", {key: "" if value is None else value for key, value in values.items()}
    )
    return verb.sentence.format_map(shown)


def title(name: str) -> str:
    """The name for a list that people choose from: "account.credentials_refused" reads "Account: credentials refused"."""
    return name.replace(".", ": ").replace("_", " ").capitalize()


# people
SIGNED_IN = register("session.signed_in", "{actor} signed in")
SIGN_IN_FAILED = register("session.sign_in_failed", "Somebody failed to sign in as {subject}")
SIGN_IN_REFUSED = register("session.single_sign_on_refused", "{subject} came by single sign-on and was refused")
SINGLE_SIGN_ON_ROLE = register("user.role_followed", "{subject} became {to}, as the groups at {provider} say")
SINGLE_SIGN_ON_LAST_ADMIN = register("user.role_kept", "{subject} stays admin although {provider} says {to}: there is no other")
SIGNED_OUT = register("session.signed_out", "{actor} signed out")
TOKEN_ISSUED = register("token.issued", "{actor} got an access token")
TOKEN_REFRESHED = register("token.refreshed", "{actor} renewed an access token")
TOKEN_REUSE_REFUSED = register("token.reuse_refused", "A refresh token of {subject} was used a second time and refused")
FIRST_ADMIN_MADE = register("user.first_admin_made", "{subject} became the first admin, by the setup code")
SETUP_REFUSED = register("session.setup_refused", "Somebody tried to become the first admin with a wrong setup code")
USER_SIGNED_UP = register("user.signed_up", "{subject} signed up")
USER_CREATED = register("user.created", "{actor} added {subject} as {to}")
USER_CHANGED = register("user.changed", "{actor} changed the profile of {subject}")
USER_ROLE_CHANGED = register("user.role_changed", "{actor} changed {subject} from {before} to {to}")
USER_DEACTIVATED = register("user.deactivated", "{actor} deactivated {subject}")
USER_REACTIVATED = register("user.reactivated", "{actor} reactivated {subject}")
PASSWORD_CHANGED = register("user.password_changed", "{actor} changed the password of {subject}")
PASSWORD_RESET = register("user.password_reset", "{subject} set a new password through a link")
PASSWORD_LINK_MADE = register("user.password_link_made", "{actor} made a link with which {subject} can set a new password")
EMAIL_VERIFIED = register("user.email_verified", "{subject} proved their e-mail address")
EMAIL_CHANGE_ASKED = register("user.email_change_asked", "{actor} asked to be reached at another e-mail address")
SIGNED_OUT_EVERYWHERE = register("user.signed_out_everywhere", "{actor} ended every session and token of {subject}")
SESSION_ENDED = register("session.ended", "{actor} ended a session of {subject}")
PERSONAL_TOKEN_MADE = register("personal_token.made", "{actor} made the access token “{name}”")
PERSONAL_TOKEN_REVOKED = register("personal_token.revoked", "{actor} revoked the access token “{name}” of {subject}")
INVITED = register("invitation.made", "{actor} invited {subject} as {to}")
INVITATION_REVOKED = register("invitation.revoked", "{actor} took back the invitation of {subject}")
INVITATION_ACCEPTED = register("invitation.accepted", "{subject} accepted an invitation as {to}")
SECOND_FACTOR_ADDED = register("second_factor.added", "{actor} added a second factor: {kind}")
SECOND_FACTOR_RENAMED = register("second_factor.renamed", "{actor} renamed a passkey to “{name}”")
SECOND_FACTOR_REMOVED = register("second_factor.removed", "{actor} removed a second factor of {subject}: {kind}")
RECOVERY_CODES_MADE = register("second_factor.recovery_codes_made", "{actor} made new recovery codes")
GRANT_CHANGED = register("grant.changed", "{actor} changed what {subject} may do in {account}")
GRANTS_REPLACED = register("grant.replaced", "{actor} changed which AWS accounts {subject} may use")

# AWS accounts
ACCOUNT_ADDED = register("account.added", "{actor} connected the AWS account {account}")
ACCOUNT_CHANGED = register("account.changed", "{actor} changed the AWS account {account}")
ACCOUNT_DELETED = register("account.deleted", "{actor} disconnected the AWS account {account}")
ACCOUNT_VERIFIED = register("account.verified", "{actor} checked the AWS account {account}")
CREDENTIALS_REPLACED = register("account.credentials_replaced", "{actor} replaced the credentials of {account}")
CREDENTIALS_REFUSED = register("account.credentials_refused", "AWS refused the credentials that {actor} gave for {subject}")
ACCOUNT_HELD = register("account.held", "The AWS account {account} was made to hold what billing files tell")
ACCOUNT_PURGED = register("account.purged", "{actor} purged everything that was kept of the AWS account {account}")
CREDENTIALS_EXPIRING = register("account.credentials_expiring", "The credentials of {account} expire in less than {within}")
ORGANIZATION_DISCOVERED = register("organization.discovered", "{actor} looked at the organization {target} from {account}")
ADOPTION_REQUESTED = register(
    "adoption.requested", "{actor} asked to adopt {count} accounts of the organization through {account}"
)
ADOPTION_FAILED = register("adoption.failed", "Adopting {subject} through {account} failed")
KEY_ROTATION_STARTED = register("key_rotation.started", "{actor} started to rotate the access key of {account}")
KEY_ROTATION_STEP = register("key_rotation.step", "{actor} rotated the access key of {account}: {step}")
KEY_ROTATION_UNDONE = register("key_rotation.undone", "{actor} took back the rotation of the access key of {account}")

# encryption keys
KEYS_ROTATED = register("keys.rotated", "{actor} re-encrypted stored secrets with {subject}")
KEY_GIVEN_UP = register("keys.given_up", "{actor} gave up what the lost key {subject} had encrypted")

# notifications
CHANNEL_MADE = register("notification_channel.made", "{actor} made the notification channel “{subject}” ({kind})")
CHANNEL_CHANGED = register("notification_channel.changed", "{actor} changed the notification channel “{subject}”: {fields}")
CHANNEL_DELETED = register("notification_channel.deleted", "{actor} deleted the notification channel “{subject}”")
CHANNEL_TESTED = register("notification_channel.tested", "{actor} sent a test message to “{subject}”: {result}")
CHANNEL_REFUSED = register("notification_channel.refused", "{actor} named an address for “{subject}” that is refused: {cause}")
DELIVERY_RETRIED = register("notification_delivery.retried", "{actor} had the message {number} sent to “{subject}” again")
DELIVERY_DISMISSED = register("notification_delivery.dismissed", "{actor} put the message {number} to “{subject}” aside")
ALERTS_FORGOTTEN = register("alerts.forgotten", "{alerts} alerts and {messages} messages older than {days} days were removed")

# the trail itself
AUDIT_VERIFIED = register("audit.verified", "{actor} verified the audit trail up to event {seq}")
AUDIT_EXPORTED = register("audit.exported", "{actor} exported the audit trail")
