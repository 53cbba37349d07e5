from __future__ import annotations

from datetime import date
from itertools import product

import pytest

from accounts.models import User
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import CostSource, SnapshotTrigger
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange
from costs.selectors import costs
from costs.selectors.questions import Granularity, Question
from costs.services import runs, snapshots

RANGE = DayRange(date(2025, 10, 1), date(2026, 11, 19))
GROUPINGS = [
    (),
    (Dimension.SERVICE,),
    (Dimension.ACCOUNT,),
    (Dimension.REGION,),
    (Dimension.ACCOUNT, Dimension.SERVICE),
    (Dimension.RECORD_TYPE, Dimension.SERVICE),
]


@pytest.fixture
def filled(payer: CostSource) -> CostSource:
    runs.run(snapshot_id=snapshots.request(source=payer, trigger=SnapshotTrigger.MANUAL, by=None).snapshot.pk)
    return payer


def test_totals_are_the_ledgers_to_the_last_digit(aws: SimulatorHandle, filled: CostSource, admin: User) -> None:
    import time

    for granularity, group_by in product(Granularity, GROUPINGS):
        t = time.perf_counter()
        answer = costs.answer(admin, Question(RANGE, granularity, group_by))
        print(answer.total, answer.residual, len(answer.periods), granularity, group_by, time.perf_counter() - t)
        for p in answer.periods:
            assert not group_by or sum(g.amount for g in p.groups) + p.residual == p.total
