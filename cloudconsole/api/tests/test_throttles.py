from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import caches
from django.test import Client
from pytest_django import Settings

pytestmark = [pytest.mark.django_db, pytest.mark.urls("cloudconsole.api.tests.urls")]


@pytest.fixture(autouse=True)
def two_an_hour(settings: Settings) -> None:
    caches["throttles"].clear()
    rates: dict[str, Any] = {"DEFAULT_THROTTLE_RATES": {"user": "2/hour", "anonymous": "1/hour", "sign_in": "10/min"}}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, **rates}


def test_who_asks_too_often_is_told_how_long_to_wait() -> None:
    client = Client()
    client.force_login(get_user_model().objects.create_user("alice"))
    answers = [client.get("/api/things") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit"].split(";")[1] for answer in answers] == ["r=1", "r=0", "r=0"]
    assert answers[0]["RateLimit-Policy"] == '"user";q=2;w=3600'
    assert 1 <= int(answers[2]["Retry-After"]) <= 3600
    assert answers[2].json()["code"] == "throttled"


def test_one_caller_does_not_use_up_the_share_of_another() -> None:
    for name in ("alice", "bob"):
        client = Client()
        client.force_login(get_user_model().objects.create_user(name))
        assert [client.get("/api/things").status_code for _ in range(2)] == [200, 200]
