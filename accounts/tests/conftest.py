"""AWS accounts as the API makes them, from the simulated organization's keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import issuers
from accounts.models import AwsAccount, Grant, User
from accounts.tests.provider import Provider
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.organization import DemoKey
from cloudconsole.simulator.process import SimulatorHandle

Connect = Callable[..., AwsAccount]


def key_fields(key: DemoKey) -> dict[str, str]:
    """What a person pastes for `key`."""
    secrets = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    return {**secrets, "session_token": key.session_token} if key.session_token else secrets


def connect_as(admin: User, simulator: SimulatorHandle, api: Callable[..., APIClient], name: str, **fields: Any) -> AwsAccount:
    """The account of that demo key, connected through the API."""
    body = {"alias": name, "auth_method": "access_key", **key_fields(simulator.key(name)), **fields}
    answer = api(admin).post("/api/accounts", body)
    assert answer.status_code == 201, answer.json()
    return AwsAccount.objects.get(pk=answer.json()["id"])


@pytest.fixture
def connect(simulator: SimulatorHandle, admin: User, api: Callable[..., APIClient]) -> Connect:
    """`connect("development")`: the account of that demo key, connected through the API."""

    return partial(connect_as, admin, simulator, api)


@pytest.fixture
def connect_role(simulator: SimulatorHandle, admin: User, connect: Connect, api: Callable[..., APIClient]) -> Connect:
    """`connect_role(hub)`: the production account through its role, whose trust policy asks for our external id."""

    def made(hub: AwsAccount, *, enforced: bool = True, number: str = "411111111111") -> AwsAccount:
        arn = f"arn:aws:iam::{number}:role/CloudconsoleReadOnly"
        body = {"alias": f"role-{number}", "auth_method": "assume_role", "role_arn": arn, "hub": hub.pk, "verify": False}
        answer = api(admin).post("/api/accounts", body)
        assert answer.status_code == 201, answer.json()
        simulator.register_role(arn, answer.json()["external_id"] if enforced else None)
        return AwsAccount.objects.get(pk=answer.json()["id"])

    return made


@pytest.fixture
def provider() -> Iterator[Provider]:
    """An OpenID Connect provider with one key, which nobody remembers yet."""
    made = Provider()
    made.add_key("first")
    issuers.forget_keys()
    yield made
    made.close()
    issuers.forget_keys()


@pytest.fixture
def grant() -> Callable[[User, AwsAccount, Role], Grant]:
    def made(user: User, account: AwsAccount, role: Role) -> Grant:
        return Grant.objects.create(user=user, account=account, role=role)

    return made
