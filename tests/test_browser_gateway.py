"""A key, a request with it, and what is left of its limit, as a person sees them in a browser."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from cloudconsole.net.tests.listeners import Asked, Listener, Reply, http_listener
from cloudconsole.simulator import process
from tests.consoles import NARROW, WIDE, Console, browser, installation, nothing_serious, sign_in, window
from tests.databases import Template

__all__ = ["browser"]  # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser-gateway")]  # one worker, and so one installation

SECRET = "sk-live-0123456789abcdef"
LIMIT = 60


@pytest.fixture(scope="module")
def service() -> Iterator[Listener]:
    """An API that counts its requests and says how many are left."""
    with http_listener() as listener:

        def answer(asked: Asked) -> Reply:
            left = {"X-RateLimit-Limit": str(LIMIT), "X-RateLimit-Remaining": str(LIMIT - len(listener.asked))}
            reset = {"X-RateLimit-Reset": str(int(time.time()) + 3000), "X-RateLimit-Resource": "core"}
            body = b'{"login":"octocat","html":"<img src=x onerror=alert(1)>"}'
            return Reply(200, {"Content-Type": "application/json", **left, **reset}, body)

        listener.answer = answer
        yield listener


@pytest.fixture(scope="module")
def console(database_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """An installation that may call its own machine, as in a home lab."""
    folder = tmp_path_factory.mktemp("gateway")
    with (
        process.running() as simulator,
        installation(simulator, database_template, folder, number=4, EGRESS_ALLOW_CIDRS="127.0.0.1/32") as started,
    ):
        yield started


def test_a_key_is_stored_a_request_sent_and_the_limit_falls(browser: Browser, console: Console, service: Listener) -> None:
    with window(browser, console, viewport=WIDE) as page:
        sign_in(page)
        store_a_key(page, service)
        send(page, "/user?page=2")
        assert service.asked[-1].headers["Authorization"] == f"Bearer {SECRET}"
        assert service.asked[-1].path == "/user?page=2"
        expect(page.locator("#answer-body")).to_contain_text('"login": "octocat"')
        expect(page.locator("#answer-body img")).to_have_count(0)
        assert SECRET not in page.content()
        left_is(page, LIMIT - 1)
        take_it_along(page)
        replay(page)
        left_is(page, LIMIT - 2)
        replay_what_failed(page)
        paste_curl(page, service)
        look_at_the_statistics(page)
        see_the_answer_on_a_phone(page)


def store_a_key(page: Page, service: Listener) -> None:
    page.goto("/keys/new")
    page.locator("#id_api_name").fill("Octo")
    page.locator("#id_api_key").fill(SECRET)
    page.locator("#id_base_url").fill(service.url(path=""))
    page.get_by_role("button", name="Store the key").click()
    expect(page.get_by_text("Octo").first).to_be_visible()


def send(page: Page, path: str) -> None:
    page.goto("/keys/console")
    page.locator("#id_key").select_option(label=label_of(page))
    page.locator("#id_url").fill(path)
    page.locator("#id_url").press("Control+Enter")
    expect(page.locator("#answer .pill")).to_have_text("200 OK")


def label_of(page: Page) -> str:
    return page.locator("#id_key option", has_text="Octo").inner_text()


def left_is(page: Page, left: int) -> None:
    page.get_by_role("navigation", name="About API keys").get_by_role("link", name="Limits").click()
    expect(page.get_by_role("row", name="Octo")).to_contain_text(f"{left} of {LIMIT}")
    page.get_by_role("navigation", name="About API keys").get_by_role("link", name="Console").click()


def take_it_along(page: Page) -> None:
    expect(page.locator("#id_url")).to_have_value("/user?page=2")  # the draft outlived the other view
    page.get_by_role("button", name="As code").click()
    page.get_by_role("tab", name="Python (requests)").click()
    expect(page.locator("#code-python")).to_contain_text("/api/proxy/Octo/user?page=2")
    nothing_serious(page)


def replay(page: Page) -> None:
    page.locator("#id_url").fill("/something/else")
    page.locator("#history button").first.click()
    expect(page.locator("#id_url")).to_have_value("/user?page=2")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer .pill")).to_have_text("200 OK")
    expect(page.locator("#history li")).to_have_count(2)


def replay_what_failed(page: Page) -> None:
    page.locator("#id_key").select_option("")
    page.locator("#id_url").fill("https://10.0.0.1/private")
    page.get_by_role("button", name="Send").click()
    expect(page.locator("#answer").get_by_role("alert")).to_be_visible()
    first = page.locator("#history li").first
    expect(first).to_contain_text("failed")
    page.locator("#id_url").fill("/something/else")
    first.get_by_role("button").click()
    expect(page.locator("#id_url")).to_have_value("https://10.0.0.1/private")


def paste_curl(page: Page, service: Listener) -> None:
    page.get_by_text("Paste a cURL command").click()
    page.locator("#id_curl").fill(f"curl -X PATCH {service.url(path='/user')} -H 'Authorization: Bearer {SECRET}' -d name=x")
    page.get_by_role("button", name="Take it over").click()
    expect(page.locator("#id_method")).to_have_value("PATCH")
    expect(page.locator("#id_url")).to_have_value("/user")
    expect(page.locator("#id_body")).to_have_value("name=x")
    expect(page.get_by_text("Left out, because")).to_be_visible()
    assert SECRET not in page.content()


def look_at_the_statistics(page: Page) -> None:
    page.goto("/keys/statistics?outcome=ok")
    expect(page.locator(".kpi").first).to_contain_text("2")
    expect(page.get_by_role("row", name="/user").first).to_be_visible()
    page.get_by_role("navigation", name="About API keys").get_by_role("link", name="Limits").click()
    page.get_by_role("navigation", name="About API keys").get_by_role("link", name="Statistics").click()
    expect(page).to_have_url(whole("/keys/statistics?outcome=ok", page))  # filters and all
    views = ("", "/limits", "/limits/by-hand", "/statistics", "/statistics/people", "/console", "/new?preset=github", "/import")
    for path in (*views, "/1", "/1/edit", "/1/rotate", "/1/delete"):
        for viewport in (WIDE, NARROW):
            page.set_viewport_size({"width": viewport["width"], "height": viewport["height"]})
            page.goto(f"/keys{path}")
            nothing_serious(page)
            assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), page.url


def see_the_answer_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": NARROW["width"], "height": NARROW["height"]})
    send(page, "/user")
    expect(page.locator("#answer-title")).to_be_in_viewport()
    page.get_by_role("button", name="As code").click()
    expect(page.get_by_role("button", name="As code")).to_be_in_viewport()


def whole(path: str, page: Page) -> str:
    return page.url.split("/keys")[0] + path
