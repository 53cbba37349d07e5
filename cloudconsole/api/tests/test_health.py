from __future__ import annotations

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django import Settings

from accounts.models import AwsAccount
from accounts.services import credentials
from accounts.services.inputs import KeyInput
from cloudconsole.core import clock
from cloudconsole.core.tasks import HEARTBEAT, heartbeat

pytestmark = pytest.mark.django_db


def parts() -> tuple[int, dict[str, str]]:
    response = Client().get("/readyz")
    return response.status_code, response.json()["parts"]


def test_a_process_that_answers_is_alive() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}


def test_an_installation_is_ready_when_every_part_is() -> None:
    heartbeat()

    assert parts() == (200, dict.fromkeys(("database", "migrations", "broker", "worker", "scheduler", "keys"), "ok"))


def test_an_old_or_missing_heartbeat_is_a_worker_that_does_not_work() -> None:
    cache.set(HEARTBEAT, (clock.now() - timedelta(minutes=5)).isoformat())
    assert parts()[0] == 503
    cache.delete(HEARTBEAT)
    status, states = parts()

    assert (status, states["worker"], states["database"]) == (503, "failing", "ok")


def test_a_migration_that_has_not_run_is_told() -> None:
    heartbeat()
    MigrationRecorder(connection).record_unapplied("audit", "0001_audit_trail")

    assert parts()[1]["migrations"] == "failing"


def test_a_missing_encryption_key_is_told(settings: Settings) -> None:
    heartbeat()
    account = AwsAccount.objects.create(alias="production", auth_method="access_key")
    credentials.store(account=account, key=KeyInput("AKIAIOSFODNN7EXAMPLE", "secret"))
    settings.FERNET_KEYS = ["n" * 43]
    status, states = parts()

    assert (status, states["keys"], states["database"]) == (503, "failing", "ok")


def test_while_redis_is_away_the_api_is_not_available_and_says_when_to_ask_again(settings: Settings, client: Client) -> None:
    away = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = dict.fromkeys(settings.CACHES, away)
    response = client.post("/api/auth/token", {"username": "ada", "password": "wrong"})
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) > 0
