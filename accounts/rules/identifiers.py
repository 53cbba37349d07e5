"""What AWS's identifiers look like, and what may be told from them before AWS is asked."""

from __future__ import annotations

import re
from collections.abc import Collection

from cloudconsole.aws import names

# An access key id as IAM makes it: AKIA for a long-lived key, ASIA for one that comes with a session token
# (IAM user guide, "IAM identifiers", unique ids).
_ACCESS_KEY_ID = re.compile(r"(?P<kind>AKIA|ASIA)[A-Z0-9]{12,124}")
_ROLE_ARN = re.compile(r"arn:(?P<partition>aws[a-z-]*):iam::(?P<account>\d{12}):role/[\w+=,.@/-]{1,512}", re.ASCII)
_ROLE_NAME = re.compile(r"(?:[\w+=,.@/-]+/)?[\w+=,.@-]{1,64}", re.ASCII)
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
    return names.is_region(name)


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


def alias_for(name: str, number: str, taken: Collection[str]) -> str:
    """An alias made of an account's name, with its number at the end where another one is called so."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:50].strip("-")
    alias = words if is_alias(words) else f"account-{number}"
    return alias if alias not in taken else f"{alias}-{number}"[-63:].strip("-")


def is_role_name(text: str) -> bool:
    """A role's name, with the path before it where it has one; without the slash at the beginning."""
    return len(text) <= 576 and not text.startswith("/") and "//" not in text and _ROLE_NAME.fullmatch(text) is not None
