"""The time of quota tests, and what the scheduler's bells lead to."""

from __future__ import annotations

from datetime import UTC, datetime

import time_machine

from cloudconsole.simulator.process import SimulatorHandle
from resources.services import quotas
from resources.services.quotas import places

NOON = datetime(2026, 11, 22, 12, 0, 5, tzinfo=UTC)
US = "us-east-1"


class Clock:
    """Moves this process and the simulated AWS together."""

    def __init__(self, simulator: SimulatorHandle) -> None:
        self._simulator = simulator
        self._travel: time_machine.travel | None = None
        self.move(NOON)

    def move(self, moment: datetime) -> None:
        self.stop()
        self.now = moment
        self._simulator.set_now(moment)
        self._travel = time_machine.travel(moment, tick=False)
        self._travel.start()

    def stop(self) -> None:
        if self._travel is not None:
            self._travel.stop()
            self._travel = None


def read() -> None:
    """What the scheduler's bells lead to, once."""
    places.ensure()
    quotas.read_limits()
    quotas.find_series()
    quotas.sample_minutes()
    quotas.sample_metrics()
