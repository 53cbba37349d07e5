from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from accounts.models import AuthMethod, AwsAccount
from accounts.services import credentials
from accounts.services.inputs import KeyInput
from cloudconsole.aws import clients
from cloudconsole.aws.policy import CAPABILITIES
from cloudconsole.simulator.process import SimulatorHandle

Connected = Callable[..., AwsAccount]
ALL_CAPABILITIES = [name for name in CAPABILITIES if name != "key_rotation"]


@pytest.fixture
def connected(simulator: SimulatorHandle, db: None) -> Iterator[Connected]:
    """`connected("development")`: the simulated account of that key, as it is after a person added and verified it."""

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
