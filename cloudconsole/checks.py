"""Misconfiguration, said before it hurts: each check has an id and a hint. `manage.py check --deploy` runs them all."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError

from accounts.services import encryption
from accounts.services.encryption import KeyState
from cloudconsole.sealing import Unreadable
from costs.models import BillingBucket, Engine

KEYS = "keys"  # whether stored secrets can be opened; asks the database
INSTALLATION = "installation"  # how this one is set up; `manage.py up` runs these and the security checks

LOCAL_NAMES = frozenset({"localhost", "[::1]", "testserver", ".localhost"})


def is_local(host: str) -> bool:
    """Whether a host name can only mean the machine itself."""
    try:
        return host in LOCAL_NAMES or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def public_hosts() -> list[str]:
    return [host for host in settings.ALLOWED_HOSTS if not is_local(host)]


@register(Tags.security)
def debug_is_local(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DEBUG and public_hosts():
        return [
            Error(
                "DEBUG is on for hosts that others can reach.",
                hint="Debug pages show settings and data. Unset DEBUG, or leave only local names in ALLOWED_HOSTS.",
                id="cloudconsole.E001",
            )
        ]
    return []


@register(Tags.security)
def keys_are_apart(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.SECRET_KEY in settings.FERNET_KEYS or settings.AUDIT_KEY in (settings.SECRET_KEY, *settings.FERNET_KEYS):
        return [
            Error(
                "SECRET_KEY, FERNET_KEYS and AUDIT_KEY share a value.",
                hint="Who learns one of them must not hold the others. Make each on its own: "
                "python -c 'import secrets; print(secrets.token_urlsafe(48))'",
                id="cloudconsole.E002",
            )
        ]
    return []


@register(Tags.security)
def fernet_keys_are_long(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if any(len(key) < 32 for key in settings.FERNET_KEYS):
        return [
            checks.Warning(
                "FERNET_KEYS holds a key shorter than 32 characters.",
                hint="Stored AWS credentials are only as safe as this key. Make one: "
                "python -c 'import secrets; print(secrets.token_urlsafe(32))'",
                id="cloudconsole.W006",
            )
        ]
    return []


@register(Tags.security)
def https_for_others(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if public_hosts() and not settings.SESSION_COOKIE_SECURE:
        return [
            checks.Warning(
                "HTTPS is off for hosts that others can reach.",
                hint="Sessions and passwords travel readable. Put TLS in front and set HTTPS=true (and BEHIND_PROXY=true).",
                id="cloudconsole.W001",
            )
        ]
    return []


@register(INSTALLATION)
def a_shared_database_has_a_shared_broker(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3") == (not settings.REDIS_URL):
        return []
    if settings.REDIS_URL:
        return [
            checks.Warning(
                "REDIS_URL is set, but the database is SQLite.",
                hint="Processes on other machines would see another database. Set DATABASE_URL to PostgreSQL.",
                id="cloudconsole.W002",
            )
        ]
    return [
        checks.Warning(
            "DATABASE_URL names a database server, but REDIS_URL is not set.",
            hint="Broker and cache are then folders on this machine: processes elsewhere do not hear of work until their "
            "next tick, pages there do not move by themselves, and each web process counts by itself how often it is asked. Set "
            "REDIS_URL.",
            id="cloudconsole.W003",
        )
    ]


@register(Tags.security)
def wildcard_hosts(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if "*" in settings.ALLOWED_HOSTS and not settings.DEBUG:
        return [
            checks.Warning(
                "ALLOWED_HOSTS accepts every host name.",
                hint="A forged Host header then ends up in links. Name the hosts that this installation answers to.",
                id="cloudconsole.W004",
            )
        ]
    return []


@register(Tags.security)
def generated_secrets_are_private(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    folder = settings.VAR_DIR / "secrets"
    open_to_others = [path for path in sorted(folder.glob("*")) if path.stat().st_mode & 0o077]
    if open_to_others:
        return [
            Error(
                f"Other users of this machine can read {', '.join(path.name for path in open_to_others)} in {folder}.",
                hint=f"chmod 600 {folder}/*",
                id="cloudconsole.E003",
            )
        ]
    return []


@register(INSTALLATION)
def aws_endpoint_is_meant(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    endpoint = os.environ.get("AWS_ENDPOINT_URL", "")
    if endpoint and public_hosts() and not settings.DEMO_DATA:
        return [
            checks.Warning(
                f"AWS calls go to {endpoint}, not to AWS.",
                hint="Meant for tests and emulators: what this installation shows is what that endpoint says. "
                "Unset AWS_ENDPOINT_URL to talk to AWS.",
                id="cloudconsole.W005",
            )
        ]
    return []


@register(KEYS, Tags.database)
def stored_secrets_have_their_keys(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Reads the database, so it runs at `migrate`, `up` and `check --database default`. Pages need no key, so a KMS that does
    not answer is a warning; a key that is gone is an error, because nothing brings it back by waiting."""
    if not databases:
        return []
    try:
        states = encryption.key_states()
    except DatabaseError:
        return []  # no database, or not migrated yet: that is told elsewhere
    return [message for state in states for message in _about_key(state)]


def _about_key(state: KeyState) -> list[CheckMessage]:
    if state.is_missing:
        return [
            Error(
                f"{state.rows} stored secrets need {state.key_id or 'a key of an unknown id'}, which is not configured.",
                hint="Put the old key back, behind the new one in FERNET_KEYS (or in KMS_OLD_KEY_IDS), and run manage.py "
                f'rotate_keys. If it is lost for good: manage.py rotate_keys --give-up "{state.key_id}", then enter the '
                "credentials again.",
                id="cloudconsole.E004",
            )
        ]
    if isinstance(state.trouble, Unreadable):
        return [
            Error(
                f"{state.key_id} does not open what it sealed before: {state.trouble.detail}",
                hint=state.trouble.remedy,
                id="cloudconsole.E005",
            )
        ]
    if state.trouble is not None:
        return [checks.Warning(f"{state.key_id}: {state.trouble.detail}", hint=state.trouble.remedy, id="cloudconsole.W007")]
    return []


@register(KEYS, Tags.database)
def athena_knows_its_tables(app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    if not databases or settings.COST_ENGINE != Engine.ATHENA:
        return []
    try:
        without = [str(bucket) for bucket in BillingBucket.objects.of_athena_without_table()]
    except DatabaseError:
        return []  # no database, or not migrated yet: that is told elsewhere
    if not without:
        return []
    return [
        checks.Warning(
            f"COST_ENGINE=athena, but of {', '.join(without)} no database and table are known.",
            hint="Add these buckets again with Athena's database and table of the export, or with the engine DuckDB.",
            id="cloudconsole.W008",
        )
    ]


@register(INSTALLATION)
def kms_keys_are_named_by_arn(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    given = [key for key in (settings.KMS_KEY_ID, *settings.KMS_OLD_KEY_IDS) if key]
    if not given:
        return []
    from cloudconsole.aws import kms  # its libraries take half a second

    if wrong := [key for key in given if not kms.is_key_arn(key)]:
        return [
            Error(
                f"KMS_KEY_ID and KMS_OLD_KEY_IDS take the full ARNs of KMS keys, not {', '.join(wrong)}.",
                hint="An alias can be pointed at another key, and then nothing opens. The ARN reads like "
                "arn:aws:kms:eu-central-1:123456789012:key/… and is shown by: aws kms describe-key --key-id alias/…",
                id="cloudconsole.E006",
            )
        ]
    return []


@register(Tags.security)
def private_networks_are_named_one_by_one(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if any(network.prefixlen == 0 for network in settings.EGRESS_ALLOW_CIDRS):
        return [
            Error(
                "EGRESS_ALLOW_CIDRS names a network of all addresses, which is not honoured.",
                hint="Public addresses need no exception. Name the private networks that webhooks may reach: 192.168.1.0/24.",
                id="cloudconsole.E007",
            )
        ]
    return []
