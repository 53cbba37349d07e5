"""The main job as a person does it, in a real browser against a whole installation started by `manage.py up`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from cloudconsole.core import money
from cloudconsole.simulator import process
from cloudconsole.simulator.process import SimulatorHandle
from tests import passkeys
from tests.services import chromium, free_port

pytestmark = pytest.mark.browser

PROJECT = Path(__file__).resolve().parent.parent
ADMIN, PASSWORD = "ada", "correct-horse-battery-staple"
FILLED_WITHIN_MS = 120_000
WIDE, NARROW = {"width": 1440, "height": 1000}, {"width": 390, "height": 844}


@dataclass(frozen=True)
class Console:
    """An installation that runs on its own, and the organization whose costs it reads."""

    url: str
    simulator: SimulatorHandle


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorHandle]:
    with process.running() as running:
        yield running


@pytest.fixture
def empty_console(simulator: SimulatorHandle, tmp_path: Path) -> Iterator[Console]:
    """An installation with nothing connected."""
    with installation(simulator, tmp_path, number=0) as console:
        yield console


@pytest.fixture(scope="module")
def console(simulator: SimulatorHandle, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """An installation with the organization's payer connected and its costs fetched, whichever test comes first."""
    with installation(simulator, tmp_path_factory.mktemp("installation"), number=1) as console:
        connect_payer(console)
        yield console


@contextmanager
def installation(simulator: SimulatorHandle, folder: Path, *, number: int) -> Iterator[Console]:
    """`manage.py up` on SQLite or, in the team run, on PostgreSQL and Redis. `number` keeps two of one process apart."""
    with own_database(number) as database:
        port = free_port()
        environment = {
            **os.environ,
            **database,
            "VAR_DIR": str(folder),
            "PORT": str(port),
            "AWS_ENDPOINT_URL": simulator.url,
            "ADMIN_USERNAME": ADMIN,
            "ADMIN_PASSWORD": PASSWORD,
        }
        command = [sys.executable, "manage.py", "up"]
        with (folder / "terminal").open("wb") as terminal:
            running = subprocess.Popen(command, cwd=PROJECT, env=environment, stdout=terminal, stderr=subprocess.STDOUT)
        try:
            wait_until(lambda: answers(port) or running.poll() is not None, "the installation answers")
            assert running.poll() is None, (folder / "terminal").read_text()
            yield Console(f"http://127.0.0.1:{port}", simulator)
        finally:
            running.send_signal(signal.SIGINT)
            assert running.wait(30) == 0


def connect_payer(console: Console) -> None:
    """Through the API, and wait until its thirteen months are there."""
    token = ask(console, "/api/auth/token", {"username": ADMIN, "password": PASSWORD})["access_token"]
    key = console.simulator.key("hub")
    secrets = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    ask(console, "/api/accounts", {"alias": "management", "auth_method": "access_key", **secrets}, token)

    def is_fetched() -> bool:
        return "succeeded" in [run["status"] for run in ask(console, "/api/costs/snapshots", token=token)["results"]]

    wait_until(is_fetched, "the first costs are fetched", FILLED_WITHIN_MS / 1000)


def ask(console: Console, path: str, body: dict[str, str] | None = None, token: str = "") -> Any:
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


@contextmanager
def own_database(number: int) -> Iterator[dict[str, str]]:
    """Environment of a database that only this installation uses."""
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        yield {"DATABASE_URL": "", "REDIS_URL": ""}
        return
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    name = f"cloudconsole_browser_{os.getpid()}_{number}"
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield {"DATABASE_URL": f"{server}/{name}", "REDIS_URL": redis_database(number)}
        finally:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


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
    own = urlsplit(console.url).netloc
    context.on("request", lambda sent: complaints.append(sent.url) if urlsplit(sent.url).netloc not in (own, "") else None)
    return complaints


def is_complaint(text: str, kind: str) -> bool:
    # A refusal that the test asked for is logged by the browser as an error too; it is asserted where it happens.
    return kind in ("error", "warning") and not text.startswith("Failed to load resource")


def sign_in(page: Page, name: str = ADMIN, password: str = PASSWORD) -> None:
    page.goto("/")
    page.get_by_label("Username or e-mail").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()


def fill_account(page: Page, alias: str, key_id: str, secret: str) -> None:
    page.get_by_label("Alias").fill(alias)
    page.get_by_label("Environment").last.select_option("production")
    page.get_by_role("radio", name="Access key").check()
    page.get_by_label("Access key ID").fill(key_id)
    page.get_by_label("Secret access key").fill(secret)
    page.get_by_role("button", name="Prove and connect").click()


def asked(page: Page, path: str) -> Any:
    """The JSON that the signed-in browser gets from the API."""
    answer = page.request.get(path, headers={"Accept": "application/json"})
    assert answer.ok, answer.text()
    return answer.json()


def test_an_admin_connects_an_account_and_sees_thirteen_months_of_its_costs(browser: Browser, empty_console: Console) -> None:
    with window(browser, empty_console) as page:
        sign_in(page)
        expect(page.get_by_text("Connect an AWS account").first).to_be_visible()
        refused_key_is_explained_and_not_stored(page, empty_console)
        key = empty_console.simulator.key("hub")
        fill_account(page, "management", key.access_key_id, key.secret_access_key)
        expect(page.get_by_role("heading", name="management", level=1)).to_be_visible()
        expect(page.locator("main").get_by_text("Connected").first).to_be_visible()
        assert key.secret_access_key not in page.content()
        snapshot_moves_by_itself(page)
        totals_are_the_ledgers(page, empty_console)
        chart_twin_shows_the_exact_months(page, empty_console)


def refused_key_is_explained_and_not_stored(page: Page, console: Console) -> None:
    page.goto("/accounts/add")
    wrong = console.simulator.key("wrong-secret")
    fill_account(page, "management", wrong.access_key_id, wrong.secret_access_key)
    trouble = page.get_by_role("alert")
    expect(trouble).to_contain_text("SignatureDoesNotMatch")
    assert wrong.secret_access_key not in page.content()
    assert asked(page, "/api/accounts")["count"] == 0


def snapshot_moves_by_itself(page: Page) -> None:
    """The progress bar of the run's page grows to its end without a reload."""
    wait_until(lambda: bool(asked(page, "/api/costs/snapshots")["results"]), "the first snapshot is planned")
    page.goto(f"/costs/snapshots/{asked(page, '/api/costs/snapshots')['results'][0]['id']}")
    page.evaluate("document.documentElement.dataset.notReloaded = 'yes'")
    page.evaluate(
        """() => {
            window.seen = [];
            const note = () => window.seen.push(document.querySelector('#snapshot progress')?.value ?? -1);
            new MutationObserver(note).observe(document.body, {childList: true, subtree: true});
        }"""
    )
    expect(page.locator("#snapshot").get_by_text("Complete").first).to_be_visible(timeout=FILLED_WITHIN_MS)
    assert page.evaluate("document.documentElement.dataset.notReloaded") == "yes"
    seen = [value for value in page.evaluate("window.seen") if value >= 0]
    assert len(set(seen)) > 3, f"the bar stood at {sorted(set(seen))} only"
    assert seen == sorted(seen)


def settled_months() -> list[date]:
    """The first days of the twelve months before this one, oldest first: AWS adds nothing to them any more, but for support."""
    first = datetime.now(UTC).date().replace(day=1)
    months = [first]
    for _ in range(12):
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return months[:0:-1]


def totals_are_the_ledgers(page: Page, console: Console) -> None:
    """Every day of twelve months, to the last digit."""
    months = settled_months()
    end = datetime.now(UTC).date().replace(day=1)
    answer = asked(page, f"/api/costs?start={months[0]}&end={end}&group_by=service,record_type")
    as_of = console.simulator.now()
    for period in answer["results"]:
        truth = console.simulator.ledger.totals(
            date.fromisoformat(period["start"]), as_of, group_by=("SERVICE", "RECORD_TYPE"), account="111111111111"
        )
        told = {tuple(group["keys"]): Decimal(group["amount"]) for group in period["groups"]}
        assert told == {keys: amounts.unblended for keys, amounts in truth.items()}
        assert Decimal(period["total"]) == money.total([*told.values(), Decimal(period["residual"])])


def chart_twin_shows_the_exact_months(page: Page, console: Console) -> None:
    page.goto("/")
    card = page.locator("section", has=page.get_by_role("heading", name="Thirteen months by service"))
    card.get_by_role("tab", name="Table").click()
    as_of = console.simulator.now()
    for month in settled_months():
        row = card.get_by_role("row", name=re.compile(f"{month:%B %Y}"))
        shown = row.locator("td.num.strong [title]").first.get_attribute("title") or ""
        assert Decimal(re.sub(r"[^0-9.]", "", shown)) == month_total(console, month, as_of)


def month_total(console: Console, month: date, as_of: datetime) -> Decimal:
    following = (month + timedelta(days=32)).replace(day=1)
    days = (month + timedelta(days=number) for number in range((following - month).days))
    return money.total(
        amounts.unblended
        for day in days
        for amounts in console.simulator.ledger.totals(day, as_of, group_by=("SERVICE",), account="111111111111").values()
    )


def test_a_viewer_looks_and_is_refused_what_changes_things(browser: Browser, console: Console) -> None:
    with window(browser, console) as page:
        sign_in(page)
        token = csrf(page)
        made = page.request.post(
            "/api/users",
            data={"username": "vera", "email": "vera@example.com", "password": "look-but-do-not-touch", "role": "viewer"},
            headers=token,
        )
        assert made.status == 201, made.text()
        granted = page.request.put(
            f"/api/users/{made.json()['id']}/grants", data=[{"account": None, "role": "viewer"}], headers=token
        )
        assert granted.ok, granted.text()
    with window(browser, console) as page:
        sign_in(page, "vera", "look-but-do-not-touch")
        expect(page.get_by_role("link", name="Refresh costs")).to_have_count(0)
        page.goto("/accounts")
        expect(page.get_by_role("link", name="management")).not_to_have_count(0)
        expect(page.get_by_role("link", name="Add an account")).to_have_count(0)
        account = asked(page, "/api/accounts")["results"][0]["id"]
        refused = page.request.post("/api/costs/snapshots", data={"account": str(account)}, headers=csrf(page))
        assert (refused.status, refused.json()["code"]) == (403, "permission_denied")
        answer = page.goto("/accounts/add")
        assert answer is not None
        assert answer.status == 403
        assert page.request.get("/admin/", max_redirects=0).status in (302, 403)


def csrf(page: Page) -> dict[str, str]:
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    return {"X-CSRFToken": token, "Referer": page.url}


def test_an_admin_invites_somebody_who_adds_a_passkey_and_signs_in_with_it(browser: Browser, console: Console) -> None:
    named = replace(console, url=console.url.replace("127.0.0.1", "localhost"))  # a passkey belongs to a name
    with window(browser, named) as page:
        sign_in(page)
        page.goto("/people/invite")
        page.get_by_label("Role").select_option("operator")
        page.get_by_role("button", name="Make the link").click()
        link = page.get_by_label("Invitation link").inner_text()
    with window(browser, named) as page:
        passkeys.plug_in_authenticator(page)
        passkeys.join_and_add_one(page, link, "grace", "a-passphrase-of-grace")
        page.context.clear_cookies()
        page.goto("/sign-in")
        page.get_by_role("button", name="Use a passkey instead").click()
        expect(page.get_by_role("heading", name="Overview", level=1)).to_be_visible()
        assert asked(page, "/api/auth/me")["username"] == "grace"


SETTINGS = ("", "/password", "/sessions", "/tokens", "/security")
PEOPLE_PAGES = ("/people", "/people/invite", "/people/1", *(f"/settings{page}" for page in SETTINGS))
COSTS = ("", "?range=13m&granularity=monthly&group_by=account,service", "/changes", "/filters", "/snapshots", "/snapshots/1")
PAGES = ("/", "/accounts", "/accounts/add", "/accounts/1", "/audit", *PEOPLE_PAGES, *(f"/costs{page}" for page in COSTS))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_is_accessible_and_fits(browser: Browser, console: Console, theme: Any, viewport: Any) -> None:
    with window(browser, console, viewport=viewport, color_scheme=theme) as page:
        page.goto("/sign-in")
        nothing_serious(page)
        sign_in(page)
        for path in PAGES:
            page.goto(path)
            nothing_serious(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"


def nothing_serious(page: Page) -> None:
    found = Axe().run(page).response["violations"]
    grave = [f"{one['id']}: {one['nodes'][0]['html']}" for one in found if one["impact"] in ("serious", "critical")]
    assert grave == [], page.url


def test_the_api_documents_read_under_the_strict_policy(browser: Browser, console: Console) -> None:
    with window(browser, console) as page:
        sign_in(page)
        page.goto("/api/docs")
        expect(page.get_by_role("heading", name=re.compile("Cloudconsole API"))).to_be_visible()
        page.goto("/api/redoc")
        expect(page.get_by_role("heading", name=re.compile("Cloudconsole API")).first).to_be_visible()
        page.goto("/api/accounts")
        expect(page.get_by_text("HTTP 200 OK")).to_be_visible()
