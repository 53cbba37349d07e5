"""A secret that is sent in through every door of this app is found nowhere afterwards."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from accounts.services import credentials, inputs
from accounts.tests.conftest import Connect, key_fields
from audit.models import AuditEvent
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]
CANARY = "canaryCANARYcanaryCANARYcanaryCANARY0123"
PASSWORD = "canary-passphrase-of-a-person"


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


def _secrets(simulator: SimulatorHandle) -> list[str]:
    sandbox, development = simulator.key("sandbox"), simulator.key("development")
    return [CANARY, PASSWORD, development.secret_access_key, sandbox.secret_access_key, str(sandbox.session_token)]


def test_no_answer_page_log_or_row_carries_a_secret(
    connect: Connect, simulator: SimulatorHandle, admin: User, viewer: User, api: Api, logged: pytest.LogCaptureFixture
) -> None:
    bodies = list(_everything_answered(connect, simulator, admin, viewer, api))
    seen = "\n".join([*bodies, logged.text, *_rows()])
    assert [secret for secret in _secrets(simulator) if secret in seen] == []


def _everything_answered(connect: Connect, simulator: SimulatorHandle, admin: User, viewer: User, api: Api) -> Iterator[str]:
    connect("development")
    account = connect("sandbox")
    client, browser = api(admin), Client()
    browser.force_login(admin)
    wrong = {**key_fields(simulator.key("development")), "secret_access_key": CANARY}
    for answer in (
        client.post("/api/accounts", {"alias": "canary", "auth_method": "access_key", **wrong}),
        client.post("/api/accounts", {"alias": "!", "auth_method": "access_key", **wrong}),
        client.post("/api/accounts", {"alias": "canary", "auth_method": "ambient", **wrong}),
        client.post(
            "/api/accounts",
            {"alias": "canary", "auth_method": "access_key", **wrong, "verify": False, "account_id": "422222222222"},
        ),
        client.patch(f"/api/accounts/{account.pk}", wrong),
        client.get("/api/accounts"),
        client.get(f"/api/accounts/{account.pk}"),
        client.post(f"/api/accounts/{account.pk}/verify"),
        client.get(f"/api/accounts/{account.pk}/policy"),
        client.post("/api/users", {"username": "ada", "password": PASSWORD}),
        client.post("/api/users", {"username": "ada", "password": PASSWORD}),
        client.post("/api/auth/login", {"username": PASSWORD, "password": PASSWORD}),
        client.post("/api/auth/login", {"username": "ada", "password": CANARY}),
        client.get("/api/users"),
        browser.get("/admin/accounts/awsaccount/"),
        browser.get(f"/admin/accounts/awsaccount/{account.pk}/change/"),
        browser.get("/admin/accounts/capabilitycheck/"),
        browser.get(f"/admin/accounts/user/{admin.pk}/change/"),
    ):
        yield answer.content.decode()
    yield repr(credentials.access_for(account, admin))
    yield repr(inputs.KeyInput(wrong["access_key_id"], CANARY))
    yield json.dumps([event.detail for event in AuditEvent.objects.all()])


def _rows() -> Iterator[str]:
    """Every row of the database as it is stored."""
    for model in apps.get_models(include_auto_created=True):
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')  # noqa: S608 - the names of our own tables
            for row in cursor.fetchall():
                yield " ".join(
                    bytes(value).decode(errors="replace") if isinstance(value, (bytes, memoryview)) else str(value)
                    for value in row
                )


def test_the_openapi_document_marks_secrets_write_only_and_shows_none(admin: User) -> None:
    schemas = SchemaGenerator().get_schema(request=None, public=True)["components"]["schemas"]  # type: ignore[no-untyped-call]
    answers = {name: set(schema.get("properties", {})) for name, schema in schemas.items() if not name.endswith("Request")}
    leaking = {
        name for name, fields in answers.items() if fields & {"secret_access_key", "session_token", "password", "access_key_id"}
    }
    assert leaking == set()


def test_the_secret_is_stored_encrypted_and_opens_for_its_account(connect: Connect, simulator: SimulatorHandle) -> None:
    account = connect("development")
    source: Any = credentials.access_for(account, None).source
    assert source.secret_access_key == simulator.key("development").secret_access_key
    assert AwsAccount.objects.filter(pk=account.pk).values("access_key_hint").get() == {
        "access_key_hint": simulator.key("development").access_key_id[-4:]
    }
