from __future__ import annotations

import pytest
from django.test import Client


@pytest.mark.parametrize("path", ["/sign-in", "/no-such-page", "/api/docs", "/api/redoc", "/administration"])
@pytest.mark.django_db
def test_no_page_outside_the_admin_allows_inline_or_evaluated_code(client: Client, path: str) -> None:
    policy = client.get(path)["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy


@pytest.mark.django_db
def test_the_admin_alone_has_the_wider_policy_its_interface_needs(client: Client) -> None:
    policy = client.get("/admin/login/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in policy
    assert "style-src 'self' 'unsafe-inline'" in policy
