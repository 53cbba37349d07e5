"""The OpenAPI document."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.test import APIRequestFactory, force_authenticate

from cloudconsole.api.docs import SchemaView

pytestmark = pytest.mark.django_db


@pytest.fixture
def document() -> dict[str, Any]:
    return asked_for_once()


@cache
def asked_for_once() -> dict[str, Any]:
    """It takes seconds to make, and nobody here changes it."""
    return asked_for()


def asked_for() -> dict[str, Any]:
    client = Client()
    client.force_login(get_user_model().objects.create_user("alice"))
    found: dict[str, Any] = client.get("/api/schema").json()
    return found


def test_the_document_is_openapi_3_1_in_version_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1"
    assert {"bearer", "session"} <= set(document["components"]["securitySchemes"])


def test_no_two_things_share_a_name_in_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    document = asked_for()
    assert "identical names" not in capsys.readouterr().err
    assert "external_id" in document["components"]["schemas"]["Account"]["properties"]


@pytest.fixture
def hasty_threads() -> Iterator[None]:
    """Threads take turns a thousand times as often, so that what is not safe among them shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(before / 1000)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("hasty_threads")
def test_documents_asked_for_at_the_same_time_are_the_same(document: dict[str, Any]) -> None:
    factory = APIRequestFactory()
    reader = get_user_model()(pk=1, username="bob", is_active=True)

    def ask(_: int) -> str:
        request = factory.get("/api/schema")
        force_authenticate(request, reader)
        return json.dumps(SchemaView.as_view()(request).data)

    with ThreadPoolExecutor(4) as together:
        answers = set(together.map(ask, range(4)))
    assert answers == {json.dumps(document)}


def test_every_operation_names_its_problems(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            problem = operation["responses"]["429"]["content"]["application/problem+json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}, (method, path)


def test_everything_of_a_service_stands_under_one_tag(document: dict[str, Any]) -> None:
    for service in ("ec2", "s3", "lambda"):
        operations = [
            one for path, found in document["paths"].items() if path.startswith(f"/api/{service}/") for one in found.values()
        ]
        assert {tag for operation in operations for tag in operation["tags"]} == {service}


def test_what_acts_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/audit/verify"]["post"]["parameters"]

    assert [parameter["name"] for parameter in parameters] == ["Idempotency-Key"]


def test_the_document_says_how_to_sign_in_from_a_terminal(document: dict[str, Any]) -> None:
    told = document["info"]["description"]
    assert "curl -s $CONSOLE/api/auth/token" in told
    assert "Authorization: Bearer $ACCESS_TOKEN" in told


def test_the_document_is_for_people_who_signed_in() -> None:
    assert Client().get("/api/schema").status_code == 401
