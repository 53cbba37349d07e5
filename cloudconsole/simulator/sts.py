"""STS: who am I, and roles with an external id that counts (AWS STS API reference)."""

from __future__ import annotations

import re
from datetime import timedelta

from cloudconsole.simulator import organization
from cloudconsole.simulator.identity import Directory, Identity, SessionCredentials
from cloudconsole.simulator.organization import Role
from cloudconsole.simulator.policies import Decision
from cloudconsole.simulator.refusals import Refusal, refusal
from cloudconsole.simulator.wire import AwsError, Protocol, element

_CHAINED_LIMIT_S = 3600
_LONGEST_SESSION_S = 43_200
_SESSION_NAME = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)
_EXTERNAL_ID = re.compile(r"[\w+=,.@:/-]{2,1224}", re.ASCII)
_ROLE_ARN = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+", re.ASCII)


def get_caller_identity(identity: Identity) -> str:
    """Needs no permission and works under an explicit deny (STS API reference)."""
    return element("Arn", identity.arn) + element("UserId", identity.user_id) + element("Account", identity.account_id)


def assume_role(identity: Identity, directory: Directory, form: dict[str, str]) -> str:
    """Temporary credentials of a role that trusts the caller, with the right external id and an allowed duration."""
    arn, name = _checked_names(form)
    duration_s = _checked_duration(form.get("DurationSeconds"))
    role = directory.role(arn)
    if role is None or not _may_assume(identity, role, form.get("ExternalId")):
        raise _denied(identity, arn)
    _check_session_limit(identity, role, duration_s)
    made = directory.open_session(role.arn, name, identity.signed_at + timedelta(seconds=duration_s))
    session_arn = f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{name}"
    who = element("AssumedRoleId", f"{directory.role_id(role)}:{name}") + element("Arn", session_arn)
    source = element("SourceIdentity", form["SourceIdentity"]) if "SourceIdentity" in form else ""
    return f"{_credentials(made)}<AssumedRoleUser>{who}</AssumedRoleUser>{element('PackedPolicySize', 6)}{source}"


def _may_assume(identity: Identity, role: Role, external_id: str | None) -> bool:
    if identity.decision("sts:AssumeRole", role.arn) is not Decision.ALLOWED:
        return False
    if organization.account_of(role.account_id).state != "ACTIVE":
        return False
    whole_account = f"arn:aws:iam::{identity.account_id}:root"
    trusted = role.trusted_principal in (identity.principal_arn, whole_account)
    return trusted and role.external_id in (None, external_id)


def _denied(identity: Identity, arn: str) -> AwsError:
    """The same words whether the role is missing, does not trust the caller or wants another external id."""
    message = f"User: {identity.arn} is not authorized to perform: sts:AssumeRole on resource: {arn}"
    return refusal(Refusal.DENIED, Protocol.QUERY, message)


def _check_session_limit(identity: Identity, role: Role, duration_s: int) -> None:
    if duration_s > role.max_session_s:
        raise _validation("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
    if identity.is_assumed_role and duration_s > _CHAINED_LIMIT_S:
        raise _validation("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.")


def _checked_names(form: dict[str, str]) -> tuple[str, str]:
    arn, name = form.get("RoleArn", ""), form.get("RoleSessionName", "")
    if not _ROLE_ARN.fullmatch(arn):
        raise _validation(f"{arn} is invalid")
    if not _SESSION_NAME.fullmatch(name):
        raise _constraint(name, "roleSessionName", r"Member must satisfy regular expression pattern: [\w+=,.@-]*")
    external_id = form.get("ExternalId")
    if external_id is not None and not _EXTERNAL_ID.fullmatch(external_id):
        raise _constraint(external_id, "externalId", r"Member must satisfy regular expression pattern: [\w+=,.@:\/-]*")
    return arn, name


def _checked_duration(text: str | None) -> int:
    if text is not None and not text.isdecimal():
        raise AwsError("MalformedInput", "Invalid Argument")
    seconds = int(text) if text else 3600
    if seconds < 900:
        raise _constraint(text, "durationSeconds", "Member must have value greater than or equal to 900")
    if seconds > _LONGEST_SESSION_S:
        raise _constraint(text, "durationSeconds", "Member must have value less than or equal to 43200")
    return seconds


def _constraint(value: str | None, member: str, constraint: str) -> AwsError:
    return _validation(f"1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: {constraint}")


def _validation(message: str) -> AwsError:
    return AwsError("ValidationError", message, 400)


def get_session_token(identity: Identity, directory: Directory, form: dict[str, str]) -> str:
    """Temporary credentials of a user; a session cannot ask for another one."""
    if identity.access_key_id.startswith("ASIA"):
        raise refusal(Refusal.DENIED, Protocol.QUERY, "Cannot call GetSessionToken with session credentials")
    seconds = _checked_duration(form.get("DurationSeconds", "43200"))
    return _credentials(directory.open_session(identity.arn, "", identity.signed_at + timedelta(seconds=seconds)))


def _credentials(made: SessionCredentials) -> str:
    return (
        "<Credentials>"
        + element("AccessKeyId", made.access_key_id)
        + element("SecretAccessKey", made.secret_access_key)
        + element("SessionToken", made.session_token)
        + element("Expiration", made.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        + "</Credentials>"
    )
