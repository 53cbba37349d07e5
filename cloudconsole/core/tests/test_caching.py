from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User


@pytest.mark.parametrize(
    "address", ["/", "/accounts", "/costs/snapshots", "/audit", "/admin/accounts/user/", "/api/accounts", "/nope"]
)
def test_nothing_that_a_person_sees_is_kept_by_a_cache(client: Client, admin: User, address: str) -> None:
    client.force_login(admin)
    assert "no-store" in client.get(address)["Cache-Control"]


@pytest.mark.django_db
def test_the_way_to_the_sign_in_page_is_not_kept_either(client: Client) -> None:
    assert client.get("/accounts")["Cache-Control"] == "no-store"
