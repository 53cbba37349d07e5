"""What APIs tell of their limits, kept after each answer and looked at before each request."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from gateway.models import ApiKey, RateSample, RateWindow
from gateway.rules import presets, rate_limits
from gateway.rules import rate_windows as rules
from gateway.rules.keys import WhenEmpty
from gateway.rules.rate_limits import Answer
from gateway.rules.rate_windows import Dialect, Empty, Unit, Window

SAMPLE_EVERY = timedelta(seconds=10)
SAMPLES_FOR = timedelta(days=2)
# A window that is not told any more stays in sight for so long, as unknown.
UNKNOWN_FOR = timedelta(days=7)
_MOST_WINDOWS = 40


class LimitReached(CloudconsoleError):
    """`retry_after_s`: when the window is full again."""

    kind = Kind.BUSY
    code = "limit_reached"
    title = "A limit of the API is used up"

    def __init__(self, empty: Empty, retry_after_s: int) -> None:
        super().__init__(f"{words_of(empty)}. The key holds its requests until then.")
        self.retry_after_s = retry_after_s


def words_of(empty: Empty) -> str:
    """One sentence for a person, without its full stop."""
    of = f" of “{empty.policy}”" if empty.policy and empty.policy not in ("pause", empty.unit.value) else ""
    return f"The API says that no {empty.unit.value}{of} are left until {empty.reset_at:%H:%M:%S} UTC"


def kept(key: ApiKey) -> list[RateWindow]:
    """What is known of the key's limits, for `check` before a request and `observe` after it."""
    return list(RateWindow.objects.filter(key=key).order_by())


def check(key: ApiKey, windows: Iterable[RateWindow]) -> str | None:
    """A warning when a window of the key is empty and its reset is ahead; None when there is nothing to say.

    Raises LimitReached where the key is to hold its requests instead.
    """
    now = clock.now()
    empty = _empty(windows, now)
    if empty is not None and key.when_empty == WhenEmpty.HOLD.value:
        raise LimitReached(empty, max(1, int((empty.reset_at - now).total_seconds() + 1)))
    return f"{words_of(empty)}." if empty else None


def warning(key: ApiKey) -> str | None:
    """The same after a request, whatever the key would do about the next one."""
    empty = _empty(kept(key), clock.now())
    return f"{words_of(empty)}." if empty else None


def observe(key: ApiKey, status: int, headers: Sequence[tuple[str, str]], at: datetime, windows: Sequence[RateWindow]) -> None:
    """Keep what an answer tells of the limits, whatever its status. `at`: when its head came. An older answer changes nothing.

    `windows`: what was kept when it was asked.
    """
    answer = Answer(status, headers, at)
    refusals = max((row.refusals for row in windows), default=0)
    told = rate_limits.read(answer, presets.profile(key.dialect, key.preset), refusals=refusals)
    if not told and not any(row.is_manual or row.refusals for row in windows):
        return
    rows = {_identity(row): row for row in windows if not row.is_manual}
    with transaction.atomic():
        for window in told:
            _keep(key, rows.get((window.policy, window.unit.value)), window, at, _refusals(window, refusals))
        if refusals and not rate_limits.is_refusal(answer):
            RateWindow.objects.filter(key=key, refusals__gt=0, reset_at__lte=at).update(refusals=0)
        for row in windows:
            if row.is_manual and row.unit == Unit.REQUESTS.value:
                _use_up(row, at)


def tend() -> None:
    """Fill up windows kept by hand whose time is over, and remove what nothing was told of for long."""
    now = clock.now()
    over = RateWindow.objects.filter(is_manual=True, reset_at__lte=now, seconds__gt=0, limit__isnull=False)
    for window in over.iterator():
        _turn(window, now)
    lapsed = RateWindow.objects.filter(is_manual=False, believed_until__lt=now - UNKNOWN_FOR)
    lapsed.delete()
    RateSample.objects.filter(at__lt=now - SAMPLES_FOR).delete()


def _empty(windows: Iterable[RateWindow], now: datetime) -> Empty | None:
    """The one that is empty for longest."""
    found = [
        Empty(row.policy, Unit(row.unit), row.reset_at)
        for row in windows
        if row.remaining == 0 and row.reset_at is not None and row.reset_at > now
    ]
    return rules.last_reset(found, now)


def _identity(row: RateWindow) -> tuple[str, str]:
    return row.policy, row.unit


def _refusals(window: Window, before: int) -> int:
    return before + 1 if window.dialect in (Dialect.RETRY_AFTER, Dialect.STRIPE) else 0


def _keep(key: ApiKey, row: RateWindow | None, window: Window, at: datetime, refusals: int) -> None:
    told = {
        "scope": window.scope,
        "limit": window.limit,
        "remaining": window.remaining,
        "used": window.used,
        "seconds": window.seconds,
        "reset_at": window.reset_at,
        "source": window.source[:80],
        "dialect": window.dialect.value,
        "observed_at": at,
        "believed_until": rules.believed_until(window, at),
        "refusals": refusals,
    }
    is_new = False
    if row is None:
        row, is_new = _first(key, window, told)
    if row is not None and (is_new or RateWindow.objects.filter(pk=row.pk, observed_at__lte=at).update(**told)):
        _sample(row, window.limit, window.remaining, at)


def _first(key: ApiKey, window: Window, told: Mapping[str, Any]) -> tuple[RateWindow | None, bool]:
    """The row, and whether it is new: another request may have brought it meanwhile. None where there are too many already."""
    if RateWindow.objects.filter(key=key).count() >= _MOST_WINDOWS:
        return None, False
    return RateWindow.objects.get_or_create(key=key, is_manual=False, policy=window.policy, unit=window.unit.value, defaults=told)


def _sample(row: RateWindow, limit: int | None, remaining: int | None, at: datetime) -> None:
    """Enough for a line: the first, one in ten seconds, and whenever the window was filled up or is empty."""
    if remaining is None:
        return
    is_first = row.sampled_at is None
    has_turned = row.remaining is not None and (remaining > row.remaining or remaining == 0 != row.remaining)
    if is_first or has_turned or (row.sampled_at is not None and at - row.sampled_at >= SAMPLE_EVERY):
        RateSample.objects.create(window=row, at=at, limit=limit, remaining=remaining)
        RateWindow.objects.filter(pk=row.pk).update(sampled_at=at)


def _use_up(row: RateWindow, at: datetime) -> None:
    """One request less in a window that its owner keeps by hand; one that is over begins anew where its length is known."""
    if row.reset_at is not None and row.reset_at <= at:
        _turn(row, at)
    live = RateWindow.objects.filter(Q(reset_at=None) | Q(reset_at__gt=at), pk=row.pk, remaining__gt=0)
    if live.update(remaining=F("remaining") - 1, observed_at=at):
        now = RateWindow.objects.get(pk=row.pk)
        _sample(row, now.limit, now.remaining, at)


def _turn(row: RateWindow, at: datetime) -> None:
    if row.reset_at is None or not row.seconds or row.limit is None:
        return
    reset_at = rules.next_reset(row.reset_at, row.seconds, at)
    turned = {"remaining": row.limit, "reset_at": reset_at, "believed_until": reset_at}
    RateWindow.objects.filter(pk=row.pk, reset_at=row.reset_at).update(**turned)
