from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine

from accounts.models import AuthMethod, AwsAccount, User
from accounts.services import credentials
from accounts.services.inputs import KeyInput
from cloudconsole.aws import clients
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.process import SimulatorHandle, running
from costs.models import CostSource

TODAY = date(2026, 11, 18)
NOW = datetime(2026, 11, 18, 12, tzinfo=UTC)


@pytest.fixture(scope="session")
def aws_process() -> Iterator[SimulatorHandle]:
    with running(today=TODAY, origin=TODAY) as handle:
        yield handle


@pytest.fixture
def aws(aws_process: SimulatorHandle, monkeypatch: pytest.MonkeyPatch) -> Iterator[SimulatorHandle]:
    """The simulated organization at midday of TODAY, without faults; our clock agrees."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_process.url)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    aws_process.reset()
    aws_process.set_today(TODAY)
    with time_machine.travel(NOW, tick=True):
        yield aws_process
    clients.close()


@pytest.fixture
def admin(db: None) -> User:
    return User.objects.create_user("alice", "alice@example.com", "correct horse battery", role=Role.ADMIN)


def connect(aws: SimulatorHandle, key_name: str, alias: str) -> CostSource:
    """An AWS account as it is after a person added it with an access key."""
    key = aws.key(key_name)
    account = AwsAccount.objects.create(
        alias=alias, account_id=key.account_id, auth_method=AuthMethod.ACCESS_KEY, capabilities=["costs"], status="ok"
    )
    credentials.store(account=account, key=KeyInput(key.access_key_id, key.secret_access_key, key.session_token or ""))
    return CostSource.objects.create(account=account)


@pytest.fixture
def payer(aws: SimulatorHandle, db: None) -> CostSource:
    return connect(aws, "hub", "management")


@pytest.fixture
def refreshed(payer: CostSource) -> CostSource:
    """A payer whose first fetch is behind it, so that a run asks five short questions."""
    CostSource.objects.filter(pk=payer.pk).update(backfilled_from=date(2025, 10, 1), scope="payer")
    payer.refresh_from_db()
    return payer
