from __future__ import annotations

from typing import Any

import pytest
from django.test import Client


@pytest.mark.django_db
def test_a_sane_request_id_is_kept(client: Client) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": "deploy-2026-11-22.7"})["X-Request-ID"] == "deploy-2026-11-22.7"


@pytest.mark.parametrize("given", ["", "short", "x" * 65, "line\nbreak-in-id", "<script>alert(1)</script>"])
@pytest.mark.django_db
def test_anything_else_is_replaced_by_one_of_ours(client: Client, given: str) -> None:
    answered = client.get("/healthz", headers={"X-Request-ID": given})["X-Request-ID"]
    assert answered != given
    assert len(answered) == 32


@pytest.mark.django_db
def test_health_is_asked_without_tls_where_pages_are_not(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/healthz").status_code == 200
    assert client.get("/sign-in")["Location"].startswith("https://")
