"""Who signs: the access of the surrounding `acting_as`, turned into keys at the moment a request is signed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from threading import Lock
from typing import TYPE_CHECKING

import botocore.session
from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import NoCredentialsError

from cloudconsole.aws import attempts, logs, translation
from cloudconsole.aws.credentials import (
    CHAINED_DURATION_S,
    Access,
    Ambient,
    AssumedRole,
    Keys,
    RoleSession,
    SessionCache,
    SessionKey,
    StaticKey,
    requested_duration,
    session_name,
)
from cloudconsole.aws.errors import AwsError, NoIdentity
from cloudconsole.core import clock

if TYPE_CHECKING:
    from mypy_boto3_sts import STSClient
    from mypy_boto3_sts.type_defs import AssumeRoleResponseTypeDef

_access: ContextVar[Access | None] = ContextVar("cloudconsole_aws_access", default=None)


@contextmanager
def acting_as(access: Access) -> Iterator[None]:
    """Make every AWS call inside as `access`. A thread started inside does not inherit it: it calls as nobody."""
    token = _access.set(access)
    try:
        yield
    finally:
        _access.reset(token)


def current_access() -> Access:
    """The access of the surrounding `acting_as`. Raises NoIdentity outside of one."""
    access = _access.get()
    if access is None:
        raise NoIdentity("An AWS call was made outside acting_as(); nothing was sent.")
    return access


class CurrentCredentials(Credentials):
    """What all shared clients sign with: nobody's keys by themselves, the current access's when a request is signed."""

    def __init__(self, keys_of: Callable[[Access], Keys]) -> None:
        super().__init__(access_key="", secret_key="", method="cloudconsole")
        self._keys_of = keys_of

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        keys = self._keys_of(current_access())
        return ReadOnlyCredentials(keys.access_key_id, keys.secret_access_key, keys.session_token, None)


class CurrentCredentialProvider:
    """botocore's `credential_provider` component of the shared session."""

    def __init__(self, credentials: CurrentCredentials) -> None:
        self._credentials = credentials

    def load_credentials(self) -> CurrentCredentials:
        return self._credentials


class Identities:
    """Keys for every kind of credential source. `sts` gives the shared STS client of a region."""

    def __init__(self, sts: Callable[[str], STSClient]) -> None:
        self._sts = sts
        self._sessions = SessionCache()
        self._ambient = AmbientIdentity()

    def keys_of(self, access: Access) -> Keys:
        """The keys to sign with as `access`. Raises AwsError when a role cannot be assumed or there is no identity."""
        match access.source:
            case StaticKey(access_key_id=key_id, secret_access_key=secret, session_token=token):
                return Keys(key_id, secret, token)
            case AssumedRole() as role:
                key = self._session_key(access, role)
                return self._sessions.get(key, lambda: self._assume(access, role)).keys
            case Ambient():
                return self._ambient.keys()

    def forget(self, access: Access) -> bool:
        """Drop what is cached for `access`. False when nothing can be renewed: fixed keys stay what they are."""
        match access.source:
            case AssumedRole() as role:
                self._sessions.forget(self._session_key(access, role))
                return True
            case Ambient():
                self._ambient.forget()
                return True
            case StaticKey():
                return False

    def clear(self) -> None:
        """Forget every cached session."""
        self._sessions.clear()
        self._ambient.forget()

    def _session_key(self, access: Access, role: AssumedRole) -> SessionKey:
        endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
        return SessionKey(role, session_name(access.actor), access.region, endpoint)

    def _assume(self, access: Access, role: AssumedRole) -> RoleSession:
        as_hub = Access(key=access.key, source=role.hub, region=access.region, actor=access.actor)
        hub = self.keys_of(as_hub)
        started = clock.now()
        # The attempts of the call that needs this session are being watched; these are not among them.
        with acting_as(as_hub), attempts.observed_by(None):
            keys, expires = self._ask(role, session_name(access.actor), access.region, hub)
        return RoleSession(keys, started_at=started, expires_at=expires)

    def _ask(self, role: AssumedRole, name: str, region: str, hub: Keys) -> tuple[Keys, datetime]:
        duration = requested_duration(role, hub)
        sts = self._sts(region)
        try:
            return _assume_for(sts, role, name, duration, hub)
        except AwsError as refusal:
            if duration <= CHAINED_DURATION_S or "DurationSeconds exceeds" not in refusal.aws_message:
                raise
        # The role allows less than was asked for; one hour is what every role allows.
        return _assume_for(sts, role, name, CHAINED_DURATION_S, hub)


def assume_role(sts: STSClient, role: AssumedRole, name: str, duration_s: int) -> AssumeRoleResponseTypeDef:
    """AssumeRole; without an external id the parameter is left out, because an empty one is refused."""
    if role.external_id is None:
        return sts.assume_role(RoleArn=role.role_arn, RoleSessionName=name, DurationSeconds=duration_s)
    return sts.assume_role(RoleArn=role.role_arn, RoleSessionName=name, DurationSeconds=duration_s, ExternalId=role.external_id)


def _assume_for(sts: STSClient, role: AssumedRole, name: str, duration_s: int, hub: Keys) -> tuple[Keys, datetime]:
    def request() -> tuple[Keys, datetime]:
        granted = assume_role(sts, role, name, duration_s)["Credentials"]
        keys = Keys(granted["AccessKeyId"], granted["SecretAccessKey"], granted["SessionToken"])
        return keys, granted["Expiration"]

    return translation.guarded("sts", "AssumeRole", hub.secrets, request)


class AmbientIdentity:
    """This machine's own identity by botocore's default chain, in a session apart from the shared one."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._credentials: Credentials | None = None

    def keys(self) -> Keys:
        """Current keys; botocore renews them by itself. Raises AwsError when the machine has no identity."""
        return translation.guarded("sts", "DefaultCredentials", (), self._freeze)

    def forget(self) -> None:
        with self._lock:
            self._credentials = None

    def _freeze(self) -> Keys:
        frozen = self._find().get_frozen_credentials()
        if not frozen.access_key or not frozen.secret_key:
            raise NoCredentialsError
        return Keys(frozen.access_key, frozen.secret_key, frozen.token)

    def _find(self) -> Credentials:
        with self._lock:
            if self._credentials is None:
                logs.pin()
                self._credentials = botocore.session.get_session().get_credentials()
            if self._credentials is None:
                raise NoCredentialsError
            return self._credentials
