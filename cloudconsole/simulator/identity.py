"""Who calls: access keys, roles, sessions. Sessions are self-contained tokens, so that a restart forgets none of them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Lock

from cloudconsole.simulator import organization, signatures
from cloudconsole.simulator.clock import SimulatedClock
from cloudconsole.simulator.organization import Account, DemoKey, Role, User
from cloudconsole.simulator.policies import Decision, Statement, decide
from cloudconsole.simulator.refusals import Refusal, refusal
from cloudconsole.simulator.wire import AwsError, Protocol, Request

# With a frozen clock a client may keep real time or travel along; it then is "about" at the frozen day.
_TRAVEL_TOLERANCE = timedelta(hours=36)
# One endpoint for the whole partition, whatever region the client was made for.
_GLOBAL_SERVICES = frozenset({"ce", "iam", "organizations"})
_LONG_AGO = datetime(2025, 1, 1, tzinfo=UTC)
_KEYS_MADE = datetime(2026, 2, 2, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller whose signature was right. `arn` is the session's for assumed roles, `principal_arn` the role's."""

    account_id: str
    arn: str
    user_id: str
    principal_arn: str
    statements: tuple[Statement, ...]
    access_key_id: str
    region: str
    signed_at: datetime

    @property
    def is_assumed_role(self) -> bool:
        return ":assumed-role/" in self.arn

    @property
    def account(self) -> organization.Account:
        return organization.account_of(self.account_id)

    def decision(self, action: str, resource: str = "*") -> Decision:
        return decide(self.statements + self.account.guardrails, action, resource)


@dataclass(frozen=True, slots=True)
class SessionCredentials:
    access_key_id: str
    secret_access_key: str
    session_token: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Session:
    """What a session token says about itself."""

    principal_arn: str
    name: str  # the role session's name; empty for GetSessionToken of a user
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class UserKey:
    """A long-lived access key of an IAM user."""

    access_key_id: str
    user: User
    secret: str
    created_at: datetime
    active: bool = True


class Directory:
    """All principals of the organization and what authenticates them. Safe to use from many threads."""

    def __init__(self, seed: int, clock: SimulatedClock) -> None:
        self.seed = seed
        self._clock = clock
        self._lock = Lock()
        self._roles: dict[str, Role] = organization.roles(seed)
        self._keys = {key.access_key_id: key for key in self._static_keys()}
        self._made = 0
        self.size = 0
        self.delegated_administrators: frozenset[str] = frozenset()
        self.demo_keys = {key.name: key for key in self._make_demo_keys()}

    # --- roles

    def member_roles(self) -> list[Role]:
        """The roles that the product may be asked to use."""
        with self._lock:
            return [role for role in self._roles.values() if role.name != organization.HUB_ROLE_NAME]

    def role(self, arn: str) -> Role | None:
        with self._lock:
            return self._roles.get(arn)

    def put_role(self, role: Role) -> None:
        """Create or replace a role, as the admin of its account would with our CloudFormation template."""
        with self._lock:
            self._roles[role.arn] = role

    def reset(self) -> None:
        """Back to the roles, keys and size of a fresh start."""
        with self._lock:
            self._roles = organization.roles(self.seed)
            self._keys = {key.access_key_id: key for key in self._static_keys()}
            self.size, self.delegated_administrators = 0, frozenset()

    def members(self) -> list[Account]:
        """The accounts of the organization, as large as it was made."""
        return organization.organization_accounts(self.size)

    # --- access keys of users

    def keys_of(self, user_arn: str) -> list[UserKey]:
        with self._lock:
            return [key for key in self._keys.values() if key.user.arn == user_arn]

    def make_key(self, user_arn: str) -> UserKey:
        with self._lock:
            self._made += 1
            name = f"{user_arn}#made-{self._made}"
            key = UserKey(
                organization.access_key_id(self.seed, name),
                organization.USERS[user_arn],
                organization.secret_for(self.seed, name),
                self._clock.now(),
            )
            self._keys[key.access_key_id] = key
            return key

    def switch_key(self, key: UserKey, *, active: bool) -> None:
        with self._lock:
            self._keys[key.access_key_id] = replace(key, active=active)

    def forget_key(self, key: UserKey) -> None:
        with self._lock:
            self._keys.pop(key.access_key_id, None)

    # --- sessions

    def open_session(self, principal_arn: str, name: str, expires_at: datetime) -> SessionCredentials:
        """Temporary credentials for a role (with a session name) or a user (without)."""
        claims = json.dumps([principal_arn, name, int(expires_at.timestamp())]).encode()
        mac = hmac.digest(self._session_key(), claims, hashlib.sha256)
        token = base64.b64encode(mac + claims).decode()
        key_id = organization.access_key_id(self.seed, token, prefix="ASIA")
        return SessionCredentials(key_id, organization.secret_for(self.seed, token), token, expires_at)

    def _read_token(self, token: str) -> _Session | None:
        try:
            raw = base64.b64decode(token, validate=True)
        except binascii.Error:
            return None
        if not hmac.compare_digest(hmac.digest(self._session_key(), raw[32:], hashlib.sha256), raw[:32]):
            return None
        arn, name, expiry = json.loads(raw[32:])
        return _Session(arn, name, datetime.fromtimestamp(expiry, UTC))

    def _session_key(self) -> bytes:
        return organization.secret_for(self.seed, "sessions").encode()

    # --- authentication

    def authenticate(self, request: Request, protocol: Protocol) -> Identity:
        """The caller behind a signed request, or the refusal in AWS's words (raised)."""
        claimed = signatures.read(request)
        if claimed is None:
            raise refusal(Refusal.MISSING, protocol)
        identity, secret = self._look_up(request, claimed, protocol)
        self._check_time(claimed, protocol)
        if not signatures.matches(request, claimed, secret):
            raise refusal(Refusal.BAD_SIGNATURE, protocol)
        if claimed.service in _GLOBAL_SERVICES:
            return identity
        if claimed.region in organization.OPT_IN_REGIONS - identity.account.opted_in_regions:
            raise refusal(Refusal.UNKNOWN_KEY, protocol)  # a region not opted in knows none of the account's keys
        return identity

    def _look_up(self, request: Request, claimed: signatures.Signature, protocol: Protocol) -> tuple[Identity, str]:
        token = claimed.token or request.headers.get("x-amz-security-token")
        if token is not None:
            return self._look_up_session(token, claimed, protocol)
        key = self._keys.get(claimed.access_key_id)
        if key is None or not key.active:
            raise refusal(Refusal.UNKNOWN_KEY, protocol)
        return self._as_user(key.user, claimed), key.secret

    def _look_up_session(self, token: str, claimed: signatures.Signature, protocol: Protocol) -> tuple[Identity, str]:
        session = self._read_token(token)
        key_id = organization.access_key_id(self.seed, token, prefix="ASIA")
        if session is None or key_id != claimed.access_key_id:
            raise refusal(Refusal.UNKNOWN_KEY, protocol)
        # The signer's own time decides: a test that travels in time sees its sessions expire.
        if (claimed.signed_at if claimed.lasts is None else self._clock.now()) >= session.expires_at:
            raise refusal(Refusal.EXPIRED, protocol)
        secret = organization.secret_for(self.seed, token)
        user = organization.USERS.get(session.principal_arn)
        if user is not None:
            return self._as_user(user, claimed), secret
        role = self.role(session.principal_arn)
        if role is None:
            raise refusal(Refusal.UNKNOWN_KEY, protocol)
        return self._as_role(role, session.name, claimed), secret

    def _check_time(self, claimed: signatures.Signature, protocol: Protocol) -> None:
        if claimed.lasts is not None:
            if self._clock.now() >= claimed.signed_at + claimed.lasts:
                raise AwsError("AccessDenied", "Request has expired", 403)
            return
        message = signatures.skew_message(claimed.signed_at, datetime.now(UTC))
        if message is None:
            return
        if self._clock.is_frozen and abs(claimed.signed_at - self._clock.now()) <= _TRAVEL_TOLERANCE:
            return
        raise refusal(Refusal.SKEWED, protocol, message)

    def _as_user(self, user: User, claimed: signatures.Signature) -> Identity:
        unique = organization.access_key_id(self.seed, user.arn, prefix="AIDA")
        return Identity(
            user.account_id, user.arn, unique, user.arn, user.policy,
            claimed.access_key_id, claimed.region, claimed.signed_at,
        )  # fmt: skip

    def _as_role(self, role: Role, session_name: str, claimed: signatures.Signature) -> Identity:
        arn = f"arn:aws:sts::{role.account_id}:assumed-role/{role.name}/{session_name}"
        unique = f"{self.role_id(role)}:{session_name}"
        return Identity(
            role.account_id, arn, unique, role.arn, role.policy,
            claimed.access_key_id, claimed.region, claimed.signed_at,
        )  # fmt: skip

    def role_id(self, role: Role) -> str:
        return organization.access_key_id(self.seed, role.arn, prefix="AROA")

    # --- demo credentials

    def _static_keys(self) -> list[UserKey]:
        keys, rotating = [], _arn(organization.DEVELOPMENT, "cloudconsole")
        for user in organization.USERS.values():
            # One user has room for a second key; the quota is two.
            names = [(user.arn, True)] if user.arn == rotating else [(user.arn, True), (f"{user.arn}#old", False)]
            for name, active in names:
                key_id, secret = organization.access_key_id(self.seed, name), organization.secret_for(self.seed, name)
                keys.append(UserKey(key_id, user, secret, _KEYS_MADE, active))
        return keys

    def _make_demo_keys(self) -> list[DemoKey]:
        development = _arn(organization.DEVELOPMENT, "cloudconsole")
        good = self._static("development", "static access key", development)
        return [
            self._static("hub", "management: assumes roles, reads the organization and all costs", organization.HUB.arn),
            good,
            self._temporary("sandbox", "session credentials that run out", self._sandbox_expiry()),
            replace(good, name="unknown", purpose="no such key", access_key_id="AKIAIOSFODNN7EXAMPLE"),
            replace(good, name="wrong-secret", purpose="secret mistyped", secret_access_key="wrong" * 8),
            self._static("deactivated", "key switched off by its owner", f"{_arn(organization.SANDBOX, 'cloudconsole')}#old"),
            self._temporary("expired", "session credentials long run out", _LONG_AGO),
            self._static("no-cost-explorer", "no right to ask Cost Explorer", _arn(organization.DEVELOPMENT, "auditor")),
            self._static("not-enabled", "Cost Explorer never opened", _arn(organization.ACQUIRED, "cloudconsole")),
            self._static("stranger", "may assume roles, but no role trusts it", _arn(organization.MANAGEMENT, "stranger")),
        ]

    def _static(self, name: str, purpose: str, source: str) -> DemoKey:
        return DemoKey(
            name, purpose, source.split(":")[4],
            organization.access_key_id(self.seed, source), organization.secret_for(self.seed, source),
        )  # fmt: skip

    def _temporary(self, name: str, purpose: str, expires_at: datetime) -> DemoKey:
        made = self.open_session(_arn(organization.SANDBOX, "cloudconsole"), "", expires_at)
        return DemoKey(
            name, purpose, organization.SANDBOX,
            made.access_key_id, made.secret_access_key, made.session_token, expires_at,
        )  # fmt: skip

    def _sandbox_expiry(self) -> datetime:
        latest = max(self._clock.now(), datetime.now(UTC)) + organization.SESSION_LIFETIME
        return latest.replace(minute=0, second=0, microsecond=0)


def _arn(account_id: str, user: str) -> str:
    return f"arn:aws:iam::{account_id}:user/{user}"
