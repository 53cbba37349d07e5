"""Unusual days put together: one episode grows while it goes on, closes when costs are normal again, and opens again soon after.

Which episodes there are follows from the verdicts alone, never from when somebody looked. Late data may move, join or remove
them: whatever is stored keeps its identity by being the nearest.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

QUIET_DAYS = 2  # normal ones end an episode
REOPEN = timedelta(days=7)  # after its last unusual day, another one goes on with the same episode


@dataclass(frozen=True, slots=True)
class Episode:
    """`days` are the unusual ones, in order."""

    days: tuple[date, ...]
    is_open: bool

    @property
    def start(self) -> date:
        return self.days[0]

    @property
    def last(self) -> date:
        return self.days[-1]


def episodes(unusual: Iterable[date], judged: Collection[date]) -> list[Episode]:
    """`judged`: every day that has a verdict; those without one neither go on with an episode nor end it."""
    found: list[list[date]] = []
    for day in sorted(set(unusual)):
        if found and day - found[-1][-1] <= REOPEN:
            found[-1].append(day)
        else:
            found.append([day])
    return [Episode(tuple(days), sum(day > days[-1] for day in judged) < QUIET_DAYS) for days in found]


@dataclass(frozen=True, slots=True)
class Matched:
    """Which stored episode each found one is (None: a new one), in order, and the stored ones that are none any more."""

    found: tuple[tuple[Episode, int | None], ...]
    gone: tuple[int, ...]


def match(found: Sequence[Episode], stored: Mapping[int, Collection[date]]) -> Matched:
    """Each stored one belongs to the nearest found one within reach; of several the oldest stays."""
    claims: dict[int, int] = {}
    gone: list[int] = []
    for key in sorted(stored):
        near = min(range(len(found)), key=lambda at: (_distance(found[at], stored[key]), at), default=None)
        if near is None or _distance(found[near], stored[key]) > REOPEN or near in claims:
            gone.append(key)
        else:
            claims[near] = key
    return Matched(tuple((one, claims.get(at)) for at, one in enumerate(found)), tuple(gone))


def _distance(episode: Episode, days: Collection[date]) -> timedelta:
    return min((abs(one - other) for one in episode.days for other in days), default=timedelta.max)
