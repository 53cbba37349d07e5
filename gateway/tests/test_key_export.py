"""The list of keys as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from gateway.tests.conftest import SECRET, Store

Api = Callable[..., APIClient]
NEW_SECRET = "sk-test/9876543210-fedcba=="


def text_of(answer: Any) -> str:
    assert (answer.status_code, answer["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert answer["Content-Disposition"] == 'attachment; filename="keys.csv"'
    return b"".join(answer.streaming_content).decode()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_file_holds_what_the_page_shows_and_links_to(store: Store, ada: User, api: Api, client: Client) -> None:
    key = store(
        api_name="github co", description="Of the robot & co", allowed_methods=["GET", "PUT"], allowed_paths=["/a/*", "/b,c/**"]
    )
    store(api_name="other", api_key=NEW_SECRET, enabled=False)
    client.force_login(ada)

    def shown(query: str) -> list[dict[str, str]]:
        link = re.search(r'href="(/api/keys/export[^"]*)"', client.get(f"/keys{query}").content.decode())
        assert link is not None
        return rows_of(text_of(client.get(unescape(link[1]))))

    one, other = shown("")
    assert (one["api_name"], one["status"], other["api_name"], other["status"]) == ("github co", "active", "other", "disabled")
    assert (one["base_url"], one["auth_scheme"], one["description"]) == (key.base_url, "bearer", "Of the robot & co")
    assert (one["allowed_methods"], one["allowed_paths"]) == ("GET PUT", "/a/* /b,c/**")
    assert (one["created_at"], one["last_used_at"]) == (key.created_at.isoformat(), "")
    assert [row["api_name"] for row in shown("?q=%26+co")] == ["github co"]
    assert [row["api_name"] for row in shown("?status=disabled")] == ["other"]
    assert "/api/keys/export" not in client.get("/keys?q=nothing").content.decode()


def test_no_part_of_a_secret_is_in_it(store: Store, ada: User, api: Api) -> None:
    rotated = store(auth_scheme="header", auth_name="X-Api-Key")
    assert api(ada).post(f"/api/keys/{rotated.pk}/rotate", {"api_key": NEW_SECRET}).status_code == 200
    store(api_name="several", auth_scheme="headers", api_key="X-One: first-secret\nX-Two: second-secret")
    text = text_of(api(ada).get("/api/keys/export"))
    assert len(rows_of(text)) == 2
    for secret in (SECRET, NEW_SECRET, "first-secret", "second-secret"):
        assert secret[:6] not in text
        assert secret[-4:] not in text


def test_nobody_gets_the_keys_of_somebody_else(
    store: Store, admin: User, make_user: Callable[..., User], api: Api, client: Client
) -> None:
    store()
    for other in (admin, make_user("bob")):
        assert rows_of(text_of(api(other).get("/api/keys/export"))) == []
    assert APIClient().get("/api/keys/export").status_code == 401


def test_no_cell_is_a_formula(store: Store, ada: User, api: Api) -> None:
    store(api_name="x", description="=HYPERLINK(0)", auth_scheme="basic", auth_name="+cmd|' /C calc'!A0")
    (row,) = rows_of(text_of(api(ada).get("/api/keys/export")))
    assert (row["description"], row["auth_name"]) == ("'=HYPERLINK(0)", "'+cmd|' /C calc'!A0")


def test_a_filter_that_means_nothing_is_refused(ada: User, api: Api) -> None:
    for query in ("status=x", f"search={'x' * 201}", "search=%00"):
        assert api(ada).get(f"/api/keys/export?{query}").status_code == 400, query
