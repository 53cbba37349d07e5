"""The simulator's clock: real time, or a moment that stands still until somebody moves it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from threading import Lock

# A frozen day is looked at in its middle: yesterday is then two thirds written, as a person finds it at work.
_MIDDAY = time(12, 0, tzinfo=UTC)


def middle_of(day: date) -> datetime:
    return datetime.combine(day, _MIDDAY)


class SimulatedClock:
    """What the simulated AWS believes the time to be. Threads may read while the control API moves it."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._at_start = frozen_at
        self._frozen_at = frozen_at
        self._lock = Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._frozen_at or datetime.now(UTC)

    def today(self) -> date:
        return self.now().date()

    def move(self, moment: datetime | None) -> None:
        """Stand still at `moment`; None runs with real time again."""
        with self._lock:
            self._frozen_at = moment

    def reset(self) -> None:
        """As at the start."""
        self.move(self._at_start)

    @property
    def is_frozen(self) -> bool:
        with self._lock:
            return self._frozen_at is not None
