"""One AWS call from beginning to end: as whom, with which failures, and with one renewal of an expired session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from cloudconsole.aws import attempts, calls_made, clients, regions, translation
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind

T = TypeVar("T")

# Answers that mean "unknown key" as well as "this region is not enabled for the account".
_AMBIGUOUS = frozenset({"InvalidClientTokenId", "UnrecognizedClientException", "AuthFailure"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked, as whom and where."""

    access: Access
    service: str
    operation: str
    region: str


def call(
    access: Access,
    service: str,
    operation: str,
    region: str,
    request: Callable[[], T],
    *,
    observer: attempts.Observer | None = None,
) -> T:
    """What `request` brings, made as `access`. Raises AwsError, or what `observer` raises.

    `request` uses the shared client of (service, region). A role session that AWS calls expired is renewed once.
    """
    asked = _Asked(access, service, operation, region)
    try:
        return _recorded(asked, request, observer)
    except AwsError as error:
        if error.cause is AwsErrorKind.CREDENTIALS_EXPIRED and clients.forget(access):
            return _recorded(asked, request, observer)
        if error.aws_code not in _AMBIGUOUS or region == regions.home(region):
            raise
        ambiguous = error
    raise translation.region_disabled(ambiguous, region) if _is_known(access, region) else ambiguous


def _recorded(asked: _Asked, request: Callable[[], T], observer: attempts.Observer | None) -> T:
    with calls_made.span(asked.service, asked.operation, asked.region, observer) as watching:
        return _once(asked.access, asked.service, asked.operation, request, watching)


def _once(access: Access, service: str, operation: str, request: Callable[[], T], observer: attempts.Observer | None) -> T:
    keys = clients.keys_of(access)
    with clients.acting_as(access), attempts.observed_by(observer):
        return translation.guarded(service, operation, keys.secrets, request)


def _is_known(access: Access, region: str) -> bool:
    """Whether AWS knows the credentials where every account is enabled: then it was the region that refused."""
    home = regions.home(region)
    try:
        _once(access, "sts", "GetCallerIdentity", lambda: clients.client("sts", home).get_caller_identity(), None)
    except AwsError:
        return False
    return True
