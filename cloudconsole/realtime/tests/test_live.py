"""The websocket, from the browser's side. Changes travel through the real socket between processes."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.test import Client
from pytest_django import Settings

from accounts.services import people, sessions
from cloudconsole import realtime
from cloudconsole.core.permissions import Role
from cloudconsole.realtime import bridge
from cloudconsole.realtime.tests.browser import Socket

pytestmark = pytest.mark.django_db(transaction=True)

ORIGIN = (b"origin", b"http://localhost")


@pytest.fixture(autouse=True)
def own_audience(settings: Settings, tmp_path: Path) -> None:
    settings.REALTIME_AUDIENCE = "cloudconsole.realtime.tests.audiences.by_role"
    settings.VAR_DIR = tmp_path
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}


def sign_in(username: str, role: str) -> tuple[Any, Client]:
    person = get_user_model().objects.create_user(username, role=Role(role))
    browser = Client()
    browser.force_login(person)
    return person, browser


def socket_of(browser: Client, *, path: str = "/ws/live", origin: tuple[bytes, bytes] = ORIGIN) -> Socket:
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    return Socket(path, [origin, (b"host", b"localhost"), (b"cookie", cookies.encode())])


@asynccontextmanager
async def connected(browser: Client) -> AsyncIterator[Socket]:
    socket = socket_of(browser)
    assert await socket.connect()
    try:
        yield socket
    finally:
        await socket.leave()


def in_a_loop(story: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(story())  # type: ignore[arg-type]


publish = sync_to_async(realtime.publish)


def test_a_reader_hears_of_the_accounts_they_may_see_and_of_no_other() -> None:
    _, browser = sign_in("alice", "viewer")

    async def story() -> None:
        async with connected(browser) as socket:
            await publish("snapshot", 1, account=8)
            await publish("audit", 2)
            await publish("snapshot", 3, account=7)
            assert await socket.hear() == {"type": "snapshot", "id": 3, "account": 7}

    in_a_loop(story)


def test_an_admin_hears_everything_once() -> None:
    _, browser = sign_in("root", "admin")

    async def story() -> None:
        async with connected(browser) as socket:
            await publish("audit", 2)
            await publish("account", 7, account=7)
            await publish("audit", 3)
            assert await socket.hear() == {"type": "audit", "id": 2, "account": None}
            assert await socket.hear() == {"type": "account", "id": 7, "account": 7}
            assert await socket.hear() == {"type": "audit", "id": 3, "account": None}

    in_a_loop(story)


def test_a_change_in_another_process_is_heard(settings: Settings) -> None:
    _, browser = sign_in("alice", "viewer")
    code = (
        "import django; django.setup();"
        "from cloudconsole.realtime.bridge import send; from cloudconsole.realtime.messages import Change;"
        "send(Change('snapshot', 5, 7))"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "cloudconsole.settings", "VAR_DIR": str(settings.VAR_DIR)}

    async def story() -> None:
        async with connected(browser) as socket:
            await asyncio.to_thread(subprocess.run, [sys.executable, "-c", code], check=True, env=environment)
            assert await socket.hear() == {"type": "snapshot", "id": 5, "account": 7}

    in_a_loop(story)


@pytest.mark.parametrize("end", ["deactivated", "signed_out", "password_changed"])
def test_whoever_may_no_longer_come_in_hears_nothing_more(end: str) -> None:
    person, browser = sign_in("alice", "viewer")

    def turn_out() -> None:
        if end == "signed_out":
            browser.logout()
        elif end == "deactivated":
            get_user_model().objects.filter(pk=person.pk).update(is_active=False)
        else:
            person.set_password("another one entirely")
            person.save()

    async def story() -> None:
        socket = socket_of(browser)
        assert await socket.connect()
        await sync_to_async(turn_out)()
        await publish("snapshot", 3, account=7)
        assert await socket.closed_with() == 4401

    in_a_loop(story)


def deactivated(person: Any, browser: Client) -> None:
    people.deactivate(user=person, by=None)


def signed_out_everywhere(person: Any, browser: Client) -> None:
    people.end_sessions(user=person)


def given_a_new_password(person: Any, browser: Client) -> None:
    people.set_password(user=person, password="another one entirely", by=None)


def signed_out(person: Any, browser: Client) -> None:
    browser.post("/sign-out")


def session_ended_elsewhere(person: Any, browser: Client) -> None:
    session = UserSession.objects.create(
        user=person, session_key=browser.session.session_key, ip="127.0.0.1", user_agent="", data={}
    )
    sessions.end(session=session, by=person)


@pytest.mark.parametrize("end", [deactivated, signed_out_everywhere, given_a_new_password, signed_out, session_ended_elsewhere])
def test_whoever_is_turned_out_is_disconnected_at_once_without_any_news(end: Callable[[Any, Client], None]) -> None:
    person, browser = sign_in("alice", "viewer")
    _, bystander = sign_in("bob", "viewer")

    async def story() -> None:
        async with connected(bystander) as other:
            socket = socket_of(browser)
            assert await socket.connect()
            await sync_to_async(end)(person, browser)
            assert await socket.closed_with() == 4401
            assert await other.hears_nothing()

    in_a_loop(story)


def test_who_may_stay_hears_nothing_of_being_asked_anew() -> None:
    person, browser = sign_in("alice", "viewer")

    async def story() -> None:
        async with connected(browser) as socket:
            await sync_to_async(realtime.recheck)(person.pk)
            await publish("snapshot", 3, account=7)
            assert await socket.hear() == {"type": "snapshot", "id": 3, "account": 7}

    in_a_loop(story)


@pytest.mark.parametrize(
    ("path", "origin", "signed_in"),
    [
        ("/ws/live", ORIGIN, False),
        ("/ws/live", (b"origin", b"https://evil.example"), True),
        ("/ws/elsewhere", ORIGIN, True),
    ],
)
def test_strangers_other_sites_and_other_addresses_are_refused(path: str, origin: tuple[bytes, bytes], signed_in: bool) -> None:
    browser = sign_in("alice", "viewer")[1] if signed_in else Client()

    async def story() -> None:
        socket = socket_of(browser, path=path, origin=origin)
        assert not await socket.connect()

    in_a_loop(story)


def test_a_session_key_that_no_database_could_hold_is_refused_like_any_other() -> None:
    async def story() -> None:
        nul = rb'sessionid="\000\000\000\000\000\000\000\000"'
        assert not await Socket("/ws/live", [ORIGIN, (b"host", b"localhost"), (b"cookie", nul)]).connect()

    in_a_loop(story)


def test_the_line_answers_a_sign_of_life_and_takes_nothing_else() -> None:
    _, browser = sign_in("alice", "viewer")

    async def story() -> None:
        socket = socket_of(browser)
        await socket.connect()
        await socket.say("{}")
        assert await socket.hear() == {}
        await socket.say("a long story")
        assert await socket.closed_with() == 4413

    in_a_loop(story)


def test_where_nobody_listens_nothing_happens_and_dead_sockets_are_swept() -> None:
    dead = bridge.folder() / "1-dead.sock"
    dead.touch()
    realtime.publish("snapshot", 1, account=7)

    assert not dead.exists()


def test_the_socket_goes_with_the_last_browser() -> None:
    _, browser = sign_in("alice", "viewer")

    async def story() -> None:
        async with connected(browser):
            async with connected(browser):
                assert len(list(bridge.folder().iterdir())) == 1
            assert len(list(bridge.folder().iterdir())) == 1

    in_a_loop(story)
    assert not list(bridge.folder().iterdir())
