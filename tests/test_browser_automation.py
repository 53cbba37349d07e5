"""Schedules and scaling rules as a person meets them: drawn in a browser, and then the clock is moved until they act."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from cloudconsole.simulator import process
from tests.consoles import (
    ADMIN,
    NARROW,
    PASSWORD,
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

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-automation")]  # one worker, and so one installation

REGION = "eu-central-1"
ACTS_WITHIN_MS = 180_000  # a ring of the scheduler, a worker, and a machine that is busy


@dataclass
class Clock:
    """The clock of the installation and of the simulated AWS, which goes on from wherever it is moved to."""

    path: Path
    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move_to(self, moment: datetime, console: Console) -> None:
        self.ahead = moment - datetime.now(UTC)
        written = self.path.with_suffix(".new")
        written.write_text(str(self.ahead.total_seconds()))
        written.replace(self.path)
        wait_until(lambda: told_by(console) >= moment - timedelta(seconds=2), "the clocks are moved")


def told_by(console: Console) -> datetime:
    """The moment that the installation's answers carry."""
    connection = HTTPConnection(urlsplit(console.url).netloc, timeout=10)
    try:
        connection.request("GET", "/healthz")
        return parsedate_to_datetime(connection.getresponse().headers["Date"])
    finally:
        connection.close()


@pytest.fixture(scope="module")
def clock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clock]:
    """While it is used, processes that are started follow it."""
    made = Clock(tmp_path_factory.mktemp("clock") / "ahead")
    made.path.write_text("0")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MOVED_CLOCK", str(made.path))
        patch.setenv("PYTHONPATH", str(Path(__file__).parent / "moved_clock"))
        yield made


@pytest.fixture(scope="module")
def console(clock: Clock, database_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """An installation with one account in which instances may be started and stopped."""
    folder = tmp_path_factory.mktemp("automation")
    with process.running() as simulator, installation(simulator, database_template, folder, number=3) as started:
        connect(started)
        yield started


def connect(console: Console) -> None:
    key = console.simulator.key("development")
    wish: dict[str, Any] = {
        "alias": "development",
        "auth_method": "access_key",
        "access_key_id": key.access_key_id,
        "secret_access_key": key.secret_access_key,
        "environment": "development",
        "capabilities": ["identity", "ec2.read", "ec2.operate"],
    }
    token = ask(console, "/api/auth/token", {"username": ADMIN, "password": PASSWORD})["access_token"]
    ask(console, "/api/accounts", wish, token)
    run = ask(console, "/api/inventory/syncs", {"accounts": ["development"]}, token)["id"]

    def is_read() -> bool:
        return ask(console, f"/api/inventory/syncs/{run}", token=token)["status"] in ("succeeded", "partial")

    wait_until(is_read, "the inventory is read", 120)


def named(page: Page, name: str) -> Any:
    return next(one for one in asked(page, "/api/ec2/instances")["results"] if one["name"] == name)


def changes(console: Console, instance: Any) -> list[str]:
    """What became of the instance: each operation that ended well, by its action."""
    token = ask(console, "/api/auth/token", {"username": ADMIN, "password": PASSWORD})["access_token"]
    done = ask(console, f"/api/operations?target={instance['id']}", token=token)["results"]
    return [one["action"] for one in done if one["status"] == "succeeded" and one["by_automation"]]


def test_a_schedule_is_drawn_and_the_clock_moved_until_an_instance_stops(
    browser: Browser, console: Console, clock: Clock
) -> None:
    tomorrow = (clock.now() + timedelta(days=1)).date()
    with window(browser, console) as page:
        sign_in(page)
        instance = named(page, "ada-workstation")
        assert instance["state"] == "running"
        draw_schedule(page, instance)
        day = page.get_by_role("row").filter(
            has=page.get_by_role("rowheader", name=f"{tomorrow:%a} {tomorrow.day} {tomorrow:%b}")
        )
        expect(day).to_contain_text("08:00 to 18:00")
        expect(page.get_by_role("link", name="ada-workstation")).to_be_visible()
        nothing_serious(page)
        page.get_by_role("button", name="Arm it").click()
        expect(page.get_by_text("Armed. It acts with your rights from now on.")).to_be_visible()
    clock.move_to(datetime(tomorrow.year, tomorrow.month, tomorrow.day, 17, 59, 50, tzinfo=UTC), console)
    with window(browser, console) as page:
        sign_in(page)
        page.goto(f"/ec2/{instance['account']}/{instance['region']}/{instance['id']}")
        expect(page.locator("#instance .state-line .pill")).to_contain_text("stopped", timeout=ACTS_WITHIN_MS)
        page.goto("/automation/decisions")
        row = page.get_by_role("row", name="ada-workstation")
        expect(row.first).to_contain_text("Asked for")
        expect(row.first).to_contain_text("Succeeded")
        page.goto("/operations")
        expect(page.get_by_role("row", name="ada-workstation").first).to_contain_text("automation for ada")
    assert changes(console, instance) == ["ec2.stop"]


def draw_schedule(page: Page, instance: Any) -> None:
    page.goto("/automation")
    page.get_by_role("link", name="Make a schedule").first.click()
    page.get_by_label("Name").fill("Office hours")
    page.get_by_label("Time zone").fill("UTC")
    for name in ("Sat", "Sun"):
        page.get_by_label(name, exact=True).check()
    page.get_by_label("Start at").fill("08:00")
    page.get_by_label("Stop at").fill("18:00")
    page.get_by_label("Instance ids").fill(instance["id"])
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Office hours", level=1)).to_be_visible()


def test_cpu_above_the_threshold_starts_the_spare_one_exactly_once(browser: Browser, console: Console, clock: Clock) -> None:
    with window(browser, console) as page:
        sign_in(page)
        watched, spare = named(page, "build-1"), named(page, "build-2")
        assert (watched["state"], spare["state"]) == ("running", "stopped")
        draw_rule(page, watched, spare)
        page.get_by_role("button", name="Arm it").click()
        expect(page.get_by_text("Armed. It acts with your rights from now on.")).to_be_visible()
        busy(console, watched, 95, clock.now())
        clock.move_to(clock.now() + timedelta(minutes=5), console)
        expect(page.locator("#scaling-rule").get_by_text("2 of 2 points above 70").first).to_be_visible(timeout=ACTS_WITHIN_MS)
        wait_until(lambda: named(page, "build-2")["state"] == "running", "the spare one runs", ACTS_WITHIN_MS / 1000)
    for minutes in (2, 3, 4):
        clock.move_to(clock.now() + timedelta(minutes=minutes), console)
        time.sleep(1)  # the scheduler rings in its own time; what matters is that nothing happens however often
    with window(browser, console, viewport=NARROW) as page:
        sign_in(page)
        page.goto("/automation/scaling")
        page.get_by_role("link", name="Spare build machine").click()
        expect(page.get_by_text("nothing to start").first).to_be_visible(timeout=ACTS_WITHIN_MS)
        expect(page.get_by_role("img", name="CPU of build-1")).to_be_visible()
        nothing_serious(page)
    assert changes(console, spare) == ["ec2.start"]
    starts = [call for call in console.simulator.calls() if call.operation == "StartInstances"]
    assert [call.error for call in starts if call.error != "DryRunOperation"] == [""]  # a dry run proves the permission


def busy(console: Console, instance: Any, percent: float, since: datetime) -> None:
    account = console.simulator.key("development").account_id
    dimensions = {"InstanceId": instance["id"]}
    console.simulator.put_metric(account, REGION, ("AWS/EC2", "CPUUtilization"), dimensions, value=percent, since=since)


def draw_rule(page: Page, watched: Any, spare: Any) -> None:
    page.goto("/automation/scaling")
    page.get_by_role("link", name="Make a scaling rule").first.click()
    page.get_by_label("Name").fill("Spare build machine")
    page.get_by_label("Region").fill(REGION)
    page.get_by_label("Which one").fill(watched["id"])
    page.get_by_label("A point every").select_option("60")
    page.get_by_label("Points beyond a threshold").fill("2")
    page.get_by_label("Of the last").fill("2")
    page.get_by_label("Rest after acting").fill("0")
    page.get_by_label("Instance ids").fill(spare["id"])
    page.get_by_role("button", name="Try it on the last 24 hours").click()
    expect(page.get_by_role("heading", name="The last 24 hours")).to_be_visible()
    nothing_serious(page)
    page.get_by_role("button", name="Make it").click()
    expect(page.get_by_role("heading", name="Spare build machine", level=1)).to_be_visible()
