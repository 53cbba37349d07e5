"""When accounts are checked again, and when their keys are old or about to end."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

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
