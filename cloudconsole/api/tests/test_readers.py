"""Swagger UI, ReDoc and the browsable API in a real browser under the real content security policy."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.services import chromium

pytestmark = [pytest.mark.browser, pytest.mark.once, pytest.mark.django_db(transaction=True)]


LOCAL = ("localhost", "127.0.0.1", None)  # None: data: and blob:

DRAWN_WITHIN_MS = 120_000  # ReDoc takes its time on a loaded machine


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium()), args=["--no-sandbox"])
        # Playwright's own event loop runs in this thread, and Django takes it for an asynchronous caller.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        yield started
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        started.close()


@pytest.fixture
def context(browser: Browser, live_server: LiveServer) -> Iterator[BrowserContext]:
    signed_in = Client()
    signed_in.force_login(get_user_model().objects.create_user("alice"))
    opened = browser.new_context()
    opened.add_cookies([{"name": "sessionid", "value": signed_in.cookies["sessionid"].value, "url": live_server.url}])
    yield opened
    opened.close()


def watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """A page, and everything it complained about."""
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: complaints.append(request.url) if urlsplit(request.url).hostname not in LOCAL else None)
    return page, complaints


@pytest.mark.parametrize(("path", "sign"), [("/api/docs", '[data-path="/api/accounts"]'), ("/api/redoc", "h1")])
def test_a_reader_of_the_document_works_without_breaking_the_policy(
    context: BrowserContext, live_server: LiveServer, path: str, sign: str
) -> None:
    page, complaints = watched(context)
    answer: Any = page.goto(live_server.url + path)
    page.wait_for_selector(f"#document {sign}", timeout=DRAWN_WITHIN_MS)

    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "/api/accounts" in page.content()  # of a long document the reader draws what is in view
    # ReDoc's badge asks for a picture from its maker's site; the policy keeps that from leaving the browser.
    assert not [complaint for complaint in complaints if "https://cdn.redoc.ly/redoc/logo-mini.svg" not in complaint]


def test_redoc_is_styled(context: BrowserContext, live_server: LiveServer) -> None:
    page, _ = watched(context)
    page.goto(f"{live_server.url}/api/redoc")
    page.wait_for_selector("#document h1", timeout=DRAWN_WITHIN_MS)

    assert page.evaluate("getComputedStyle(document.querySelector('.menu-content')).position") == "sticky"


def test_a_stranger_is_asked_to_sign_in(browser: Browser, live_server: LiveServer) -> None:
    page = browser.new_page()
    page.goto(f"{live_server.url}/api/docs")

    assert page.wait_for_selector("#document a").get_attribute("href") == "/sign-in?next=/api/docs"  # type: ignore[union-attr]
    page.close()


def test_the_browsable_api_shows_an_answer_and_sends_a_request(context: BrowserContext, live_server: LiveServer) -> None:
    get_user_model().objects.update(role="admin")
    page, complaints = watched(context)
    page.goto(f"{live_server.url}/api/audit/verify")
    page.get_by_role("button", name="POST").click()
    expect(page.locator("#answer")).to_contain_text('"intact": true')

    assert [complaint for complaint in complaints if "405" not in complaint] == []
