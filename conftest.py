"""What every test stands on: nothing of the developer's own installation is touched, and each worker keeps to itself."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.conf import settings

DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup", "live_server", "client", "admin_client"})


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database-only", action="store_true", help="Run only tests that use the database or need services.")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if config.option.help:
        return
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick, and only here
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    if settings.REDIS_URL:
        _use_redis_database(_worker_number(config))
    else:
        settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
        settings.CELERY_BROKER_URL = "memory://"
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


def chromium() -> Path | None:
    """The browser that page tests drive, if this machine has one."""
    given = os.environ.get("CHROMIUM", "")
    found = given or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    return Path(found) if found else None


def _needs_services(item: pytest.Item) -> bool:
    markers = ("django_db", "services")
    fixtures = set(getattr(item, "fixturenames", ()))
    return any(item.get_closest_marker(name) for name in markers) or bool(fixtures & DATABASE_FIXTURES)


def _worker_number(config: pytest.Config) -> int:
    worker: str = getattr(config, "workerinput", {}).get("workerid", "gw0")
    return int(worker.removeprefix("gw"))


def _use_redis_database(number: int) -> None:
    """One Redis database for each worker: emptying a cache in one leaves the others alone."""
    url = urlunsplit(urlsplit(settings.REDIS_URL)._replace(path=f"/{number}"))
    settings.REDIS_URL = settings.CELERY_BROKER_URL = url
    settings.CACHES["default"]["LOCATION"] = url
    settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"] = [url]
