"""Limits that an API does not tell, and that a key's owner therefore keeps by hand: requests through the proxy use them up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import IntegrityError, transaction

import audit.services
from accounts.models import User
from audit.verbs import Verb
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from gateway import verbs
from gateway.models import ApiKey, RateWindow
from gateway.rules import rate_windows as rules
from gateway.rules.rate_windows import Dialect, Unit
from gateway.selectors import rate_windows as selectors

# Without a reset and a length, an amount stands until it is changed.
_ALWAYS = datetime(9999, 12, 31, tzinfo=UTC)
MOST = 2**53


class InvalidWindow(CloudconsoleError):
    code = "invalid_rate_limit"
    title = "The limit does not make sense"


class WindowExists(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "rate_limit_exists"
    title = "There is one already"


@dataclass(frozen=True, slots=True)
class WindowInput:
    """`remaining` None: all of it. `reset_at` may be empty: then it is a whole length from now, or never without a length."""

    limit: int
    remaining: int | None = None
    reset_at: datetime | None = None
    seconds: int | None = None
    unit: Unit = Unit.REQUESTS
    policy: str = ""


def create(*, key: ApiKey, given: WindowInput, by: User) -> RateWindow:
    """Raises InvalidWindow, WindowExists."""
    values = _values(given)
    try:
        with transaction.atomic():
            window = RateWindow.objects.create(**_named(key, given), **values)
            _record(verbs.LIMIT_SET, window, by)
    except IntegrityError:
        raise WindowExists("This limit is kept by hand already; change it instead.") from None
    return window


def put(*, key: ApiKey, given: WindowInput, by: User) -> RateWindow:
    """The same, whether there is one already or not. Raises InvalidWindow."""
    values = _values(given)
    with transaction.atomic():
        window, _ = RateWindow.objects.update_or_create(**_named(key, given), defaults=values)
        _record(verbs.LIMIT_SET, window, by)
    return window


def change(*, window: RateWindow, key: ApiKey, given: WindowInput, by: User) -> None:
    """Say one anew, under another name or of another key as well. Raises InvalidWindow, WindowExists."""
    said = {**_named(key, given), **_values(given)}
    is_another = (window.key_id, window.unit) != (key.pk, given.unit.value)
    for name, value in said.items():
        setattr(window, name, value)
    try:
        with transaction.atomic():
            window.save(update_fields=list(said))
            if is_another:
                window.samples.all().delete()  # they counted something else
            _record(verbs.LIMIT_SET, window, by)
    except IntegrityError:
        raise WindowExists("There is another limit of this name that is kept by hand.", attr="policy") from None


def forget(*, key: ApiKey, by: User) -> int:
    """Everything known of the limits of a key; what its API tells comes back with its next answer. Raises WindowNotFound."""
    with transaction.atomic():
        windows = RateWindow.objects.filter(key=key)
        count = windows.count()
        if not count:
            raise selectors.WindowNotFound("Nothing is known of such a limit of yours.")
        windows.delete()
        audit.services.record(verbs.LIMITS_FORGOTTEN, actor=by, subject=key.api_name, detail={"count": count})
    return count


def remove(*, window: RateWindow, by: User) -> None:
    """One of them."""
    with transaction.atomic():
        window.delete()
        _record(verbs.LIMIT_REMOVED, window, by)


def _named(key: ApiKey, given: WindowInput) -> dict[str, Any]:
    return {"key": key, "is_manual": True, "policy": given.policy.strip(), "unit": given.unit.value}


def _values(given: WindowInput) -> dict[str, Any]:
    now = clock.now()
    remaining = given.limit if given.remaining is None else given.remaining
    if remaining > given.limit:
        raise InvalidWindow("More cannot be left than the limit is.", attr="remaining")
    if given.reset_at is not None and given.reset_at <= now:
        raise InvalidWindow("The reset is over already.", attr="reset_at")
    reset_at = given.reset_at or (rules.after(now, given.seconds) if given.seconds else None)
    return {
        "limit": given.limit,
        "remaining": remaining,
        "used": None,
        "seconds": given.seconds,
        "reset_at": reset_at,
        "source": "manual",
        "dialect": Dialect.MANUAL.value,
        "observed_at": now,
        "believed_until": reset_at or _ALWAYS,
    }


def _record(verb: Verb, window: RateWindow, by: User) -> None:
    detail = {"limit": window.limit, "remaining": window.remaining, "unit": window.unit}
    audit.services.record(verb, actor=by, subject=window.key.api_name, detail=detail)
