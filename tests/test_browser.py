"""The main job as a person does it, in a real browser against a whole installation started by `manage.py up`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from cloudconsole.core import money
from cloudconsole.management import reference
from cloudconsole.simulator import process
from cloudconsole.simulator.process import SimulatorHandle
from tests import passkeys
from tests.consoles import (
    ADMIN,
    NARROW,
    PASSWORD,
    WIDE,
    Console,
    ask,
    asked,
    browser,
    installation,
    nothing_serious,
    sign_in,
    wait_until,
    window,
)
from tests.databases import Template

__all__ = ["browser"]  # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]  # one worker, and so one installation

FILLED_WITHIN_MS = 120_000


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorHandle]:
    with process.running() as running:
        yield running


@pytest.fixture
def empty_console(simulator: SimulatorHandle, database_template: Template, tmp_path: Path) -> Iterator[Console]:
    """An installation with nothing connected."""
    with installation(simulator, database_template, tmp_path, number=0) as console:
        yield console


@pytest.fixture(scope="module")
def console(
    simulator: SimulatorHandle, database_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Console]:
    """An installation with the organization's payer connected and its costs fetched, whichever test comes first."""
    with installation(simulator, database_template, tmp_path_factory.mktemp("installation"), number=1) as console:
        connect_payer(console)
        yield console


def connect_payer(console: Console) -> None:
    """Through the API, and wait until its thirteen months are there."""
    token = ask(console, "/api/auth/token", {"username": ADMIN, "password": PASSWORD})["access_token"]
    key = console.simulator.key("hub")
    secrets = {"access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    ask(console, "/api/accounts", {"alias": "management", "auth_method": "access_key", **secrets}, token)

    def is_fetched() -> bool:
        return "succeeded" in [run["status"] for run in ask(console, "/api/costs/snapshots", token=token)["results"]]

    wait_until(is_fetched, "the first costs are fetched", FILLED_WITHIN_MS / 1000)


def fill_account(page: Page, alias: str, key_id: str, secret: str) -> None:
    page.get_by_label("Alias").fill(alias)
    page.get_by_label("Environment").last.select_option("production")
    page.get_by_role("radio", name="Access key").check()
    page.get_by_label("Access key ID").fill(key_id)
    page.get_by_label("Secret access key").fill(secret)
    page.get_by_role("button", name="Prove and connect").click()


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


def test_the_explorer_is_used_by_keyboard_and_on_a_phone(browser: Browser, console: Console) -> None:
    with window(browser, console) as page:
        sign_in(page)
        page.goto("/costs?range=90d")
        page.get_by_role("tab", name="Chart").focus()
        page.keyboard.press("ArrowRight")
        days = page.get_by_role("region", name="Daily cost by service, table").get_by_role("rowheader")
        expect(days).to_have_count(90)  # it came when it was looked at, and whole
        page.get_by_role("checkbox", name="Tax").focus()
        page.keyboard.press("Space")
        expect(page).to_have_url(re.compile("charge_type=usage&charge_type=credit"))
        expect(page.get_by_role("checkbox", name="Tax")).to_be_focused()
        expect(page.get_by_role("tab", name="Table")).to_have_attribute("aria-selected", "true")
        service = page.get_by_role("link", name="Amazon Relational Database Service").last
        service.focus()
        page.evaluate("document.getElementById('explorer').dataset.old = 'yes'; htmx.trigger('#explorer', 'live')")
        expect(page.locator("#explorer[data-old]")).to_have_count(0)  # it came anew
        expect(service).to_be_focused()
        page.set_viewport_size({"width": 390, "height": 844})
        page.get_by_text("Reports", exact=False).and_(page.locator("summary")).click()
        name = page.get_by_label("Name", exact=True)
        expect(name).to_be_in_viewport(ratio=1)
        name.fill("Without tax")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("Saved as “Without tax”")).to_be_visible()


# Of the pages whose address says which thing they show, or how.
SINGLE = ("/accounts/1", "/people/1", "/costs/snapshots/1", "/costs?range=13m&granularity=monthly&group_by=account,service")
NOT_PAGES = re.compile(r"^/(?:api|admin|healthz|readyz|sign-out)|\.csv$|/export$")


def pages() -> list[str]:
    """Every address that a person may open without naming a thing, and some that name one."""
    found = {route.path for route in reference.routes() if route.method == "get" and "<" not in route.path}
    return [*sorted(path for path in found if not NOT_PAGES.search(path)), *SINGLE]


@pytest.mark.once
@pytest.mark.parametrize(("theme", "viewport"), [("light", WIDE), ("dark", NARROW)], ids=["wide-light", "narrow-dark"])
def test_every_page_is_accessible_and_fits(browser: Browser, console: Console, theme: Any, viewport: Any) -> None:
    seen = 0
    with window(browser, console, viewport=viewport, color_scheme=theme) as page:
        page.goto("/sign-in")
        nothing_serious(page)
        sign_in(page)
        for path in pages():
            page.goto(path)
            if not page.evaluate("document.documentElement.lang"):
                continue  # a part that another page loads
            seen += 1
            nothing_serious(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"
    assert seen > 40
