"""Reading what is left of the limits of one's own keys; what runs out first comes first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from gateway.models import ApiKey, RateSample, RateWindow
from gateway.models.rate_windows import RateWindowQuerySet
from gateway.rules import rate_windows as rules
from gateway.rules.rate_windows import Sample

# The line of a window goes back so far.
LINE = timedelta(hours=24)
_MOST_POINTS = 200


class WindowNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "rate_limit_not_found"
    title = "Not found"


@dataclass(frozen=True, slots=True)
class Gauge:
    """A window as a page shows it. `is_known` is False once its reset is past: then its figures say nothing any more.

    `runs_out_at`: when nothing is left at the pace of its samples, where that is before its reset.
    """

    window: RateWindow
    samples: Sequence[Sample]
    is_known: bool
    runs_out_at: datetime | None

    @property
    def share(self) -> float | None:
        return self.window.share_left if self.is_known else None


def visible(user: User) -> RateWindowQuerySet:
    return RateWindow.objects.visible_to(user, Perm.SELF).select_related("key")


def known(user: User) -> RateWindowQuerySet:
    """Those that still hold, by name."""
    return visible(user).known(clock.now()).order_by("key__api_name", "key", "policy", "unit", "is_manual")


def of_api(user: User, api_name: str) -> list[RateWindow]:
    """The windows of one key that still hold, the one that runs out first in front. Raises WindowNotFound."""
    found = sorted(known(user).filter(key__api_name__iexact=api_name), key=_nearest)
    if not found:
        raise WindowNotFound("Nothing is known of such a limit of yours.")
    return found


def tightest(user: User) -> dict[str, RateWindow]:
    """Of each API the known window that runs out first, by its name."""
    found: dict[str, RateWindow] = {}
    for window in sorted(known(user), key=_nearest):
        found.setdefault(window.key.api_name, window)
    return found


def nearest(user: User, keys: Iterable[ApiKey]) -> dict[int, RateWindow]:
    """Of each of `keys` the known window that runs out first, by the key's number."""
    found: dict[int, RateWindow] = {}
    for window in sorted(known(user).filter(key__in=[key.pk for key in keys]), key=_nearest):
        found.setdefault(window.key_id, window)
    return found


def get_for(user: User, pk: int, key: ApiKey | None = None) -> RateWindow:
    """One of any key, or of this one. Raises WindowNotFound."""
    found = visible(user).filter(pk=pk)
    window = (found if key is None else found.filter(key=key)).first()
    if window is None:
        raise WindowNotFound("There is no such limit of yours.")
    return window


def by_hand(user: User, pk: int) -> RateWindow:
    """One that is kept by hand. Raises WindowNotFound."""
    window = get_for(user, pk)
    if not window.is_manual:
        raise WindowNotFound("There is no such limit of yours.")
    return window


def gauges(user: User, windows: RateWindowQuerySet | None = None) -> list[Gauge]:
    """Known ones by what runs out first, then those of which nothing is known any more, the latest first."""
    now = clock.now()
    rows = list(windows if windows is not None else visible(user))
    lines = _lines([row.pk for row in rows], now - LINE)
    found = [_gauge(row, lines.get(row.pk, ()), now) for row in rows]
    return sorted(found, key=lambda gauge: (not gauge.is_known, *_place(gauge)))


def _gauge(window: RateWindow, samples: Sequence[Sample], now: datetime) -> Gauge:
    is_known = window.is_known(now)
    end = rules.runs_out_at(samples, window.reset_at) if is_known and window.remaining else None
    return Gauge(window, samples, is_known, end if end and end > now else None)


def _place(gauge: Gauge) -> tuple[bool, float, float]:
    """What runs out at its pace goes by that moment, everything else by the share that is left."""
    if not gauge.is_known:
        return (False, -gauge.window.believed_until.timestamp(), 0.0)
    share = gauge.share
    end = gauge.runs_out_at.timestamp() if gauge.runs_out_at else float("inf")
    return (share is None, 0.0 if gauge.window.remaining == 0 else 1.0, min(end, 1e12) + (1.0 if share is None else share))


def _nearest(window: RateWindow) -> tuple[bool, float, int]:
    share = window.share_left
    return (share is None, 1.0 if share is None else share, window.pk)


def _lines(windows: Iterable[int], since: datetime) -> dict[int, list[Sample]]:
    found: dict[int, list[Sample]] = {}
    rows = RateSample.objects.filter(window__in=windows, at__gte=since).order_by("at")
    for window, at, remaining in rows.values_list("window_id", "at", "remaining"):
        found.setdefault(window, []).append(Sample(at, remaining))
    return {window: _thinned(samples) for window, samples in found.items()}


def _thinned(samples: list[Sample]) -> list[Sample]:
    """As many as a line can show; first and last stay."""
    step = -(-len(samples) // _MOST_POINTS)
    return [sample for place, sample in enumerate(samples) if place % step == 0 or place == len(samples) - 1]
