"""What runs, and doing something about it, as a person does it: in a real browser against a whole installation."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, Page, expect

from cloudconsole.aws.policy import CAPABILITIES
from cloudconsole.simulator import process
from cloudconsole.simulator.process import SimulatorHandle
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

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-compute")]  # one worker, and so one installation

REGION = "eu-central-1"
MOVES_WITHIN_MS = 180_000  # on a machine whose cores are all busy
HELLO = "def handler(event, context):\n    print('greeting', event['name'])\n    return {'hello': event['name']}\n"
BROKEN = "def handler(event, context):\n    raise ValueError('no greeting today')\n"


@pytest.fixture(scope="module")
def simulator() -> Iterator[SimulatorHandle]:
    with process.running() as running:
        yield running


@pytest.fixture(scope="module")
def console(
    simulator: SimulatorHandle, database_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Console]:
    """An installation with one account of a development environment, in which everything is switched on."""
    with installation(simulator, database_template, tmp_path_factory.mktemp("compute"), number=2) as started:
        connect(started)
        yield started


def connect(console: Console) -> None:
    token = ask(console, "/api/auth/token", {"username": ADMIN, "password": PASSWORD})["access_token"]
    key = console.simulator.key("development")
    wish: dict[str, Any] = {
        "alias": "development",
        "auth_method": "access_key",
        "access_key_id": key.access_key_id,
        "secret_access_key": key.secret_access_key,
        "environment": "development",
        "capabilities": [name for name in CAPABILITIES if name != "key_rotation"],
    }
    ask(console, "/api/accounts", wish, token)
    run = ask(console, "/api/inventory/syncs", {"accounts": ["development"]}, token)["id"]

    def is_read() -> bool:
        return ask(console, f"/api/inventory/syncs/{run}", token=token)["status"] in ("succeeded", "partial")

    wait_until(is_read, "the inventory is read", 120)


def test_an_instance_is_stopped_started_and_terminated_and_seen_moving(browser: Browser, console: Console) -> None:
    with passing_states_kept(console), window(browser, console) as page:
        sign_in(page)
        instance = one_that_runs(page)
        act(page, instance, "Stop")
        watch_it_become(page, console, instance, ["stopping", "stopped"])
        act(page, instance, "Start")
        watch_it_become(page, console, instance, ["pending", "running"])
        act(page, instance, "Terminate", confirm=instance["id"])
        watch_it_become(page, console, instance, ["shutting-down", "terminated"])
        done = asked(page, f"/api/operations?target={instance['id']}")["results"]
        assert [(one["action"], one["status"]) for one in done if not one["dry_run"]] == [
            ("ec2.terminate", "succeeded"),
            ("ec2.start", "succeeded"),
            ("ec2.stop", "succeeded"),
        ]


@contextmanager
def passing_states_kept(console: Console) -> Iterator[None]:
    """Each lasts until it has been seen, however busy this machine is."""
    console.simulator.ec2.set_pace(transition_s=3600)
    try:
        yield
    finally:
        console.simulator.ec2.set_pace()


def one_that_runs(page: Page) -> Any:
    """An instance that nothing protects."""
    for instance in asked(page, "/api/ec2/instances?state=running")["results"]:
        probe = page.request.delete(f"/api/ec2/terminate/{instance['id']}?dry_run=true", headers=token_of(page))
        if probe.status == 202:
            return instance
    raise AssertionError("every instance is protected")


def token_of(page: Page) -> dict[str, str]:
    page.goto("/")
    token = page.locator("[name=csrfmiddlewaretoken]").first.get_attribute("value") or ""
    return {"X-CSRFToken": token, "Referer": page.url}


def act(page: Page, instance: Any, verb: str, confirm: str = "") -> None:
    page.goto(f"/ec2/{instance['account']}/{instance['region']}/{instance['id']}")
    page.get_by_role("button", name=verb).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(f"^{verb} "))  # or the next click meets the old page
    if confirm:
        page.get_by_label(re.compile("to confirm")).fill(confirm)
    page.get_by_role("button", name=verb).first.click()
    page.wait_for_url(f"**/{instance['id']}*", timeout=MOVES_WITHIN_MS)


def watch_it_become(page: Page, console: Console, instance: Any, states: list[str]) -> None:
    """The page shows one state after the other without being loaded again; the last comes when the one before was seen."""
    page.evaluate("document.documentElement.dataset.notReloaded = 'yes'")
    state = page.locator("#instance .state-line .pill")
    passing, last = states
    expect(state).to_contain_text(passing, timeout=MOVES_WITHIN_MS)
    number = console.simulator.key("development").account_id
    console.simulator.ec2.change(number, instance["region"], instance["id"], to=last)
    expect(state).to_contain_text(last, timeout=MOVES_WITHIN_MS)
    assert page.evaluate("document.documentElement.dataset.notReloaded") == "yes"


def test_a_file_goes_up_and_comes_down_byte_by_byte(browser: Browser, console: Console, tmp_path: Path) -> None:
    with window(browser, console, accept_downloads=True) as page:
        sign_in(page)
        create_bucket(page, "november-of-ada")
        page.get_by_role("link", name="Objects", exact=True).click()
        large = tmp_path / "large.bin"
        large.write_bytes(os.urandom(1024) * (20 * 1024))
        upload(page, large)
        upload(page, {"name": "ümlaut & <b>.txt", "mimeType": "text/plain", "buffer": b"hello"})
        same_bytes(page, "large.bin", large.read_bytes())
        same_bytes(page, "ümlaut & <b>.txt", b"hello")
        nothing_is_overwritten_unasked(page)
        what_is_chosen_is_deleted(page)


def create_bucket(page: Page, name: str) -> None:
    page.goto("/s3")
    page.get_by_role("link", name="Create bucket").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Region").fill(REGION)
    page.get_by_role("button", name="Create bucket").click()
    expect(page.get_by_role("heading", name=name, level=1)).to_be_visible()


def upload(page: Page, file: Path | FilePayload) -> None:
    """By the file input; its transfer ends as stored, and the list shows it by itself."""
    page.set_input_files("#upload-files", file)
    name = file.name if isinstance(file, Path) else file["name"]
    expect(transfer_of(page, name).last).to_contain_text("Stored", timeout=MOVES_WITHIN_MS)
    expect(page.get_by_role("link", name=f"Download {name}")).to_be_visible()


def transfer_of(page: Page, name: str) -> Locator:
    return page.locator(".transfer", has=page.get_by_text(name, exact=True))


def same_bytes(page: Page, name: str, expected: bytes) -> None:
    with page.expect_download() as download:
        page.get_by_role("link", name=f"Download {name}").click()
    assert download.value.suggested_filename.startswith(name[:6])
    assert Path(download.value.path()).read_bytes() == expected


def nothing_is_overwritten_unasked(page: Page) -> None:
    again: FilePayload = {"name": "large.bin", "mimeType": "text/plain", "buffer": b"small"}
    page.set_input_files("#upload-files", again)
    refused = page.locator(".transfer.failed")
    expect(refused).to_contain_text("already")
    refused.get_by_role("button", name="Replace it").click()
    expect(page.locator(".transfer.failed")).to_have_count(0)
    same_bytes_soon(page, "large.bin", "5 bytes")


def same_bytes_soon(page: Page, name: str, size: str) -> None:
    expect(page.get_by_role("row", name=re.compile(re.escape(name)))).to_contain_text(size.replace(" ", "\u00a0"))


def what_is_chosen_is_deleted(page: Page) -> None:
    page.get_by_label("Select large.bin").check()
    page.get_by_role("button", name="Delete…").click()
    page.get_by_role("button", name="Delete 1 object").click()
    expect(page.locator("main").get_by_text("Succeeded").first).to_be_visible(timeout=MOVES_WITHIN_MS)
    page.get_by_role("link", name="november-of-ada", exact=True).click()
    page.get_by_role("link", name="Objects", exact=True).click()
    expect(page.get_by_label("Select ümlaut & <b>.txt")).to_be_visible()
    expect(page.get_by_label("Select large.bin")).to_have_count(0)


def test_a_function_is_deployed_invoked_seen_failing_and_rolled_back(browser: Browser, console: Console) -> None:
    with window(browser, console) as page:
        sign_in(page)
        create_function(page, console)
        expect(invoked(page, '{"name": "Ada"}')).to_contain_text('"hello": "Ada"')
        expect(page.locator("#answer")).to_contain_text("greeting Ada")
        page.get_by_role("link", name="Deploy", exact=True).click()
        page.set_input_files("#id_zip", package(BROKEN))
        page.get_by_role("button", name="Deploy").click()
        page.wait_for_url("**/versions*", timeout=MOVES_WITHIN_MS)
        answer = invoked(page, '{"name": "Ada"}')
        expect(answer).to_contain_text("The function failed")
        expect(answer).to_contain_text("no greeting today")
        roll_back(page)
        expect(invoked(page, '{"name": "Grace"}')).to_contain_text('"hello": "Grace"')


def create_function(page: Page, console: Console) -> None:
    page.goto("/lambda")
    page.get_by_role("link", name="Create function").click()
    page.get_by_label("Region").fill(REGION)
    page.get_by_label("Name").fill("greeter")
    page.set_input_files("#id_zip", package(HELLO))
    page.get_by_label("Runtime").fill("python3.12")
    page.get_by_role("textbox", name="Handler").fill("main.handler")
    number = console.simulator.key("development").account_id
    page.get_by_label("Role ARN").fill(f"arn:aws:iam::{number}:role/lambda-basic")
    page.get_by_role("button", name="Create function").click()
    page.wait_for_url("**/greeter/versions*", timeout=MOVES_WITHIN_MS)


def package(code: str) -> FilePayload:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("main.py", code)
    return {"name": "code.zip", "mimeType": "application/zip", "buffer": stream.getvalue()}


def invoked(page: Page, payload: str) -> Locator:
    page.get_by_role("link", name="Invoke", exact=True).click()
    page.get_by_label("Payload").fill(payload)
    page.get_by_role("button", name="Invoke").click()
    answer = page.locator("#answer")
    expect(answer).to_contain_text("End of its log", timeout=MOVES_WITHIN_MS)
    return answer


def roll_back(page: Page) -> None:
    page.get_by_role("link", name="Versions", exact=True).click()
    page.get_by_role("link", name="Go back to version 1").click()
    page.get_by_role("button", name="Go back to version 1").click()
    expect(page.locator("main").get_by_text("Succeeded").first).to_be_visible(timeout=MOVES_WITHIN_MS)
    page.get_by_role("link", name="greeter", exact=True).first.click()


@pytest.mark.once
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, NARROW], ids=["wide", "narrow"])
def test_every_page_about_what_runs_is_accessible_and_fits(browser: Browser, console: Console, theme: Any, viewport: Any) -> None:
    with window(browser, console, viewport=viewport, color_scheme=theme) as page:
        sign_in(page)
        for path in pages(page):
            page.goto(path)
            nothing_serious(page)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{path} scrolls sideways"


def pages(page: Page) -> list[str]:
    """One of each kind, of what the demo's story has."""
    bucket = asked(page, "/api/s3/buckets?search=artifacts")["results"][0]
    function = asked(page, "/api/lambda/functions?search=hello")["results"][0]
    instance = asked(page, "/api/ec2/instances")["results"][0]
    of_bucket = f"/s3/{bucket['account']}/{bucket['name']}"
    of_function = f"/lambda/{function['account']}/{function['region']}/{function['name']}"
    of_instance = f"/ec2/{instance['account']}/{instance['region']}/{instance['id']}"
    return [
        "/ec2", of_instance, "/s3", of_bucket, f"{of_bucket}/objects", f"{of_bucket}/objects?prefix=reports/&versions=yes",
        f"{of_bucket}/remove", f"{of_bucket}/share?key=a", "/s3/create", "/lambda", of_function, f"{of_function}/invoke",
        f"{of_function}/versions", f"{of_function}/roll-back?version=1", f"{of_function}/deploy", "/lambda/create", "/operations",
    ]  # fmt: skip
