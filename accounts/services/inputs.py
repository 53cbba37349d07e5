"""What people say about an AWS account, checked as far as it can be without asking AWS. For the API and the pages alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from accounts.models import Approval, AuthMethod, Environment
from accounts.rules import identifiers
from cloudconsole.aws.policy import BY_DEFAULT, CAPABILITIES
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError


class InvalidInput(CloudconsoleError):
    """`attr` names the input at fault, as the API and the forms call it."""

    code = "invalid"
    title = "The input is not valid"


@dataclass(frozen=True)
class KeyInput:
    """An access key; with a session token it is temporary, and may say until when. The secrets show in no repr."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)
    expires_at: datetime | None = None

    @property
    def hint(self) -> str:
        return self.access_key_id[-4:]


@dataclass(frozen=True)
class RoleInput:
    """A role that another account assumes: `hub` is its id, alias or number, empty for the credentials of this host."""

    role_arn: str
    hub: str = ""


@dataclass(frozen=True)
class HostInput:
    """The credentials that the host of this installation has by itself."""


CredentialInput = KeyInput | RoleInput | HostInput


@dataclass(frozen=True)
class NewAccount:
    """`expected_account_id`: refused when the credentials turn out to be another account's.

    `reservation` comes from `aws_accounts.reserve_external_id`, for a role whose trust policy was written before.
    """

    alias: str
    credentials: CredentialInput
    environment: str = Environment.DEVELOPMENT
    regions: Sequence[str] = ()
    capabilities: Sequence[str] = BY_DEFAULT
    expected_account_id: str = ""
    reservation: str = ""


@dataclass(frozen=True)
class AccountChanges:
    """What to change; None leaves it as it is."""

    alias: str | None = None
    environment: str | None = None
    regions: Sequence[str] | None = None
    capabilities: Sequence[str] | None = None
    approval: str | None = None
    credentials: CredentialInput | None = None


def credential_input(
    *,
    auth_method: str,
    access_key_id: str = "",
    secret_access_key: str = "",
    session_token: str = "",
    role_arn: str = "",
    hub: str = "",
    expires_at: datetime | None = None,
) -> CredentialInput:
    """The flat fields of a form or a JSON body as one of the three ways in. Raises InvalidInput naming the field."""
    if expires_at and auth_method != AuthMethod.ACCESS_KEY:
        raise InvalidInput("Only temporary access keys expire.", attr="expires_at")
    match auth_method:
        case AuthMethod.ACCESS_KEY:
            _refuse_given("access_key", role_arn=role_arn, hub=hub)
            return _key(access_key_id, secret_access_key, session_token, expires_at)
        case AuthMethod.ASSUME_ROLE:
            keys = {"access_key_id": access_key_id, "secret_access_key": secret_access_key, "session_token": session_token}
            _refuse_given("assume_role", **keys)
            return _role(role_arn, hub)
        case AuthMethod.AMBIENT:
            keys = {"access_key_id": access_key_id, "secret_access_key": secret_access_key, "session_token": session_token}
            _refuse_given("ambient", **keys, role_arn=role_arn, hub=hub)
            return HostInput()
    raise InvalidInput(f"Must be one of {', '.join(AuthMethod.values)}.", attr="auth_method")


def alias(text: str) -> str:
    """The alias in lower case. Raises InvalidInput."""
    found = text.strip().lower()
    if not identifiers.is_alias(found):
        raise InvalidInput("Use up to 63 lower-case letters, digits and hyphens, with at least one letter.", attr="alias")
    return found


def environment(text: str) -> Environment:
    if text not in Environment.values:
        raise InvalidInput(f"Must be one of {', '.join(Environment.values)}.", attr="environment")
    return Environment(text)


def approval(text: str) -> Approval:
    if text not in Approval.values:
        raise InvalidInput(f"Must be one of {', '.join(Approval.values)}.", attr="approval")
    return Approval(text)


def region_names(names: Sequence[str]) -> list[str]:
    """Each once, in the order given. Raises InvalidInput for what cannot be a region."""
    for name in names:
        if not identifiers.is_region(name):
            raise InvalidInput("Regions read like “eu-central-1”.", attr="regions")
    return list(dict.fromkeys(names))


def capability_names(names: Sequence[str]) -> list[str]:
    unknown = [name for name in names if name not in CAPABILITIES]
    if unknown:
        raise InvalidInput(f"Capabilities are {', '.join(CAPABILITIES)}.", attr="capabilities")
    return [name for name in CAPABILITIES if name in names]


def account_number(text: str) -> str:
    """Twelve digits, spaces and hyphens between them forgiven; empty stays empty. Raises InvalidInput."""
    digits = text.replace("-", "").replace(" ", "")
    if digits and not identifiers.is_account_number(digits):
        raise InvalidInput("An AWS account number has twelve digits.", attr="account_id")
    return digits


def _key(access_key_id: str, secret_access_key: str, session_token: str, expires_at: datetime | None) -> KeyInput:
    key_id, secret, token = (identifiers.without_whitespace(text) for text in (access_key_id, secret_access_key, session_token))
    if identifiers.is_temporary_key(key_id) and not token:
        raise InvalidInput("A temporary key (ASIA…) needs its session token.", attr="session_token")
    if identifiers.is_long_lived_key(key_id) and token:
        raise InvalidInput("A long-lived key (AKIA…) has no session token.", attr="session_token")
    if not (identifiers.is_temporary_key(key_id) or identifiers.is_long_lived_key(key_id)):
        raise InvalidInput(
            "An access key id starts with AKIA or ASIA, followed by capital letters and digits.", attr="access_key_id"
        )
    if len(secret) < 16:
        raise InvalidInput("The secret access key is missing or too short.", attr="secret_access_key")
    if expires_at and not token:
        raise InvalidInput("A long-lived key does not expire.", attr="expires_at")
    if expires_at and expires_at <= clock.now():
        raise InvalidInput("These credentials have expired already.", attr="expires_at")
    return KeyInput(key_id, secret, token, expires_at)


def _role(role_arn: str, hub: str) -> RoleInput:
    arn = role_arn.strip()
    if identifiers.account_number_of_role(arn) is None:
        raise InvalidInput("A role reads like arn:aws:iam::123456789012:role/Name.", attr="role_arn")
    return RoleInput(arn, hub.strip())


def _refuse_given(method: str, **values: str) -> None:
    for attr, value in values.items():
        if value:
            raise InvalidInput(f"Does not go with auth_method “{method}”.", attr=attr)
