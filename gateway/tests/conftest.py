"""Keys as the API stores them, and services on loopback that they are sent to."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.net.tests.listeners import Listener, http_listener
from gateway.models import ApiKey

SECRET = "sk-test/0123456789+abcdef=="
Store = Callable[..., ApiKey]


@pytest.fixture(autouse=True)
def _loopback_is_allowed(settings: Any) -> None:
    """As an operator of a home lab would: this one address, and no other."""
    settings.EGRESS_ALLOW_CIDRS = [ipaddress.ip_network("127.0.0.1/32")]


@pytest.fixture
def service() -> Iterator[Listener]:
    """Another service: what it was asked, and what it answers next."""
    with http_listener() as listener:
        yield listener


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user("ada")


@pytest.fixture
def store(service: Listener, ada: User, api: Callable[..., APIClient]) -> Store:
    """`store()`: a key of Ada's for the service; `store(by=…, base_url=…)`."""

    def made(by: User | None = None, **fields: Any) -> ApiKey:
        body = {"api_name": "svc", "api_key": SECRET, "base_url": service.url(path=""), "retries": 0, **fields}
        answer = api(by or ada).post("/api/keys", {name: value for name, value in body.items() if value is not None})
        assert answer.status_code == 201, answer.json()
        return ApiKey.objects.get(pk=answer.json()["id"])

    return made
