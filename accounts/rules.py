"""What AWS's identifiers look like, what may be told from them before AWS is asked, and how random keys are made."""

from __future__ import annotations

import hashlib
import re
import secrets
import zlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from cloudconsole.core.permissions import Role, lower_of

# An access key id as IAM makes it: AKIA for a long-lived key, ASIA for one that comes with a session token
# (IAM user guide, "IAM identifiers", unique ids).
_ACCESS_KEY_ID = re.compile(r"(?P<kind>AKIA|ASIA)[A-Z0-9]{12,124}")
_ROLE_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role/[\w+=,.@/-]{1,512}", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_ACCOUNT_NUMBER = re.compile(r"\d{12}", re.ASCII)
_ALIAS = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")


def is_long_lived_key(access_key_id: str) -> bool:
    """A key of an IAM user, which takes no session token."""
    found = _ACCESS_KEY_ID.fullmatch(access_key_id)
    return found is not None and found["kind"] == "AKIA"


def is_temporary_key(access_key_id: str) -> bool:
    """A key that AWS accepts only together with its session token."""
    found = _ACCESS_KEY_ID.fullmatch(access_key_id)
    return found is not None and found["kind"] == "ASIA"


def account_number_of_role(role_arn: str) -> str | None:
    """The twelve digits in a role's ARN; None when it is not the ARN of an IAM role."""
    found = _ROLE_ARN.fullmatch(role_arn)
    return found["account"] if found else None


def is_region(name: str) -> bool:
    return _REGION.fullmatch(name) is not None


def is_account_number(text: str) -> bool:
    return _ACCOUNT_NUMBER.fullmatch(text) is not None


def is_alias(text: str) -> bool:
    """Lower-case letters, digits, inner hyphens, and at least one letter: bare digits would read as an id."""
    return _ALIAS.fullmatch(text) is not None and not text.isdigit()


def is_root(arn: str) -> bool:
    """Whether an identity is an account's root user, whom no policy limits."""
    return arn.endswith(":root")


def without_whitespace(secret: str) -> str:
    """A pasted key without the blanks and line breaks that came along; none of AWS's keys contain any."""
    return "".join(secret.split())


PERSONAL_TOKEN_PREFIX = "cc_pat_"  # noqa: S105 - lets people and secret scanners recognise a token by its beginning


def new_personal_token() -> str:
    """256 random bits behind a prefix that says what it is."""
    return PERSONAL_TOKEN_PREFIX + secrets.token_urlsafe(32)


def new_link_key() -> str:
    """256 random bits for the address of a link that works once."""
    return secrets.token_urlsafe(32)


def digest_of(key: str) -> str:
    """What is stored of a random key. Nobody guesses 256 bits, so one fast hash without salt is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


def role_of_groups(groups: Collection[str], group_roles: Sequence[tuple[str, str]], default: str, ceiling: Role) -> Role | None:
    """The highest role that any of `groups` gives, never above `ceiling`; None for whom nothing lets in."""
    given = [Role(role) for group, role in group_roles if group in groups]
    if not given and default == "none":
        return None
    order = [Role.VIEWER, Role.OPERATOR, Role.ADMIN]
    return lower_of(max(given, key=order.index) if given else Role(default), ceiling)


# How soon AWS is asked again by itself. A failing account is looked at often at first, as most failures are mended soon.
_CHECK_EVERY = {"ok": timedelta(hours=6), "degraded": timedelta(hours=2)}
_FIRST_RETRY = timedelta(minutes=10)
_LAST_RETRY = timedelta(hours=6)
_JITTER = 0.2

KEY_IS_OLD_AFTER = timedelta(days=90)
EXPIRY_THRESHOLDS = (timedelta(days=7), timedelta(days=1), timedelta(hours=1))


def next_check(status: str, failed: int, account: int, now: datetime) -> datetime:
    """When an account is to be checked again: by its state, later with each failure in a row, spread by up to a fifth.

    The spread depends on the account and the moment alone, so that many accounts added at once drift apart.
    """
    pause = _CHECK_EVERY.get(status) or min(_LAST_RETRY, _FIRST_RETRY * 2 ** min(max(failed - 1, 0), 10))
    share = zlib.crc32(f"{account}:{now.isoformat()}".encode()) / 2**32
    return now + pause * (1 - _JITTER + 2 * _JITTER * share)


def thresholds_reached(expires_at: datetime, now: datetime) -> list[timedelta]:
    """The thresholds before `expires_at` that `now` has passed, the nearest to the expiry last."""
    return [threshold for threshold in EXPIRY_THRESHOLDS if expires_at - threshold <= now]


def is_old_key(created_at: datetime, now: datetime) -> bool:
    return now - created_at > KEY_IS_OLD_AFTER


def alias_for(name: str, number: str, taken: Collection[str]) -> str:
    """An alias made of an account's name, with its number at the end where another one is called so."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-")
    alias = words if is_alias(words) else f"account-{number}"
    return alias if alias not in taken else f"{alias}-{number}"[-63:].strip("-")


_ROLE_NAME = re.compile(r"(?:[\w+=,.@/-]+/)?[\w+=,.@-]{1,64}", re.ASCII)


def is_role_name(text: str) -> bool:
    """A role's name, with the path before it where it has one; without the slash at the beginning."""
    return len(text) <= 576 and not text.startswith("/") and "//" not in text and _ROLE_NAME.fullmatch(text) is not None
