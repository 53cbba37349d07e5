"""What every test stands on: real parts of its own, people of each role, API clients, and the simulated AWS organization."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import cache as cache_of
from pathlib import Path
from threading import Barrier
from types import SimpleNamespace
from urllib.parse import urlsplit, urlunsplit

import botocore.session
import hypothesis
import pytest
from botocore.retries.standard import ExponentialBackoff
from django.conf import settings
from django.core.cache import caches
from django.db import connection, transaction
from hypothesis import HealthCheck
from pytest_django import DjangoDbBlocker
from rest_framework.test import APIClient

from accounts.models import Grant, User
from accounts.tokens import AccessToken
from cloudconsole.aws import rates
from cloudconsole.core.permissions import Role
from cloudconsole.simulator import process
from cloudconsole.simulator.process import SimulatorHandle
from tests.databases import MADE_BEFORE, Template, in_memory, migrated_file, template
from tests.services import chromium

hypothesis.settings.register_profile("cloudconsole", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis.settings.load_profile("cloudconsole")  # how long an example takes says something about the machine

PASSWORD = "a-long-enough-passphrase"  # noqa: S105 - of people who exist only in tests

Storing = Callable[[], AbstractContextManager[None]]

DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup", "live_server", "client", "admin_client"})


# What AWS may be asked a second, it may be asked here a hundredth of a second.
_HUNDREDFOLD = SimpleNamespace(monotonic=lambda: time.monotonic() * 100, sleep=lambda seconds: time.sleep(seconds / 100))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="Run only tests that use the database or need services.")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.help:
        return
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, and only here
    rates.time = _HUNDREDFOLD  # type: ignore[attr-defined, assignment]
    botocore.session.create_loader = cache_of(botocore.session.create_loader)  # models of AWS's interfaces are read once
    pauses = {"throttling_base_scale": 0.01, "non_throttling_base_scale": 0.01}  # seconds; what is tried again stays botocore's
    ExponentialBackoff._DEFAULT_BACKOFF_CONFIG = pauses  # type: ignore[attr-defined]
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns of a missing one
    if settings.REDIS_URL:
        _use_redis_database(_worker_number(config))
    else:
        settings.CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
        settings.CELERY_BROKER_URL = "memory://"
        settings.CELERY_BROKER_TRANSPORT = "memory"
        settings.CELERY_BROKER_TRANSPORT_OPTIONS = {}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--database-only"):
        left_out = [item for item in items if not _needs_services(item)]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if _needs_services(item)]
    for item in items:
        if item.get_closest_marker("services") and not settings.REDIS_URL:
            item.add_marker(pytest.mark.skip(reason="needs PostgreSQL and Redis: `make test` brings them"))
        if item.get_closest_marker("browser") and chromium() is None:
            item.add_marker(pytest.mark.skip(reason="needs Chromium: install it from the distribution's packages"))


def _needs_services(item: pytest.Item) -> bool:
    if item.get_closest_marker("once"):
        return False
    markers = ("django_db", "services", "browser")
    fixtures = set(getattr(item, "fixturenames", ()))
    return any(item.get_closest_marker(name) for name in markers) or bool(fixtures & DATABASE_FIXTURES)


def _worker_number(config: pytest.Config) -> int:
    worker: str = getattr(config, "workerinput", {}).get("workerid", "gw0")
    return int(worker.removeprefix("gw"))


def _use_redis_database(number: int) -> None:
    """One Redis database for each worker: emptying a cache in one leaves the others alone."""
    url = urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{number}"))
    settings.REDIS_URL = settings.CELERY_BROKER_URL = url
    for cache in settings.CACHES.values():
        cache["LOCATION"] = url
    settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] = [url]


@pytest.fixture(autouse=True)
def _empty_cache() -> Iterator[None]:
    """Counters and throttles of one test do not reach another."""
    yield
    for one in caches.all():
        one.clear()


@pytest.fixture(scope="module")
def stored_once(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[], AbstractContextManager[None]]]:
    """`with stored_once(): …` stores what each test of the module begins with. Tests are undone to there; the module, whole."""
    with django_db_blocker.unblock():
        module = transaction.atomic()
        module.__enter__()
    yield django_db_blocker.unblock
    with django_db_blocker.unblock():
        transaction.set_rollback(True)
        module.__exit__(None, None, None)


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
    return client_of


def client_of(user: User | None = None) -> APIClient:
    made = APIClient(raise_request_exception=True)
    if user is not None:
        made.credentials(HTTP_AUTHORIZATION=f"Bearer {AccessToken.made_for(user)}")
    return made


@pytest.fixture(scope="session")
def simulator_process() -> Iterator[SimulatorHandle]:
    with process.running() as running:
        yield running


@pytest.fixture
def simulator(simulator_process: SimulatorHandle, monkeypatch: pytest.MonkeyPatch) -> SimulatorHandle:
    """The simulated organization, as after its start, and every AWS call of this test goes there."""
    simulator_process.reset()
    monkeypatch.setenv("AWS_ENDPOINT_URL", simulator_process.url)
    return simulator_process


@pytest.fixture
def real_rates(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of how often AWS is asked."""
    monkeypatch.setattr(rates, "time", time)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, pytestconfig: pytest.Config
) -> Iterator[None]:
    """Tests begin with a copy of a migrated database: in SQLite a file, made again when a migration changes."""
    if connection.vendor != "sqlite":
        if MADE_BEFORE in os.environ:
            settings.DATABASES["default"]["TEST"]["TEMPLATE"] = os.environ[MADE_BEFORE]
        yield
        return
    with in_memory(f"memorydb_{connection.alias}", migrated_file(pytestconfig.cache.mkdir("databases"))):
        yield


@pytest.fixture(scope="session")
def database_template(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Template]:
    """A migrated database to copy, on the server under test or in a file."""
    with template(tmp_path_factory.mktemp("template"), pytestconfig.cache.mkdir("databases")) as made:
        yield made


@pytest.fixture
def database_url(database_template: Template, tmp_path: Path) -> Iterator[str]:
    """A migrated database of one's own for processes that the test may kill."""
    with database_template.copied("killed", tmp_path) as url:
        yield url


@pytest.fixture
def threads(transactional_db: None) -> Callable[..., None]:
    """`threads(one, other)`: run both at the same moment, each on a connection of its own."""
    if connection.vendor == "sqlite":
        pytest.skip("SQLite's test database lives in memory, where threads share one connection; PostgreSQL is needed")

    def run(*jobs: Callable[[], None]) -> None:
        barrier = Barrier(len(jobs))

        def start(job: Callable[[], None]) -> None:
            barrier.wait(60)
            try:
                job()
            finally:
                connection.close()

        with ThreadPoolExecutor(len(jobs)) as pool:
            for outcome in [pool.submit(start, job) for job in jobs]:
                outcome.result(120)

    return run
