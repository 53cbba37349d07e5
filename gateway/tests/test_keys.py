"""Keys through the API and the pages: stored, changed, rotated, reminded of, imported; and nobody else's."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Alert, User
from accounts.selectors import alerts as alert_selectors
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role
from cloudconsole.net.tests.listeners import Listener, Reply
from cloudconsole.sealing import Unreadable
from gateway.models import ApiKey, ApiKeySecret, RequestCapture, RequestLog
from gateway.services import key_inputs, key_secrets, keys, ticks
from gateway.services.key_inputs import KeyInput
from gateway.tests.conftest import SECRET, Store

Api = Callable[..., APIClient]


@pytest.fixture
def browser(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def test_a_key_is_stored_as_it_was_said(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(allowed_methods=["get", "GET", "post"], allowed_paths=["/a/*"], requests_per_day=7, description=" of  the tests ")
    shown = api(ada).get(f"/api/keys/{key.pk}").json()
    assert (shown["api_name"], shown["status"], shown["base_url"]) == ("svc", "active", service.url(path=""))
    assert (shown["allowed_methods"], shown["allowed_paths"]) == (["GET", "POST"], ["/a/*"])
    assert (shown["budget"]["requests_per_day"], shown["description"]) == (7, "of the tests")
    event = AuditEvent.objects.get(action="api_key.stored")
    assert (event.subject, event.actor_name) == ("svc", "ada")


def test_a_name_is_its_owners_once_in_any_case(store: Store, ada: User, api: Api, make_user: Callable[..., User]) -> None:
    store()
    again = api(ada).post("/api/keys", {"api_name": "SVC", "api_key": SECRET})
    assert (again.status_code, again.json()["code"]) == (409, "key_name_taken")
    assert store(by=make_user("bob")).pk


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"api_name": "a/b"}, "api_name"),
        ({"api_name": ".."}, "api_name"),
        ({"api_key": "short"}, "api_key"),
        ({"auth_scheme": "magic"}, "auth_scheme"),
        ({"auth_scheme": "header"}, "auth_name"),
        ({"base_url": "https://api.example.com/?a=b"}, "base_url"),
        ({"base_url": "https://api.example.com/a/../b"}, "base_url"),
        ({"base_url": "ftp://api.example.com/"}, "base_url"),
        ({"allowed_paths": ["../x"]}, "allowed_paths"),
        ({"allowed_methods": ["CONNECT"]}, "allowed_methods"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"capture_until": "2099-01-01T00:00:00Z"}, "capture_until"),
        ({"retries": 9}, "retries"),
        ({"requests_per_day": 0}, "requests_per_day"),
        ({"preset": "no-such-service"}, "preset"),
        ({"dialect": "no-such-way"}, "dialect"),
    ],
)
def test_what_cannot_be_is_told_at_its_field(fields: dict[str, Any], attr: str, ada: User, api: Api) -> None:
    answer = api(ada).post("/api/keys", {"api_name": "x", "api_key": SECRET, **fields})
    assert (answer.status_code, answer.json()["errors"][0]["attr"].split(".")[0]) == (400, attr)
    assert not ApiKey.objects.exists()


def test_a_stored_secret_is_not_moved_to_another_host(store: Store, ada: User, api: Api) -> None:
    key = store()
    for base_url in ("https://evil.example.com", "http://127.0.0.1:1", "https://127.0.0.1"):
        moved = api(ada).patch(f"/api/keys/{key.pk}", {"base_url": base_url})
        assert (moved.status_code, moved.json()["code"]) == (400, "secret_needed")
    unbound = store(api_name="unbound", base_url=None)
    assert api(ada).patch(f"/api/keys/{unbound.pk}", {"base_url": "https://evil.example.com"}).status_code == 400
    moved = api(ada).patch(f"/api/keys/{key.pk}", {"base_url": "https://api.example.com", "api_key": SECRET + "2"})
    assert (moved.status_code, moved.json()["base_url"]) == (200, "https://api.example.com")


def test_a_change_does_not_write_an_older_key_back(store: Store, ada: User, api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    key, apply = store(), key_inputs.apply

    def applied(draft: ApiKey, given: KeyInput) -> None:
        keys.set_enabled(key=key, enabled=False, by=ada)  # in another tab, at this moment
        apply(draft, given)

    monkeypatch.setattr(key_inputs, "apply", applied)
    answer = api(ada).patch(f"/api/keys/{key.pk}", {"description": "new"})
    assert (answer.status_code, answer.json()["code"]) == (409, "key_changed")
    key.refresh_from_db()
    assert (key.enabled, key.description) == (False, "")


def test_put_says_everything_anew_and_keeps_the_secret(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store(description="old", retries=3, requests_per_day=5)
    shown = api(ada).put(f"/api/keys/{key.pk}", {"api_name": "renamed"}).json()
    assert (shown["api_name"], shown["description"], shown["retries"]) == ("renamed", "", 2)
    assert (shown["budget"]["requests_per_day"], shown["base_url"]) == (None, service.url(path=""))
    assert api(ada).post("/api/proxy", {"url": "/", "api_name": "renamed"}).json()["status_code"] == 200
    assert service.asked[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_a_rotation_overlaps_and_can_be_undone(store: Store, service: Listener, ada: User, api: Api) -> None:
    key, new = store(), "the-new-secret-of-the-service"

    def sent(secret: str = "current") -> str:
        answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk, "secret": secret})
        return service.asked[-1].headers["Authorization"] if answer.status_code == 200 else answer.json()["code"]

    rotated = api(ada).post(f"/api/keys/{key.pk}/rotate", {"api_key": new, "overlap_hours": 2}).json()
    assert (rotated["key_hint"], rotated["previous_key_hint"]) == (new[-4:], SECRET[-4:])
    assert (sent(), sent("previous")) == (f"Bearer {new}", f"Bearer {SECRET}")
    assert api(ada).post(f"/api/keys/{key.pk}/undo-rotation").status_code == 200
    assert (sent(), sent("previous")) == (f"Bearer {SECRET}", "key_unusable")
    assert api(ada).post(f"/api/keys/{key.pk}/undo-rotation").json()["code"] == "nothing_to_undo"
    api(ada).post(f"/api/keys/{key.pk}/rotate", {"api_key": new, "overlap_hours": 2})
    with time_machine.travel(datetime.now(UTC) + timedelta(hours=3)):
        ticks.tick()
    assert ApiKeySecret.objects.get(key=key).hint == new[-4:]


def test_going_back_also_goes_back_to_when_it_runs_out_and_to_its_headers(store: Store, ada: User, api: Api) -> None:
    old, new = datetime(2099, 1, 1, tzinfo=UTC), datetime(2099, 6, 1, tzinfo=UTC)
    key = store(auth_scheme="headers", api_key=f"X-Old: {SECRET}", expires_at=old.isoformat())
    body = {"api_key": f"X-New: {SECRET}2", "overlap_hours": 2, "expires_at": new.isoformat()}
    rotated = api(ada).post(f"/api/keys/{key.pk}/rotate", body).json()
    assert (rotated["auth_name"], rotated["expires_at"][:10]) == ("X-New", "2099-06-01")
    undone = api(ada).post(f"/api/keys/{key.pk}/undo-rotation").json()
    assert (undone["auth_name"], undone["expires_at"][:10]) == ("X-Old", "2099-01-01")


def test_an_old_secret_can_be_erased_before_its_time(store: Store, ada: User, api: Api, make_user: Callable[..., User]) -> None:
    key = store()
    api(ada).post(f"/api/keys/{key.pk}/rotate", {"api_key": SECRET + "2", "overlap_hours": 2})
    assert api(make_user("bob")).post(f"/api/keys/{key.pk}/retire").status_code == 404
    assert api(ada).post(f"/api/keys/{key.pk}/retire").json()["previous_usable_until"] is None
    assert ApiKeySecret.objects.get(key=key).hint == f"{SECRET}2"[-4:]
    assert api(ada).post(f"/api/keys/{key.pk}/retire").status_code == 200
    assert AuditEvent.objects.filter(action="api_key.secret_retired").count() == 1


def test_what_a_test_found_out_is_forgotten_with_what_it_was_about(store: Store, ada: User, api: Api) -> None:
    key = store()
    path = f"/api/keys/{key.pk}"

    def after(method: str, address: str, body: dict[str, Any]) -> bool | None:
        assert api(ada).post(f"{path}/test").json()["works"]
        getattr(api(ada), method)(address, body)
        shown = api(ada).get(path).json()
        assert (shown["tested_at"] is None) == (shown["test_works"] is None)
        works: bool | None = shown["test_works"]
        return works

    assert after("patch", path, {"description": "other words"}) is True
    assert after("patch", path, {"api_key": SECRET + "2"}) is None
    assert after("patch", path, {"auth_scheme": "header", "auth_name": "X-Key"}) is None
    assert after("post", f"{path}/rotate", {"api_key": SECRET + "3"}) is None
    assert after("post", f"{path}/undo-rotation", {}) is None


def test_a_preset_fills_in_what_is_not_said(ada: User, api: Api) -> None:
    (known,) = [one for one in api(ada).get("/api/keys/presets").json() if one["slug"] == "anthropic"]
    assert (known["auth_scheme"], known["dialect"], known["headers"]) == (
        "header",
        "anthropic",
        {"anthropic-version": "2023-06-01"},
    )
    made = api(ada).post("/api/keys", {"api_name": "claude", "api_key": SECRET, "preset": "anthropic", "test_path": "/mine"})
    shown = made.json()
    assert {name: shown[name] for name in ("base_url", "auth_scheme", "auth_name", "preset")} == {
        name: known.get(name, "anthropic") for name in ("base_url", "auth_scheme", "auth_name", "preset")
    }
    assert shown["test_path"] == "/mine"
    own = api(ada).post("/api/keys", {"api_name": "azure", "api_key": SECRET + "2", "preset": "azure-openai"}).json()
    assert (own["base_url"], own["status"], own["auth_name"]) == ("", "unbound", "api-key")  # nobody guesses a customer's host
    elsewhere = {"base_url": "https://api.example.com", "api_key": SECRET}
    assert api(ada).patch(f"/api/keys/{shown['id']}", elsewhere).json()["preset"] == ""


def test_the_trail_names_what_was_changed_and_nothing_else(store: Store, service: Listener, browser: Client) -> None:
    key = store()
    form = browser.get(f"/keys/{key.pk}/edit").context["form"]
    posted = {name: value for name, value in form.initial.items() if value is not None and value is not False}
    browser.post(f"/keys/{key.pk}/edit", {**posted, "api_key": "", "description": "new words", "requests_per_day": 7})
    assert AuditEvent.objects.get(action="api_key.changed").detail["fields"] == "description, requests_per_day"


@pytest.mark.parametrize("fields", [{"enabled": False}, {"expires_at": "soon"}, {"base_url": None}])
def test_a_key_that_is_not_active_sends_nothing(
    fields: dict[str, Any], store: Store, service: Listener, ada: User, api: Api
) -> None:
    if "expires_at" in fields:
        key = store()
        ApiKey.objects.filter(pk=key.pk).update(expires_at=datetime.now(UTC) - timedelta(seconds=1))
    else:
        key = store(**fields)
    answers = [api(ada).post("/api/proxy", {"url": service.url(), "api_key_id": key.pk}), api(ada).get("/api/proxy/svc/x")]
    assert {(answer.status_code, answer.json()["code"]) for answer in answers} == {(409, "key_unusable")}
    assert service.asked == []


def test_the_owner_alone_is_reminded_once_for_each_threshold(store: Store, ada: User, make_user: Callable[..., User]) -> None:
    store(expires_at=(datetime.now(UTC) + timedelta(days=6)).isoformat())
    others = [make_user("root", Role.ADMIN), make_user("eve", Role.VIEWER, everywhere=True)]
    for _ in range(2):
        ticks.tick()
    alert = Alert.objects.get()
    assert alert.title == "The API key “svc” expires within 7 days"
    assert alert_selectors.visible(ada).count() == 1
    assert [alert_selectors.visible(one).count() for one in others] == [0, 0]
    with time_machine.travel(datetime.now(UTC) + timedelta(days=7)):
        ticks.tick()
    assert Alert.objects.latest("pk").title == "The API key “svc” has expired"


def test_a_secret_moved_to_another_row_is_refused(store: Store, make_user: Callable[..., User]) -> None:
    mine, theirs = store(), store(by=make_user("bob"))
    stolen = ApiKeySecret.objects.select_related("key__owner").get(key=mine)
    target = ApiKeySecret.objects.select_related("key__owner").get(key=theirs)
    target.sealed, target.sealed_with = stolen.sealed, stolen.sealed_with
    with pytest.raises(Unreadable):
        key_secrets.opened(target)


@pytest.mark.parametrize(("status", "works"), [(200, True), (401, False), (403, False), (404, None), (429, None), (503, None)])
def test_a_test_says_what_the_service_makes_of_the_key(
    status: int, works: bool | None, store: Store, service: Listener, ada: User, api: Api
) -> None:
    key = store(test_path="/me?x=1")
    service.answer = lambda asked: Reply(status)
    tested = api(ada).post(f"/api/keys/{key.pk}/test").json()
    assert (tested["works"], tested["status_code"], service.asked[0].path) == (works, status, "/me?x=1")
    assert api(ada).get(f"/api/keys/{key.pk}").json()["test_works"] is works
    assert RequestLog.objects.get().via == "test"


def test_an_import_is_a_preview_until_names_are_chosen(store: Store, ada: User, api: Api) -> None:
    store(api_name="github")
    text = f"GITHUB_TOKEN=ghp_0123456789abcdefghij\nOTHER_KEY={SECRET}\nNEW_TOKEN=0123456789abcdefghij\n"
    shown = api(ada).post("/api/keys/import", {"text": text}).json()
    assert [(one["name"], one["verdict"]) for one in shown] == [
        ("GITHUB_TOKEN", "name_taken"),
        ("OTHER_KEY", "same_secret"),
        ("NEW_TOKEN", "new"),
    ]
    assert ApiKey.objects.count() == 1
    done = api(ada).post("/api/keys/import", {"text": text, "names": ["NEW_TOKEN"]})
    assert (done.json()[2]["verdict"], ApiKey.objects.count()) == ("created", 2)
    assert "0123456789abcdefghij" not in done.content.decode()


def test_a_preview_says_what_would_be_refused(ada: User, api: Api, browser: Client) -> None:
    near, odd = {"api_key": SECRET, "base_url": "http://10.0.0.1"}, {"api_key": f"{SECRET}2", "auth_scheme": "telepathy"}
    text = json.dumps({"near": near, "odd": odd})
    found = api(ada).post("/api/keys/import", {"text": text}).json()
    assert [(one["api_name"], one["verdict"]) for one in found] == [("near", "invalid"), ("odd", "invalid")]
    assert "Nothing is sent to this address" in found[0]["detail"]
    done = api(ada).post("/api/keys/import", {"text": text, "names": ["near", "odd"]}).json()
    assert ({one["verdict"] for one in done}, ApiKey.objects.count()) == ({"invalid"}, 0)
    assert "Left out" in browser.post("/keys/import", {"text": text}).content.decode()


def test_a_deleted_key_leaves_its_log_and_no_secret(store: Store, ada: User, api: Api) -> None:
    key = store()
    api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert api(ada).delete(f"/api/keys/{key.pk}").status_code == 204
    row = RequestLog.objects.get()
    assert (row.key, row.api_name, ApiKeySecret.objects.count()) == (None, "svc", 0)


def test_the_pages_lead_from_nothing_to_a_tested_key(service: Listener, browser: Client) -> None:
    assert "No key yet" in browser.get("/keys").content.decode()
    fields = {
        "api_name": "svc",
        "api_key": SECRET,
        "base_url": service.url(path=""),
        "auth_scheme": "bearer",
        "retries": 0,
        "when_empty": "warn",
        "test_method": "GET",
        "capture": "0",
    }
    wrong = browser.post("/keys/new", {**fields, "base_url": "https://10.0.0.1/"})
    assert (wrong.status_code, "Nothing is sent to this address" in wrong.content.decode()) == (400, True)
    made = browser.post("/keys/new", fields)
    key = ApiKey.objects.get()
    assert made["Location"] == f"/keys/{key.pk}"
    tested = browser.post(f"/keys/{key.pk}/test", follow=True).content.decode()
    assert "The service took the key: it answered 200." in tested
    for path in ("", "/edit", "/rotate", "/delete"):
        page = browser.get(f"/keys/{key.pk}{path}")
        assert page.status_code == 200
        assert SECRET not in page.content.decode()
    saved = browser.post(f"/keys/{key.pk}/edit", {**fields, "api_key": "", "description": "changed", "requests_per_day": 5})
    assert saved.status_code == 302, saved.content.decode()
    browser.post(f"/keys/{key.pk}/rotate", {"api_key": SECRET + "-new", "overlap_hours": 24})
    assert ApiKeySecret.objects.filter(key=key).count() == 2
    browser.post(f"/keys/{key.pk}/undo-rotation")
    browser.post(f"/keys/{key.pk}/disable")
    assert "Disabled" in browser.get("/keys?status=disabled").content.decode()
    assert browser.post(f"/keys/{key.pk}/delete", {"confirm": "other"}).status_code == 400
    assert browser.post(f"/keys/{key.pk}/delete", {"confirm": "svc"})["Location"] == "/keys"
    assert not ApiKey.objects.exists()


def test_the_import_page_shows_before_it_stores(browser: Client) -> None:
    text = "GITHUB_TOKEN=ghp_0123456789abcdefghij"
    shown = browser.post("/keys/import", {"text": text}).content.decode()
    assert "api.github.com" in shown
    assert not ApiKey.objects.exists()
    browser.post("/keys/import", {"text": text, "store": "1", "name": ["GITHUB_TOKEN"]})
    assert ApiKey.objects.get().base_url == "https://api.github.com"
    assert browser.post("/keys/import", {"text": "nothing here"}).status_code == 400


def test_a_list_of_keys_takes_the_same_queries_however_long(
    store: Store, browser: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        store(api_name=f"key-{number}")
    with django_assert_max_num_queries(16):
        assert browser.get("/keys").status_code == 200


def test_headers_and_bodies_are_kept_for_who_asked_and_no_longer(
    store: Store, service: Listener, ada: User, api: Api, browser: Client, make_user: Callable[..., User]
) -> None:
    until = datetime.now(UTC) + timedelta(hours=1)
    key = store(capture_until=until.isoformat())
    service.answer = lambda asked: Reply(headers={"X-Own": "kept"}, body=f"you said {SECRET}".encode())
    body = {"url": "/", "method": "POST", "body": "hello", "headers": {"X-Mine": "1"}, "api_key_id": key.pk}
    log_id = api(ada).post("/api/proxy", body).json()["request_log_id"]
    path = f"keys/{key.pk}/captured/{log_id}"
    told = api(ada).get("/api/stats/request-logs").json()["results"]
    assert [(one["id"], one["captured"]) for one in told] == [(log_id, True)]
    assert f"/{path}" in browser.get(f"/keys/{key.pk}").content.decode()
    assert f"/{path}" in browser.get("/keys/statistics").content.decode()
    kept = api(ada).get(f"/api/{path}").json()
    assert (kept["request"]["body"], kept["response"]["body"]) == ("hello", "you said [redacted]")
    assert ["X-Mine", "1"] in kept["request"]["headers"]
    assert ["X-Own", "kept"] in kept["response"]["headers"]
    assert kept["echoed"]
    assert "The response said the key back" in browser.get(f"/{path}").content.decode()
    assert path in browser.get(f"/keys/{key.pk}").content.decode()
    assert api(make_user("bob")).get(f"/api/{path}").status_code == 404
    with time_machine.travel(until + timedelta(seconds=1)):
        assert api(ada).get(f"/api/{path}").status_code == 404
        ticks.forget_requests()
    assert (RequestLog.objects.count(), RequestCapture.objects.count()) == (1, 0)


def test_a_search_without_an_end_is_a_search(store: Store, ada: User, api: Api) -> None:
    store(api_name="svc")
    found = api(ada).get("/api/keys", {"search": "svc " * 2_000}).json()
    assert [one["api_name"] for one in found["results"]] == ["svc"]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/keys/new", {"base_url": "https://10.0.0.1/"}),  # refused by the service
        ("/keys/new", {"retries": "many"}),  # by the form
        ("/keys/new", {"api_key": f"{SECRET}\x01"}),  # itself what is wrong
        ("/keys/{pk}/edit", {"base_url": "https://10.0.0.1/"}),
        ("/keys/{pk}/edit", {"api_name": ""}),
        ("/keys/{pk}/rotate", {"overlap_hours": "5"}),
        ("/keys/{pk}/rotate", {"expires_at": "2000-01-01T00:00"}),
        ("/keys/import", {"text": f"{{{SECRET}"}),
    ],
)
def test_a_form_that_is_refused_does_not_show_the_key_again(
    path: str, fields: dict[str, str], store: Store, browser: Client
) -> None:
    key = store()
    typed = {"api_name": "other", "api_key": f"{SECRET}-typed", "base_url": "https://api.example.com", "auth_scheme": "bearer"}
    rest = {"retries": "2", "when_empty": "warn", "test_method": "GET", "overlap_hours": "24"}
    answer = browser.post(path.format(pk=key.pk), {**typed, **rest, **fields})
    html = answer.content.decode()
    assert answer.status_code >= 400
    assert SECRET not in html
    assert html.count("once more") <= 1
    assert "once more" in html or "\x01" in fields.get("api_key", "")


def test_a_key_beyond_what_a_database_counts_has_nothing_kept(ada: User, api: Callable[..., APIClient]) -> None:
    assert api(ada).get(f"/api/keys/{10**30}/captured/1").status_code == 404
