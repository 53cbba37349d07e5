"""The sixteen defects of the dashboard that this app takes the place of, each as a test that shows it is not here."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.net.tests.listeners import Listener, Reply, untouched_listener
from conftest import PASSWORD
from gateway.models import ApiKey, ApiKeySecret, RateWindow, RequestLog
from gateway.services import rate_windows, ticks
from gateway.tests.conftest import SECRET, Store

Api = Callable[..., APIClient]


def test_1_a_key_of_somebody_else_cannot_be_used(
    store: Store, service: Listener, api: Api, make_user: Callable[..., User]
) -> None:
    key, mallory = store(), make_user("mallory")
    answer = api(mallory).post("/api/proxy", {"url": service.url(), "api_key_id": key.pk})
    nothing = api(mallory).post("/api/proxy", {"url": service.url(), "api_key_id": key.pk + 1000})
    assert (answer.status_code, answer.json()["code"]) == (404, "key_not_found")
    differing = {"request_id"}
    assert {k: v for k, v in answer.json().items() if k not in differing} == {
        k: v for k, v in nothing.json().items() if k not in differing
    }
    assert api(mallory).get("/api/proxy/svc/x").status_code == 404
    assert service.asked == []


def test_2_no_answer_holds_a_secret(store: Store, ada: User, api: Api) -> None:
    key = store()
    answers = [
        api(ada).get("/api/keys"),
        api(ada).get(f"/api/keys/{key.pk}"),
        api(ada).patch(f"/api/keys/{key.pk}", {"description": "of the tests"}),
        api(ada).post(f"/api/keys/{key.pk}/rotate", {"api_key": SECRET + "-new"}),
    ]
    assert all(answer.status_code == 200 for answer in answers)
    assert not any(SECRET in answer.content.decode() for answer in answers)
    assert answers[0].json()["results"][0]["key_hint"] == SECRET[-4:]


def test_3_nothing_private_is_asked(ada: User, api: Api) -> None:
    with untouched_listener("127.0.0.2") as inside:
        for url in (f"http://127.0.0.2:{inside.port}/", "http://169.254.169.254/latest/meta-data/", "http://[::1]/"):
            answer = api(ada).post("/api/proxy", {"url": url})
            assert (answer.status_code, answer.json()["code"]) == (400, "address_refused")
    assert inside.touches == 0


def test_4_a_key_goes_to_its_own_host_alone(store: Store, ada: User, api: Api) -> None:
    key = store()
    with untouched_listener() as other:
        answer = api(ada).post("/api/proxy", {"url": f"http://127.0.0.1:{other.port}/", "api_key_id": key.pk})
    assert (answer.status_code, answer.json()["code"], other.touches) == (403, "key_not_allowed", 0)
    unbound = store(api_name="unbound", base_url=None)
    refused = api(ada).post("/api/proxy", {"url": "https://api.example.com/", "api_key_id": unbound.pk})
    assert (refused.status_code, refused.json()["code"]) == (409, "key_unusable")


@pytest.mark.parametrize(
    ("fields", "sent"),
    [
        ({"auth_scheme": "bearer"}, f"Bearer {SECRET}"),
        ({"auth_scheme": "header", "auth_name": "Authorization", "auth_template": "Token {key}"}, f"Token {SECRET}"),
        ({"auth_scheme": "header", "auth_name": "X-Api-Key"}, SECRET),
    ],
)
def test_5_a_key_is_sent_by_its_scheme(
    store: Store, service: Listener, ada: User, api: Api, fields: dict[str, str], sent: str
) -> None:
    key = store(**fields)
    assert api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).status_code == 200
    assert service.asked[0].headers[fields.get("auth_name", "Authorization")] == sent


def test_6_no_secret_of_the_installation_stands_in_the_code() -> None:
    root = Path(django_settings.BASE_DIR)
    assert "YOUR_SECRET_KEY_HERE" not in (root / "cloudconsole" / "settings.py").read_text()
    for name in ("SECRET_KEY", "JWT_SIGNING_KEY"):
        assert f'{name} = "' not in (root / "cloudconsole" / "settings.py").read_text()
    assert django_settings.SIMPLE_JWT["SIGNING_KEY"] != django_settings.SECRET_KEY
    assert len(str(django_settings.SIMPLE_JWT["SIGNING_KEY"])) >= 32


def test_7_keys_outlive_a_restart_and_say_which_key_sealed_them(store: Store) -> None:
    stored = ApiKeySecret.objects.get(key=store())
    assert stored.sealed_with.startswith("fernet:")
    assert SECRET.encode() not in bytes(stored.sealed)
    assert django_settings.FERNET_KEYS  # from the environment or var/, never made by a process for itself


def test_8_other_origins_get_no_answer_of_ours(store: Store, service: Listener, ada: User, api: Api) -> None:
    service.answer = lambda asked: Reply(headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Credentials": "true"})
    key = store()
    answer = api(ada).get(f"/api/proxy/{key.api_name}/x", HTTP_ORIGIN="https://evil.example.com")
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]


def test_9_no_query_is_kept_or_printed(store: Store, ada: User, api: Api, capfd: pytest.CaptureFixture[str]) -> None:
    key = store()
    api(ada).post("/api/proxy", {"url": "/search?token=very-private", "api_key_id": key.pk})
    row = RequestLog.objects.get()
    assert (row.path, row.status) == ("/search", 200)
    assert "very-private" not in json.dumps(list(RequestLog.objects.values()), default=str)
    assert "very-private" not in "".join(capfd.readouterr())


@pytest.mark.parametrize(("reset", "seconds"), [("30", 30), ("6m0s", 360), ("{:%Y-%m-%dT%H:%M:%SZ}", 3600)])
def test_10_a_reset_is_read_whatever_its_form(store: Store, reset: str, seconds: int) -> None:
    key, now = store(), datetime.now(UTC)
    written = reset.format(now + timedelta(hours=1))
    told = (("X-RateLimit-Limit", "100"), ("X-RateLimit-Remaining", "42"), ("X-RateLimit-Reset", written))
    rate_windows.observe(key, 200, told, now, rate_windows.kept(key))
    window = RateWindow.objects.get(key=key)
    assert window.reset_at is not None
    assert abs((window.reset_at - now).total_seconds() - seconds) < 5


@pytest.mark.parametrize("name", ["x-ratelimit-remaining-requests", "anthropic-ratelimit-requests-remaining"])
def test_11_the_headers_of_openai_and_anthropic_are_known(
    store: Store, ada: User, service: Listener, api: Api, name: str
) -> None:
    key = store()
    service.answer = lambda asked: Reply(headers={name: "7", name.replace("remaining", "limit"): "10"})
    api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert RateWindow.objects.get(key=key).remaining == 7


def test_12_two_keys_of_one_api_have_limits_of_their_own(store: Store) -> None:
    first, second = store(api_name="GitHub"), store(api_name="GitHub 2")
    for key, left in ((first, "10"), (second, "20")):
        told = (("X-RateLimit-Limit", "60"), ("X-RateLimit-Remaining", left), ("X-RateLimit-Reset", "30"))
        rate_windows.observe(key, 200, told, datetime.now(UTC), rate_windows.kept(key))
    assert set(RateWindow.objects.values_list("key__api_name", "remaining")) == {("GitHub", 10), ("GitHub 2", 20)}


def test_13_bytes_stay_bytes_and_json_says_that_it_is(store: Store, service: Listener, ada: User, api: Api) -> None:
    key, blob = store(), bytes(range(256)) * 4
    service.answer = lambda asked: Reply(headers={"Content-Type": "application/octet-stream"}, body=blob)
    streamed = api(ada).get(f"/api/proxy/{key.api_name}/blob")
    assert b"".join(streamed) == blob
    answer = api(ada).post("/api/proxy", {"url": "/", "method": "POST", "body": {"a": 1}, "api_key_id": key.pk})
    assert answer.json()["body_encoding"] == "base64"
    assert service.asked[-1].headers["Content-Type"] == "application/json"


def test_14_the_log_lies_in_the_database_and_has_its_retention(store: Store, ada: User, api: Api, settings: Any) -> None:
    key = store()
    for _ in range(3):
        api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk})
    assert RequestLog.objects.filter(user=ada, key=key).count() == 3
    RequestLog.objects.filter(pk=RequestLog.objects.first().pk).update(at=datetime.now(UTC) - timedelta(days=91))  # type: ignore[union-attr]
    settings.REQUEST_LOG_RETENTION_DAYS = 0
    assert ticks.forget_requests() == 0
    settings.REQUEST_LOG_RETENTION_DAYS = 90
    assert ticks.forget_requests() == 1


def test_15_signing_in_tells_nothing_and_locks_out(client: Client, ada: User) -> None:
    def tried(name: str) -> Any:
        body = {"username": name, "password": "wrong-passphrase"}
        return client.post("/api/auth/login", body, content_type="application/json")

    known, unknown = tried("ada").json(), tried("nobody-of-this-name").json()
    assert (known["code"], known["detail"]) == (unknown["code"], unknown["detail"])
    for _ in range(5):
        last = tried("ada")
    assert last.status_code == 429
    assert PASSWORD != "wrong-passphrase"


def test_16_several_headers_of_one_name_all_arrive(store: Store, service: Listener, ada: User, api: Api) -> None:
    key = store()
    service.answer = lambda asked: Reply(more=(("Link", "<a>; rel=next"), ("Link", "<b>; rel=last"), ("Set-Cookie", "a=b")))
    answer = api(ada).post("/api/proxy", {"url": "/", "api_key_id": key.pk}).json()
    assert answer["headers"]["Link"] == "<a>; rel=next, <b>; rel=last"
    assert "Set-Cookie" not in answer["headers"]
    assert ApiKey.objects.get(pk=key.pk).last_used_at is not None
