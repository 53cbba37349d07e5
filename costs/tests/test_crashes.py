"""A worker killed with -9 in the middle: the next tick finishes its run, and nothing is stored or lost twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from costs.rules.windows import refresh
from costs.tests.conftest import NOW, TODAY
from tests.installations import Installation

WINDOWS = 6
KILLED_AT = 3  # the worker waits for the answer to this request


class Fetching(Installation):
    def __init__(self, aws: SimulatorHandle, database_url: str, folder: Path) -> None:
        super().__init__("costs.tests.installation", database_url=database_url, folder=folder, AWS_ENDPOINT_URL=aws.url)
        self.aws = aws

    def given(self) -> Mapping[str, str]:
        key = self.aws.key("hub")
        return {
            "now": NOW.isoformat(),
            "account": key.account_id,
            "key": key.access_key_id,
            "secret": key.secret_access_key,
        }

    def kill_at_request(self, number: int) -> None:
        """Start a worker and end it while AWS thinks about its request of this number."""
        self.aws.clear_calls()
        self.kill_when(lambda: len([call for call in self.aws.calls() if call.service == "ce"]) >= number)


def test_a_run_whose_worker_was_killed_is_finished_by_the_next_tick(
    aws: SimulatorHandle, database_url: str, tmp_path: Path
) -> None:
    installation = Fetching(aws, database_url, tmp_path)
    installation.do("prepare")
    aws.add_faults(Fault("ce", FaultKind.SLOW, after=KILLED_AT - 1, times=1, seconds=2))
    installation.kill_at_request(KILLED_AT)

    killed = installation.tell()
    assert killed["status"] == "running"
    assert killed["windows"].count("stored") <= KILLED_AT
    assert killed["requests"] == KILLED_AT

    installation.do("work")  # the lease still holds: nobody else may go on
    assert installation.tell() == killed

    installation.do("resume")
    done = installation.tell()
    assert (done["status"], done["windows"]) == ("succeeded", ["stored"] * WINDOWS)
    days = refresh(TODAY)
    truth = sum(
        (aws.ledger.totals(days.start + timedelta(days=number), NOW)[()].unblended for number in range(days.days)), Decimal(0)
    )
    assert [Decimal(done[name]) for name in ("total", "fact_total", "month_total")] == [truth] * 3
