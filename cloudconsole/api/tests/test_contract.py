"""What every answer of the API keeps to, tried from outside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

pytestmark = [pytest.mark.django_db, pytest.mark.urls("cloudconsole.api.tests.urls")]


@pytest.fixture
def browser() -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(get_user_model().objects.create_user("alice"))
    return client


def assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["API-Version"] == "1"
    problem: dict[str, Any] = json.loads(response.content)
    assert problem["status"] == status
    assert problem["code"] == code
    assert problem["request_id"] == response["X-Request-ID"]
    assert {"type", "title", "detail", "errors"} <= set(problem)
    return problem


def test_every_answer_says_its_version_and_its_request(browser: Client) -> None:
    response = browser.get("/api/things", headers={"X-Request-ID": "abcdef-12345678"})

    assert response.json() == {"hello": "alice"}
    assert response["API-Version"] == "1"
    assert response["X-Request-ID"] == "abcdef-12345678"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize("odd", ["short", "a" * 65, "with spaces in it", "<script>alert(1)"])
def test_an_odd_request_id_is_replaced(browser: Client, odd: str) -> None:
    assert browser.get("/api/things", headers={"X-Request-ID": odd})["X-Request-ID"] != odd


def test_a_trailing_slash_makes_no_difference(browser: Client) -> None:
    posted = browser.post("/api/things/", {"name": "a"}, content_type="application/json")

    assert (browser.get("/api/things/").status_code, posted.status_code) == (200, 201)


@pytest.mark.parametrize(
    ("method", "path", "headers", "body", "status", "code"),
    [
        ("GET", "/api/nowhere", {}, "", 404, "not_found"),
        ("DELETE", "/api/things", {}, "", 405, "method_not_allowed"),
        ("GET", "/api/things", {"Accept": "text/csv"}, "", 406, "not_acceptable"),
        ("GET", "/api/things", {"Accept": "application/json; version=2"}, "", 406, "not_acceptable"),
        ("POST", "/api/things", {"Content-Type": "text/csv"}, "a,b", 415, "unsupported_media_type"),
        ("POST", "/api/things", {}, "{", 400, "malformed"),
        ("POST", "/api/things", {}, '{"name": NaN}', 400, "malformed"),
        ("POST", "/api/things", {}, "[" * 100_000, 400, "malformed"),
        ("POST", "/api/things", {}, b'{"name": "\xff"}', 400, "malformed"),
        ("POST", "/api/things", {}, '{"name": "\\ud800"}', 400, "malformed"),
        ("POST", "/api/things", {}, json.dumps({"name": "a" * 3_000_000}), 413, "too_large"),
        ("GET", "/api/things?search=%00", {}, "", 400, "bad_request"),
        ("GET", "/api/things", {"Host": "evil.example"}, "", 400, "bad_request"),
        ("GET", "/api/failing/unexpectedly", {}, "", 500, "internal"),
        ("GET", "/api/crash", {}, "", 500, "internal"),
        ("GET", "/api/failing/ours", {}, "", 409, "wrong_state"),
        ("GET", "/api/failing/aws", {}, "", 424, "aws_credentials_invalid"),
        ("GET", "/api/failing/django", {}, "", 400, "invalid"),
    ],
)
def test_every_failure_is_a_problem(
    browser: Client, method: str, path: str, headers: dict[str, str], body: str, status: int, code: str
) -> None:
    content_type = headers.pop("Content-Type", "application/json")
    response = browser.generic(method, path, body, content_type=content_type, headers=headers)

    assert_problem(response, status, code)
    assert b"hunter2" not in response.content
    assert b"Traceback" not in response.content


def test_a_stranger_is_told_to_sign_in() -> None:
    response = Client().get("/api/things")

    assert_problem(response, 401, "not_authenticated")
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_a_session_without_the_csrf_token_is_refused(browser: Client) -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.cookies = browser.cookies

    assert_problem(careful.post("/api/things", {"name": "a"}, content_type="application/json"), 403, "permission_denied")


def test_invalid_input_names_every_field_at_fault(browser: Client) -> None:
    response = browser.post("/api/things", {"name": "far too long", "rows": [1, "x"]}, content_type="application/json")

    errors = assert_problem(response, 400, "invalid")["errors"]
    assert [(error["attr"], error["code"]) for error in errors] == [("name", "max_length"), ("rows.1", "invalid")]


def test_a_failure_at_aws_says_what_aws_said_and_what_to_do(browser: Client) -> None:
    problem = assert_problem(browser.get("/api/failing/aws"), 424, "aws_credentials_invalid")

    assert problem["remedy"] == "Make a new key."
    assert problem["aws"] == {
        "service": "sts",
        "operation": "GetCallerIdentity",
        "code": "InvalidClientTokenId",
        "message": "The security token is invalid.",
        "request_id": "req-1",
    }


def test_a_person_gets_a_failure_as_a_page(browser: Client) -> None:
    response = browser.get("/api/failing/ours", headers={"Accept": "text/html"})

    assert (response.status_code, response["Content-Type"].partition(";")[0]) == (409, "text/html")


def test_pages_are_numbered_and_as_long_as_asked(browser: Client) -> None:
    get_user_model().objects.create_user("bob")
    first = browser.get("/api/people?page_size=1").json()

    assert (first["count"], first["results"], first["previous"]) == (2, [{"username": "alice"}], None)
    assert browser.get(first["next"]).json()["results"] == [{"username": "bob"}]
    assert_problem(browser.get("/api/people?page=3"), 404, "not_found")


def test_a_cursor_leads_through_what_has_no_end(browser: Client) -> None:
    get_user_model().objects.create_user("bob")
    first = browser.get("/api/people-for-ever?page_size=1").json()

    assert set(first) == {"next", "previous", "results"}
    assert browser.get(first["next"]).json()["results"] == [{"username": "bob"}]


@pytest.mark.parametrize(
    "query", ["page_size=0", "page_size=501", "page_size=x", "page_size=", "page=x", "page=", "page=-1", "page=²"]
)
def test_a_page_that_makes_no_sense_is_refused(browser: Client, query: str) -> None:
    assert_problem(browser.get(f"/api/people?{query}"), 400, "invalid")


@pytest.mark.parametrize("cursor", ["x", "%FF", "cD1hYmM=", "a" * 5000])
def test_a_made_up_cursor_is_refused_or_finds_nothing(browser: Client, cursor: str) -> None:
    assert browser.get(f"/api/people-for-ever?cursor={cursor}").status_code in (200, 400)
