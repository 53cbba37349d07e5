"""A secret sent through every door of a whole installation is found nowhere afterwards."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import pickle
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
import redis
from asgiref.sync import sync_to_async
from celery import current_app
from celery.signals import before_task_publish
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, AwsCredential, User
from accounts.services import credentials
from audit.models import AuditEvent
from cloudconsole import realtime
from cloudconsole.realtime.tests.browser import Socket
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import CostSnapshot
from costs.services import runs, ticks

pytestmark = pytest.mark.django_db(transaction=True)

Api = Callable[..., APIClient]
CANARY = "canaryCANARYcanaryCANARYcanaryCANARY0123"
TOKEN = "tokenCANARYtokenCANARYtokenCANARY" * 8
PASSWORD = "canary-passphrase-of-a-person"


@pytest.fixture
def sent() -> Iterator[list[str]]:
    """What the broker was given, as it goes over the wire."""
    found: list[str] = []

    def note(sender: Any = None, body: Any = None, headers: Any = None, **rest: Any) -> None:
        found.append(repr((sender, body, headers)))

    before_task_publish.connect(note)
    yield found
    before_task_publish.disconnect(note)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Every logger there is at DEBUG, as an operator who searches for a fault might set them."""
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


def test_a_secret_sent_through_every_door_is_found_nowhere_afterwards(
    simulator: SimulatorHandle, admin: User, api: Api, logged: pytest.LogCaptureFixture, sent: list[str]
) -> None:
    good = simulator.key("development")
    temporary = simulator.key("sandbox")
    browser = Client()
    browser.force_login(admin)
    seen = [
        *_through_the_form(browser, good),
        *_through_the_api(api(admin), good, temporary),
        *_through_changes(api(admin), browser, good),
        *_through_errors(api(admin), browser, good),
        *_through_sign_in(browser, api(None)),
        *_through_the_websocket(browser),
        *_through_tasks(simulator),
        *_through_the_admin(browser, admin),
        *_everything_read(api(admin), browser),
        *_everything_stored(),
        *sent,
        logged.text,
    ]
    assert len(sent) > 0
    assert AwsCredential.objects.count() == 2
    haystack = "\n".join(seen)
    secrets = [CANARY, TOKEN, PASSWORD, good.secret_access_key, temporary.secret_access_key, str(temporary.session_token)]
    assert [secret[:6] for secret in secrets for form in _spellings(secret) if form in haystack] == []
    for account in AwsAccount.objects.filter(auth_method="access_key"):
        source: Any = credentials.access_for(account, admin).source  # they were really stored, and still work
        assert source.secret_access_key in secrets


def _spellings(secret: str) -> set[str]:
    """As it is, escaped for JSON, HTML and addresses, and in base64 at each offset."""
    escaped = {secret, json.dumps(secret)[1:-1], quote(secret), quote(secret, safe=""), secret.replace("+", "&#x2B;")}
    return escaped | {base64.b64encode(b"x" * shift + secret.encode())[4:-4].decode() for shift in range(3)}


def _through_the_form(browser: Client, good: Any) -> Iterator[str]:
    fields = {"auth_method": "access_key", "environment": "development", "access_key_id": good.access_key_id}
    for alias, secret in (("by-form", CANARY), ("!", CANARY), ("by-form", good.secret_access_key)):
        answer = browser.post("/accounts/add", {**fields, "alias": alias, "secret_access_key": secret, "session_token": ""})
        yield _whole(answer)
    yield _whole(browser.post("/accounts/add", {**fields, "alias": "again", "secret_access_key": CANARY, "session_token": TOKEN}))
    assert AwsAccount.objects.filter(alias="by-form").exists()


def _through_the_api(client: APIClient, good: Any, temporary: Any) -> Iterator[str]:
    way = {"auth_method": "access_key"}
    sandbox = {
        "access_key_id": temporary.access_key_id,
        "secret_access_key": temporary.secret_access_key,
        "session_token": temporary.session_token,
    }
    for body in (
        {"alias": "by-api", **way, **sandbox},
        {"alias": "wrong", **way, "access_key_id": good.access_key_id, "secret_access_key": CANARY},
        {"alias": "odd", **way, "access_key_id": CANARY, "secret_access_key": TOKEN},
        {"alias": CANARY, **way, **sandbox},
        {"alias": "ambient", "auth_method": "ambient", **sandbox, "secret_access_key": CANARY},
        {"alias": "token", **way, **sandbox, "session_token": TOKEN},
    ):
        yield _whole(client.post("/api/accounts", body, headers={"Idempotency-Key": f"key-of-{body['alias'][:8]}-0123"}))
    stored = AwsAccount.objects.get(alias="by-api")
    yield _whole(client.patch(f"/api/accounts/{stored.pk}", {**way, **sandbox, "secret_access_key": CANARY}))
    yield _whole(client.post(f"/api/accounts/{stored.pk}/verify"))


def _through_changes(client: APIClient, browser: Client, good: Any) -> Iterator[str]:
    """Credentials replaced by the form, and the import of an organization's accounts."""
    stored = AwsAccount.objects.get(alias="by-form")
    key = {"auth_method": "access_key", "access_key_id": good.access_key_id, "session_token": ""}
    for secret in (CANARY, good.secret_access_key):
        yield _whole(browser.post(f"/accounts/{stored.pk}/credentials", {**key, "secret_access_key": secret}))
    yield _whole(client.post(f"/api/accounts/{stored.pk}/discover"))
    wish = {"accounts": ["422222222222"], "role_name": "CloudconsoleReadOnly", "secret_access_key": CANARY}
    yield _whole(client.post(f"/api/accounts/{stored.pk}/import", wish))
    yield _whole(browser.get(f"/accounts/{stored.pk}/organization"))


def _through_errors(client: APIClient, browser: Client, good: Any) -> Iterator[str]:
    """What cannot be read, what is too large, what does not exist, and what breaks."""
    for body, kind in ((f'{{"secret_access_key": "{CANARY}"', "application/json"), (CANARY, "text/plain")):
        yield _whole(client.generic("POST", "/api/accounts", body, content_type=kind))
    upload = SimpleUploadedFile("keys.csv", f"{CANARY},{TOKEN}".encode(), "text/csv")
    yield _whole(client.post("/api/accounts", {"alias": "file", "secret_access_key": upload}, format="multipart"))
    yield _whole(client.post("/api/accounts", [CANARY, {"secret_access_key": CANARY}]))
    yield _whole(browser.post("/nowhere", {"secret_access_key": CANARY}))
    yield _whole(client.post("/api/auth/token/refresh", {"refresh_token": CANARY}))
    yield _whole(APIClient().get("/api/accounts", headers={"Authorization": f"Bearer {CANARY}"}))


def _through_sign_in(browser: Client, client: APIClient) -> Iterator[str]:
    stranger = Client()
    for login, password in ((PASSWORD, PASSWORD), ("admin", CANARY), (CANARY, CANARY)):
        # The page gives back what was typed as the name, to whoever typed it: that is no store, so it is not looked at.
        stranger.post("/sign-in", {"login": login, "password": password})
        yield _whole(client.post("/api/auth/login", {"username": login, "password": password}))
    yield _whole(client.post("/api/auth/signup", {"username": "eve", "email": "e@example.com", "password": PASSWORD}))


def _through_the_websocket(browser: Client) -> Iterator[str]:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    headers = [(b"origin", b"http://localhost"), (b"host", b"localhost"), (b"cookie", cookies.encode())]
    account = AwsAccount.objects.get(alias="by-form")

    async def story() -> list[str]:
        socket = Socket("/ws/live", headers)
        assert await socket.connect()
        await socket.say(json.dumps({"secret_access_key": CANARY}))
        await sync_to_async(realtime.publish)("account", account.pk, account.pk)
        heard = await socket.output_queue.get() if not socket.future.done() else {}
        await socket.leave()
        return [repr(heard)]

    yield from asyncio.run(story())


def _through_tasks(simulator: SimulatorHandle) -> Iterator[str]:
    """Costs fetched by the worker's code with stored keys, well and with AWS refusing."""
    ticks.tick()
    simulator.add_faults(Fault(service="ce", fault=FaultKind.DENIED, times=1))
    for snapshot in CostSnapshot.objects.order_by("pk")[:1]:
        runs.run(snapshot_id=snapshot.pk)
    current_app.send_task("costs.tick", retry=False)
    yield repr(list(CostSnapshot.objects.values()))


def _through_the_admin(browser: Client, admin: User) -> Iterator[str]:
    yield _whole(browser.post("/admin/accounts/user/add/", {"username": "ada", "password1": PASSWORD, "password2": PASSWORD}))
    yield _whole(browser.post(f"/admin/accounts/user/{admin.pk}/password/", {"password1": PASSWORD, "password2": CANARY}))
    account = AwsAccount.objects.get(alias="by-form")
    yield _whole(browser.post(f"/admin/accounts/awsaccount/{account.pk}/change/", {"alias": "", "secret_access_key": CANARY}))


def _everything_read(client: APIClient, browser: Client) -> Iterator[str]:
    for account in AwsAccount.objects.all():
        yield _whole(client.get(f"/api/accounts/{account.pk}"))
        yield _whole(browser.get(f"/accounts/{account.pk}"))
        yield _whole(browser.get(f"/admin/accounts/awsaccount/{account.pk}/change/"))
    for address in ("/api/accounts", "/api/audit", "/api/audit/export", "/api/schema", "/api/users", "/api/dashboard"):
        yield _whole(client.get(address))
    for address in ("/", "/accounts", "/audit", "/costs/snapshots", "/admin/", "/admin/audit/auditevent/", "/api/docs"):
        yield _whole(browser.get(address))
    yield json.dumps(list(AuditEvent.objects.values("subject", "target", "detail")))


def _everything_stored() -> Iterator[str]:
    """The database as a dump shows it, the sessions opened, and the cache."""
    out = io.StringIO()
    call_command("dumpdata", stdout=out)
    yield out.getvalue()
    with connection.cursor() as cursor:
        for table in (model._meta.db_table for model in apps.get_models(include_auto_created=True)):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the names of our own tables
            for row in cursor.fetchall():
                yield " ".join(_text(value) for value in row)
    yield from (repr(session.get_decoded()) for session in Session.objects.all())
    if settings.REDIS_URL:  # cache, channel layer and broker in one
        with redis.Redis.from_url(settings.REDIS_URL) as server:
            yield from (_text(name) + _text(server.dump(name) or b"") for name in server.scan_iter())
    else:  # the tests' cache in memory holds pickles
        yield from (repr(pickle.loads(value)) for value in cache._cache.values())  # type: ignore[attr-defined]  # noqa: S301 - our own


def _text(value: Any) -> str:
    return bytes(value).decode(errors="replace") if isinstance(value, (bytes, memoryview)) else str(value)


def _whole(answer: Any) -> str:
    """Status line, headers and body of an answer."""
    body = b"".join(answer.streaming_content) if answer.streaming else answer.content
    return f"{answer.status_code} {dict(answer.items())} {answer.cookies} {body.decode(errors='replace')}"
