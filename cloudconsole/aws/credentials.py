"""As whom AWS is called: keys, assumed roles and this server's own identity, and their secrets turned into signatures.

Assumed roles are cached until shortly before they expire and renewed by one caller while the others wait.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock

# AWS: DurationSeconds 900..43200; a role assumed by another role is capped to one hour ("role chaining").
MIN_DURATION_S = 900
MAX_DURATION_S = 43_200
CHAINED_DURATION_S = 3_600

# Renewed this long before expiry, but never in the first three quarters of a session's life.
_RENEW_BEFORE = timedelta(minutes=10)

_MAX_CACHED_SESSIONS = 4_096


@dataclass(frozen=True, slots=True)
class StaticKey:
    """An access key pair; with a session token it is temporary and cannot be renewed."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)

    def __repr__(self) -> str:
        return f"StaticKey(…{self.access_key_id[-4:]})"


@dataclass(frozen=True, slots=True)
class AssumedRole:
    """A role that `hub` assumes, proving itself with the external id. `duration_s`: 900..43200 seconds."""

    role_arn: str
    external_id: str | None = field(repr=False)
    hub: CredentialSource
    duration_s: int = CHAINED_DURATION_S


@dataclass(frozen=True, slots=True)
class Ambient:
    """The identity of the machine this runs on, found by botocore's default chain (environment, profile, ECS, EC2)."""


CredentialSource = StaticKey | AssumedRole | Ambient


@dataclass(frozen=True, slots=True)
class Access:
    """As whom AWS is called.

    `key` names the credentials and their version ("<uuid>:<version>"); rate limits count per key. `region` is the
    home region: where STS is asked. `actor` is the person or job that CloudTrail of the target account shall name.
    """

    key: str
    source: CredentialSource
    region: str = "us-east-1"
    actor: str = "cloudconsole"


@dataclass(frozen=True, slots=True)
class Keys:
    """What a request is signed with."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(repr=False)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The strings that must appear nowhere but in a signature."""
        return tuple(secret for secret in (self.secret_access_key, self.session_token) if secret)


@dataclass(frozen=True, slots=True)
class RoleSession:
    """Keys of an assumed role and their life."""

    keys: Keys
    started_at: datetime
    expires_at: datetime

    def is_fresh(self, now: datetime) -> bool:
        margin = min(_RENEW_BEFORE, (self.expires_at - self.started_at) / 4)
        return now < self.expires_at - margin


@dataclass(frozen=True, slots=True)
class SessionKey:
    """What makes two assumed-role sessions the same one. Compared by value: other credentials, other session."""

    role: AssumedRole
    session_name: str
    region: str
    endpoint: str


def session_name(actor: str) -> str:
    """`actor` as a role session name: 2 to 64 of the characters AWS allows (letters, digits and _+=,.@-)."""
    name = re.sub(r"[^\w+=,.@-]+", "-", actor, flags=re.ASCII).strip("-")[:64]
    return name if len(name) >= 2 else f"cloudconsole-{name}".rstrip("-")


def requested_duration(role: AssumedRole, hub: Keys) -> int:
    """Seconds to ask for. Temporary hub credentials usually are a role themselves, so the chaining cap applies."""
    ceiling = CHAINED_DURATION_S if hub.session_token else MAX_DURATION_S
    return max(MIN_DURATION_S, min(role.duration_s, ceiling))


class SessionCache:
    """Assumed-role sessions of this process: one call to STS per session, however many threads ask."""

    def __init__(self, capacity: int = _MAX_CACHED_SESSIONS) -> None:
        self._capacity = capacity
        self._lock = Lock()
        self._sessions: OrderedDict[SessionKey, RoleSession] = OrderedDict()
        self._renewals: dict[SessionKey, Future[RoleSession]] = {}

    def get(self, key: SessionKey, assume: Callable[[], RoleSession]) -> RoleSession:
        """The cached session, or the one that `assume` brings. A failure is told to everybody who waited for it."""
        while True:
            with self._lock:
                session = self._sessions.get(key)
                if session is not None and session.is_fresh(clock.now()):
                    self._sessions.move_to_end(key)
                    return session
                renewal = self._renewals.get(key)
                if renewal is None:
                    mine = self._renewals[key] = Future()
                    break
            failure = renewal.exception()
            if failure is None:
                return renewal.result()
            if isinstance(failure, AwsError):
                raise failure.anew()  # one exception object must not be raised in several threads
            # The other caller gave up for a reason of its own (its deadline, an interrupt): ask again.
        return self._renew(key, mine, assume)

    def forget(self, key: SessionKey) -> None:
        """Drop a session that AWS no longer accepts."""
        with self._lock:
            self._sessions.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._sessions.clear()

    def _renew(self, key: SessionKey, renewal: Future[RoleSession], assume: Callable[[], RoleSession]) -> RoleSession:
        try:
            session = assume()
        except BaseException as failure:
            # Waiters must wake up whatever happened, an interrupt included; the failure itself goes on its way.
            self._finish(key)
            renewal.set_exception(failure)
            raise
        self._finish(key, session)
        renewal.set_result(session)
        return session

    def _finish(self, key: SessionKey, session: RoleSession | None = None) -> None:
        with self._lock:
            del self._renewals[key]
            if session is not None:
                self._sessions[key] = session
                while len(self._sessions) > self._capacity:
                    self._sessions.popitem(last=False)
