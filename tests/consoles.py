"""A whole installation started by `manage.py up`, and a browser to look at it with: what the tests in a browser share."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect, sync_playwright

from cloudconsole.simulator.process import SimulatorHandle
from tests.databases import Template
from tests.services import chromium, free_port

PROJECT = Path(__file__).resolve().parent.parent
ADMIN, PASSWORD = "ada", "correct-horse-battery-staple"
WITHIN_MS = 90_000  # five seconds are not enough for ReDoc on a loaded machine, nor thirty for a chain of processes
expect.set_options(timeout=WITHIN_MS)
WIDE, NARROW = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Console:
    """An installation that runs on its own, and the organization whose costs it reads."""

    url: str
    simulator: SimulatorHandle


@contextmanager
def installation(
    simulator: SimulatorHandle, template: Template, folder: Path, *, number: int, **settings_of_its_own: str
) -> Iterator[Console]:
    """`manage.py up` on SQLite or, in the team run, on PostgreSQL and Redis. `number` keeps two of one process apart."""
    with template.copied(f"browser_{number}", folder) as url:
        database = {"DATABASE_URL": url, "REDIS_URL": redis_database(number) if settings.REDIS_URL else ""}
        port = free_port()
        environment = {
            **os.environ,
            **database,
            "VAR_DIR": str(folder),
            "PORT": str(port),
            "AWS_ENDPOINT_URL": simulator.url,
            "ADMIN_USERNAME": ADMIN,
            "ADMIN_PASSWORD": PASSWORD,
            **settings_of_its_own,
        }
        command = [sys.executable, "manage.py", "up"]
        with (folder / "terminal").open("wb") as terminal:
            running = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=terminal, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: answers(port) or running.poll() is not None, "the installation answers", 180)
            assert running.poll() is None, (folder / "terminal").read_text()
            yield Console(f"http://127.0.0.1:{port}", simulator)
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(30) == 0


def ask(console: Console, path: str, body: dict[str, Any] | None = None, token: str = "") -> Any:
    """The JSON that a program gets from the API."""
    connection = HTTPConnection(urlsplit(console.url).netloc, timeout=30)
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    try:
        connection.request("POST" if body else "GET", path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        assert answer.status < 400, answer.read()
        return json.load(answer)
    finally:
        connection.close()


def redis_database(number: int) -> str:
    """Of the sixteen, the tests' own are counted from the first on, so those of the installations are from the last."""
    server, _, worker = settings.REDIS_URL.rpartition("/")
    return f"{server}/{15 - 2 * int(worker) - number}"


def answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_until(holds: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)  # polls a process outside; nothing is assumed about how long it takes


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(chromium()), args=options)
        yield launched
        launched.close()


@contextmanager
def window(browser: Browser, console: Console, **options: Any) -> Iterator[Page]:
    """A fresh browser window that fails the test on any script error, policy violation or request to elsewhere."""
    context = browser.new_context(base_url=console.url, viewport=options.pop("viewport", WIDE), **options)
    context.set_default_timeout(WITHIN_MS)
    page = context.new_page()
    complaints = watch(context, page, console)
    yield page
    assert [complaint for complaint in complaints if STOPPED_LOGO not in complaint] == []
    context.close()


# ReDoc's own footer asks for its maker's logo; the policy stops that before anything is sent.
STOPPED_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg"


def watch(context: BrowserContext, page: Page, console: Console) -> list[str]:
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if is_complaint(message.text, message.type) else None)
    context.on("request", lambda sent: None if is_to_own(sent, console) else complaints.append(sent.url))
    return complaints


def is_to_own(sent: Request, console: Console) -> bool:
    """Whether a request stays within the installation; a download that a person asks for comes from AWS itself."""
    place = urlsplit(sent.url).netloc
    is_download = sent.is_navigation_request() and place == urlsplit(console.simulator.url).netloc
    return is_download or place in (urlsplit(console.url).netloc, "")


def is_complaint(text: str, kind: str) -> bool:
    # A refusal that the test asked for is logged by the browser as an error too; it is asserted where it happens.
    return kind in ("error", "warning") and not text.startswith("Failed to load resource")


def sign_in(page: Page, name: str = ADMIN, password: str = PASSWORD) -> None:
    page.goto("/")
    page.get_by_label("Username or e-mail").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


def asked(page: Page, path: str) -> Any:
    """The JSON that the signed-in browser gets from the API."""
    answer = page.request.get(path, headers={"Accept": "application/json"})
    assert answer.ok, answer.text()
    return answer.json()


def nothing_serious(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    grave = [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]
    assert grave == [], page.url
