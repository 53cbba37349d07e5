"""The OpenAPI document."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.fixture
def document() -> dict[str, Any]:
    client = Client()
    client.force_login(get_user_model().objects.create_user("alice"))
    found: dict[str, Any] = client.get("/api/schema").json()
    return found


def test_the_document_is_openapi_3_1_in_version_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["info"]["version"] == "1"
    assert {"bearer", "session"} <= set(document["components"]["securitySchemes"])


def test_every_operation_names_its_problems(document: dict[str, Any]) -> None:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            problem = operation["responses"]["429"]["content"]["application/problem+json"]["schema"]
            assert problem == {"$ref": "#/components/schemas/Problem"}, (method, path)


def test_what_acts_takes_an_idempotency_key(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/api/audit/verify"]["post"]["parameters"]

    assert [parameter["name"] for parameter in parameters] == ["Idempotency-Key"]


def test_the_document_is_for_people_who_signed_in() -> None:
    assert Client().get("/api/schema").status_code == 401
