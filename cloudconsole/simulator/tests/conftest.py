"""One simulator per test session, as it was at its start before every test, and boto3 clients against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from cloudconsole.simulator import process
from cloudconsole.simulator.organization import DemoKey
from cloudconsole.simulator.process import SimulatorHandle
from cloudconsole.simulator.tests.fleet import Fleet

TODAY = date(2026, 11, 22)
FIVE_METRICS = ["UnblendedCost", "BlendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost"]


@dataclass(frozen=True, slots=True)
class Refused:
    """How AWS said no."""

    code: str
    status: int
    message: str


class Aws:
    """boto3 clients of the simulated AWS, one per service, key and region; nothing is retried."""

    def __init__(self, simulator: SimulatorHandle) -> None:
        self.simulator = simulator
        self.keys = {name: simulator.key(name) for name in simulator.organization()["keys"]}
        self._session = boto3.Session()
        self.client = cache(self._client)

    def _client(self, service: str, key: str | DemoKey = "hub", region: str = "us-east-1", read_timeout: float = 20) -> Any:
        found = self.keys[key] if isinstance(key, str) else key
        return self._session.client(  # type: ignore[call-overload]
            service,
            region_name=region,
            endpoint_url=self.simulator.url,
            aws_access_key_id=found.access_key_id,
            aws_secret_access_key=found.secret_access_key,
            aws_session_token=found.session_token,
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False, read_timeout=read_timeout),
        )

    def costs(self, start: str, end: str, *group_by: str, key: str | DemoKey = "hub", **more: Any) -> dict[str, Any]:
        """One page of daily costs by the five metrics."""
        question = {
            "TimePeriod": {"Start": start, "End": end},
            "Granularity": "DAILY",
            "Metrics": FIVE_METRICS,
            **({"GroupBy": [{"Type": "DIMENSION", "Key": name} for name in group_by]} if group_by else {}),
            **more,
        }
        answer: dict[str, Any] = self.client("ce", key).get_cost_and_usage(**question)
        return answer

    def all_pages(self, start: str, end: str, *group_by: str, **more: Any) -> list[dict[str, Any]]:
        pages = [self.costs(start, end, *group_by, **more)]
        while "NextPageToken" in pages[-1]:
            pages.append(self.costs(start, end, *group_by, NextPageToken=pages[-1]["NextPageToken"], **more))
        return pages


def refused(call: Callable[[], object]) -> Refused:
    """The refusal that `call` meets; a call that succeeds fails the test."""
    with pytest.raises(ClientError) as caught:
        call()
    answer = caught.value.response
    return Refused(answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"])


@pytest.fixture(scope="session")
def running_aws() -> Iterator[Aws]:
    with process.running(today=TODAY) as simulator:
        yield Aws(simulator)


@pytest.fixture
def aws(running_aws: Aws) -> Aws:
    running_aws.simulator.reset()
    return running_aws


@pytest.fixture
def simulator(aws: Aws) -> SimulatorHandle:
    return aws.simulator


@pytest.fixture
def fleet(aws: Aws) -> Fleet:
    return Fleet(aws)
