"""The same request sent twice acts once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test import Client
from pytest_django import Settings

from audit.models import RememberedAnswer
from audit.tasks import forget_answers
from cloudconsole.core import clock

pytestmark = [pytest.mark.django_db, pytest.mark.urls("cloudconsole.api.tests.urls")]


def someone(name: str = "alice") -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_user(name))
    return client


def post(client: Client, key: str, name: str = "a", path: str = "/api/things") -> Any:
    return client.post(path, {"name": name}, content_type="application/json", headers={"Idempotency-Key": key})


def test_the_first_answer_is_replayed() -> None:
    client = someone()
    first, second = post(client, "k1"), post(client, "k1")

    assert (second.status_code, second.content, second["Content-Type"]) == (201, first.content, first["Content-Type"])
    assert not first.has_header("Idempotent-Replayed")
    assert second["Idempotent-Replayed"] == "true"
    assert second["API-Version"] == "1"


def test_another_key_another_person_and_no_key_act_again() -> None:
    client, other = someone(), someone("bob")
    answers = [post(client, "k1"), post(client, "k2"), post(other, "k1"), client.post("/api/things", {"name": "a"})]

    assert len({answer.json()["number"] for answer in answers}) == 4


def test_a_key_with_another_body_or_address_is_refused() -> None:
    client = someone()
    post(client, "k1")
    for answer in (post(client, "k1", name="b"), post(client, "k1", path="/api/things?x=1")):
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
        assert answer.json()["title"] == "The Idempotency-Key belongs to another request"


def test_while_the_first_is_at_work_the_second_waits_its_turn() -> None:
    client = someone()
    post(client, "k1")
    RememberedAnswer.objects.update(status=None)
    answer = post(client, "k1")

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_use")


def test_a_key_whose_process_died_does_not_act_again() -> None:
    client = someone()
    post(client, "k1")
    RememberedAnswer.objects.update(status=None, claimed_at=clock.now() - timedelta(minutes=21))
    for answer in (post(client, "k1"), post(client, "k1")):
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_answer_lost")
    assert "may have been carried out" in answer.json()["detail"]


def test_a_request_that_takes_as_long_as_a_function_may_run_is_still_at_work() -> None:
    client = someone()
    post(client, "k1")
    RememberedAnswer.objects.update(status=None, claimed_at=clock.now() - timedelta(minutes=16))

    assert post(client, "k1").json()["code"] == "idempotency_key_in_use"


def test_a_refusal_of_the_input_is_replayed_but_a_crash_is_tried_again() -> None:
    client = someone()
    assert [post(client, "k1", name="far too long").has_header("Idempotent-Replayed") for _ in range(2)] == [False, True]
    assert [post(client, "k2", path="/api/failing/crash").has_header("Idempotent-Replayed") for _ in range(2)] == [False, False]
    assert not RememberedAnswer.objects.filter(key="k2").exists()


def test_answers_are_forgotten_after_a_day() -> None:
    client = someone()
    post(client, "k1")
    RememberedAnswer.objects.update(claimed_at=clock.now() - timedelta(hours=25))

    assert not post(client, "k1").has_header("Idempotent-Replayed")


def test_an_old_answer_is_removed_without_anybody_asking_again() -> None:
    client = someone()
    post(client, "old"), post(client, "new")
    RememberedAnswer.objects.filter(key="old").update(claimed_at=clock.now() - timedelta(hours=25))
    forget_answers()

    assert RememberedAnswer.objects.get().key == "new"


def test_an_answer_copied_to_another_key_or_person_is_not_shown() -> None:
    client, other = someone(), someone("bob")
    post(client, "k1"), post(client, "k2"), post(other, "k1")
    stolen = RememberedAnswer.objects.get(key="k2")
    RememberedAnswer.objects.filter(key="k1").update(body=stolen.body, body_key=stolen.body_key)
    for answer in (post(client, "k1"), post(other, "k1")):
        assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_answer_lost")


def test_an_answer_whose_key_is_gone_is_told_and_the_request_does_not_act_again(settings: Settings) -> None:
    client = someone()
    post(client, "k1")
    settings.FERNET_KEYS = ["n" * 43]
    answer = post(client, "k1")

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_answer_lost")
    assert "make a new key" in answer.json()["detail"]
    assert post(client, "k2").status_code == 201


def test_an_answer_is_not_readable_in_the_database() -> None:
    post(someone(), "k1", name="topsecret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM audit_rememberedanswer")
        assert "topsecret" not in str([bytes(cell) if isinstance(cell, memoryview) else cell for cell in cursor.fetchone()])


@pytest.mark.parametrize("key", ["", "with space", "ü", "a" * 256])
def test_an_odd_key_is_refused(key: str) -> None:
    answer = post(someone(), key)

    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_invalid")
