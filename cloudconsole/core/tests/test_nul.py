from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import User

FORM = "application/x-www-form-urlencoded"
IN_A_COOKIE = '"\\000\\000\\000\\000\\000\\000\\000\\000"'  # as the browser sends it; Django reads the octal numbers


@pytest.mark.parametrize(
    "address",
    [
        "/?account=%00",
        "/accounts?account=a%00b",
        "/costs/snapshots?account=%00",
        "/audit?account=%00",
        "/palette?%00=1",
        "/admin/accounts/user/?role__exact=%00",
        "/admin/audit/auditevent/?actor_name__startswith=%00",
        "/api/accounts?status=%00",
        "/api/accounts/%00",
    ],
)
def test_an_address_with_a_nul_is_malformed_and_never_reaches_the_database(client: Client, admin: User, address: str) -> None:
    client.force_login(admin)
    assert client.get(address).status_code == 400


@pytest.mark.django_db
def test_the_answer_is_protected_like_every_other(client: Client) -> None:
    answer = client.get("/?account=%00")
    assert answer.status_code == 400
    assert "default-src 'none'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize(("address", "status"), [("/", 302), ("/api/auth/me", 401), ("/sign-in", 200)])
def test_a_session_key_that_no_database_could_hold_is_nobodys(client: Client, admin: User, address: str, status: int) -> None:
    assert client.get(address, headers={"Cookie": f"sessionid={IN_A_COOKIE}"}).status_code == status


@pytest.mark.parametrize("address", ["/expenses/workspaces", "/expenses/categories"])
def test_neither_does_a_form_with_one(client: Client, admin: User, address: str) -> None:
    client.force_login(admin)
    assert client.post(address, "name=a%00b&currency=EUR", content_type=FORM).status_code == 400
