from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from accounts.models import AuthMethod, AwsAccount
from accounts.services import credentials
from accounts.services.inputs import KeyInput
from cloudconsole.aws import clients
from cloudconsole.aws.lambda_ import deployment
from cloudconsole.aws.policy import CAPABILITIES
from cloudconsole.environment import Quotas
from cloudconsole.simulator.process import SimulatorHandle
from resources.tests.quotas import US, Clock

Connected = Callable[..., AwsAccount]
ALL_CAPABILITIES = [name for name in CAPABILITIES if name != "key_rotation"]


@pytest.fixture
def clock(simulator: SimulatorHandle) -> Iterator[Clock]:
    """This process and the simulated AWS at noon, to be moved together."""
    found = Clock(simulator)
    yield found
    found.stop()


@pytest.fixture
def account(clock: Clock, connected: Connected, settings: Any) -> AwsAccount:
    """An account whose quotas are read in one region. Service Quotas is asked slowly, so only for a few services."""
    settings.QUOTAS = Quotas(services=("bedrock", "ec2"))
    return connected("development", enabled_regions=[US])


@pytest.fixture
def connected(simulator: SimulatorHandle, db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Connected]:
    """`connected("development")`: the simulated account of that key, as it is after a person added and verified it.

    Its functions are pending for a moment after each change, and it is asked as often.
    """
    simulator.functions.set_pace(transition_s=0.02)
    monkeypatch.setattr(deployment, "_FIRST_PAUSE_S", 0.02)

    def made(name: str, **fields: object) -> AwsAccount:
        key = simulator.key(name)
        account = AwsAccount.objects.create(
            **{
                "alias": name,
                "account_id": key.account_id,
                "auth_method": AuthMethod.ACCESS_KEY,
                "capabilities": ALL_CAPABILITIES,
                "enabled_regions": ["eu-central-1", "us-east-1"],
                "status": "ok",
                **fields,
            }
        )
        credentials.store(account=account, key=KeyInput(key.access_key_id, key.secret_access_key, key.session_token or ""))
        return account

    yield made
    clients.close()
