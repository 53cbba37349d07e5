from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cloudconsole.aws import clients
from cloudconsole.aws.credentials import Access, StaticKey
from cloudconsole.aws.tests.scripted import Endpoint, whoami_reply

_numbers = itertools.count()


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """AWS for this test: answers GetCallerIdentity until it is given another script."""
    server = Endpoint(whoami_reply)
    server.start()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    yield server
    clients.close()
    server.stop()


@pytest.fixture
def access() -> Access:
    """Somebody whom no other test has called AWS as, so that rate limits start afresh."""
    return replace(access_with("AKIAEXAMPLE000000001"), key=f"account-{next(_numbers)}:1")


def access_with(key_id: str, *, token: str | None = None, region: str = "us-east-1") -> Access:
    source = StaticKey(access_key_id=key_id, secret_access_key=f"secret-of-{key_id}", session_token=token)
    return Access(key=f"{key_id}:1", source=source, region=region)
