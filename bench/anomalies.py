"""How well unusual costs are found: the Bedrock burst of the simulated story and planted spikes, over nine months and seeds.

Run it with `python -m bench.anomalies`. A spike is planted into the usage of an account's service for one to five days: at least
$30 and at least the amount that the service usually costs on a day. Everything else that is announced is a false alarm.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from bench.aws_clients import Result
from cloudconsole.core.money import ZERO
from cloudconsole.simulator import ledger
from cloudconsole.simulator.catalogue import BEDROCK
from cloudconsole.simulator.charges import BURST
from cloudconsole.simulator.ledger import Ledger
from cloudconsole.simulator.line_items import View
from cloudconsole.simulator.organization import MANAGEMENT, PRODUCTION
from costs.rules import detection, episodes, usage
from costs.rules.baselines import REACH, Limits, Sensitivity, Series
from costs.rules.detection import Key
from costs.rules.usage import Bounds, DayCharges

SEEDS = (1, 2, 3)
ORIGIN = date(2026, 11, 18)
LAST, JUDGED_DAYS = date(2026, 11, 15), 270
SPIKES = 40
LIMITS = Limits(Decimal(10), Decimal(30), Sensitivity.MEDIUM)
RECALL, PRECISION = 0.95, 0.9
_DAY = timedelta(days=1)

Amounts = dict[Key, dict[date, Bounds]]


@dataclass(frozen=True, slots=True)
class Score:
    """How many of the unusual things were found, and how many of what was found was one."""

    planted: int
    found: int
    episodes: int
    false_alarms: int

    @property
    def recall(self) -> float:
        return self.found / self.planted

    @property
    def precision(self) -> float:
        return 1 - self.false_alarms / self.episodes if self.episodes else 1


def main() -> list[Result]:
    started = time.monotonic()
    scores = [score(seed) for seed in SEEDS]
    planted, found = sum(one.planted for one in scores), sum(one.found for one in scores)
    told, wrong = sum(one.episodes for one in scores), sum(one.false_alarms for one in scores)
    recall, precision = found / planted, 1 - wrong / told
    measured = f"recall {recall:.0%}, precision {precision:.0%} ({found} of {planted} spikes, {wrong} of {told} episodes wrong)"
    kept = recall >= RECALL and precision >= PRECISION
    name = f"unusual costs, {len(SEEDS)} seeds, {JUDGED_DAYS} days, {time.monotonic() - started:.0f} s"
    return [Result(name, measured, f"recall ≥ {RECALL:.0%}, precision ≥ {PRECISION:.0%}", kept)]


def score(seed: int) -> Score:
    """The story of one seed, with spikes planted into it."""
    judged = [LAST - _DAY * number for number in range(JUDGED_DAYS)]
    first = judged[-1] - REACH
    days = [first + _DAY * number for number in range((LAST - first).days + 1)]
    amounts = _amounts(Ledger(seed, ORIGIN), days)
    truth = _plant(amounts, judged, Random(seed))
    series = {key: Series(days, told) for key, told in amounts.items()}
    found = [
        (key, episode.days)
        for key, verdicts in detection.unusual(series, judged, lambda account: LIMITS).items()
        for episode in episodes.episodes(verdicts, days)
    ]
    wrong = [one for one in found if not any(_same(one[0], key) and set(one[1]) & set(span) for key, span in truth)]
    seen = [1 for key, span in truth if any(_same(one, key) and set(span) & set(told) for one, told in found)]
    return Score(len(truth), len(seen), len(found), len(wrong))


def _same(one: Key, other: Key) -> bool:
    return one[2] == other[2] and (one == other or bool(one[1]))


def _amounts(book: Ledger, days: list[date]) -> Amounts:
    found: Amounts = defaultdict(dict)
    for day in days:
        charges = _charges(book, day)
        for (account, service), bounds in usage.by_account(charges).items():
            found[account, "", service][day] = bounds
        for (region, service), bounds in usage.by_region(charges).items():
            found["", region, service][day] = bounds
    return found


def _charges(book: Ledger, day: date) -> DayCharges:
    tables: list[dict[tuple[str, str], Decimal]] = [{}, {}, {}, {}]
    for line in book.lines(day):
        keys = [
            ((line.account, line.service), View.PRORATED),
            ((line.service, line.record_type), View.CONSOLIDATED),
            ((line.account, line.record_type), View.PRORATED),
            ((line.region, line.service), View.CONSOLIDATED),
        ]
        for table, (key, view) in zip(tables, keys, strict=True):
            if line.view in (None, view):
                table[key] = table.get(key, ZERO) + ledger.usd(line.costs.unblended)
    return DayCharges(*tables)


def _plant(amounts: Amounts, judged: list[date], random: Random) -> list[tuple[Key, list[date]]]:
    """Adds spikes; (series, days) of each and of the burst."""
    burst = [ORIGIN - _DAY * 10 + _DAY * number for number in BURST]
    truth = [((PRODUCTION, "", BEDROCK), burst)]
    taken: dict[Key, set[date]] = defaultdict(set, {(PRODUCTION, "", BEDROCK): set(burst)})
    candidates = sorted(key for key in amounts if key[0] and key[0] != MANAGEMENT)
    while len(truth) <= SPIKES:
        key, start, length = random.choice(candidates), random.choice(judged), random.randint(1, 5)
        span = [start + _DAY * number for number in range(length) if start + _DAY * number <= LAST]
        near = {day + _DAY * number for day in span for number in range(-30, 31)}
        if near & taken[key]:
            continue
        taken[key] |= set(span)
        usual = max((bounds.high for bounds in amounts[key].values()), default=ZERO)
        extra = max(Decimal(30), usual) * Decimal(random.randint(100, 300)) / 100
        _add(amounts, key, span, extra)
        truth.append((key, span))
    return truth


def _add(amounts: Amounts, key: Key, span: list[date], extra: Decimal) -> None:
    for day in span:
        told: Mapping[date, Bounds] = amounts[key]
        bounds = told.get(day, Bounds(ZERO, ZERO))
        amounts[key][day] = Bounds(bounds.low + extra, bounds.high + extra)


if __name__ == "__main__":
    for result in main():
        print(result)
