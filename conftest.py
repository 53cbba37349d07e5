"""What the tests of every app share: people of each role, API clients, and the simulated AWS organization."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from rest_framework.test import APIClient

from accounts.models import Grant, User
from accounts.tokens import AccessToken
from cloudconsole.core.permissions import Role
from cloudconsole.simulator import process
from cloudconsole.simulator.process import SimulatorHandle

PASSWORD = "a-long-enough-passphrase"  # noqa: S105 - of people who exist only in tests


@pytest.fixture(autouse=True)
def _fast_and_apart(settings: Any) -> Iterator[None]:
    """Counters of one test do not reach another, and hashing a password costs nothing."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "tests"}}
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    yield
    cache.clear()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """`make_user("ada", Role.OPERATOR, everywhere=True)`: a person; `everywhere` grants their role on every account."""

    def make(username: str, role: Role = Role.VIEWER, *, everywhere: bool = False) -> User:
        user = User.objects.create_user(username, f"{username}@example.com", PASSWORD, role)
        if everywhere:
            Grant.objects.create(user=user, account=None, role=role)
        return user

    return make


@pytest.fixture
def admin(make_user: Callable[..., User]) -> User:
    return make_user("admin", Role.ADMIN)


@pytest.fixture
def operator(make_user: Callable[..., User]) -> User:
    return make_user("operator", Role.OPERATOR, everywhere=True)


@pytest.fixture
def viewer(make_user: Callable[..., User]) -> User:
    return make_user("viewer", Role.VIEWER, everywhere=True)


@pytest.fixture
def stranger(make_user: Callable[..., User]) -> User:
    """Signed in, granted nothing."""
    return make_user("stranger", Role.OPERATOR)


@pytest.fixture
def api() -> Callable[[User | None], APIClient]:
    """`api(user)`: a client that carries an access token of `user`; `api(None)` is nobody."""

    def client(user: User | None = None) -> APIClient:
        made = APIClient(raise_request_exception=True)
        if user is not None:
            made.credentials(HTTP_AUTHORIZATION=f"Bearer {AccessToken.made_for(user)}")
        return made

    return client


@pytest.fixture(scope="session")
def _simulator_process() -> Iterator[SimulatorHandle]:
    with process.running() as running:
        yield running


@pytest.fixture
def simulator(_simulator_process: SimulatorHandle, monkeypatch: pytest.MonkeyPatch) -> SimulatorHandle:
    """The simulated organization, as after its start, and every AWS call of this test goes there."""
    _simulator_process.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", _simulator_process.url)
    return _simulator_process
