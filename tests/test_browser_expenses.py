"""A month of expenses as a person has it: ten by keyboard alone, a statement with duplicates, a step back, the report."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from cloudconsole.core import clock
from cloudconsole.simulator import process
from cloudconsole.simulator.process import SimulatorHandle
from tests.consoles import NARROW, Console, asked, browser, installation, nothing_serious, sign_in, window
from tests.databases import Template

__all__ = ["browser"]  # a fixture

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

WORKED_WITHIN_MS = 180_000  # a worker on a machine whose cores are all busy

COSTS = [Decimal(f"{n}.50") for n in range(1, 11)]


@pytest.fixture(scope="module")
def console(database_template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with process.running() as simulator:
        yield from _console(simulator, database_template, tmp_path_factory)


def _console(simulator: SimulatorHandle, template: Template, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    with installation(simulator, template, tmp_path_factory.mktemp("expenses"), number=0) as console:
        yield console


def test_ten_by_keyboard_a_file_with_duplicates_a_step_back_and_the_report(browser: Browser, console: Console) -> None:
    with window(browser, console) as page:
        sign_in(page)
        ten_are_entered_by_keyboard_alone(page)
        the_file_adds_only_what_is_not_there(page)
        nothing_serious(page)
        taking_back_leaves_the_ten(page)
        the_report_adds_up(page)


def ten_are_entered_by_keyboard_alone(page: Page) -> None:
    """No pointer from the first key to the tenth row: "n" goes to the payee, Tab to the cost, Enter adds and comes back."""
    page.goto("/expenses")
    page.keyboard.press("n")
    for number, cost in enumerate(COSTS):
        expect(page.locator("#quick [name=payee]")).to_be_focused()
        page.keyboard.type(f"Shop {number}")
        page.keyboard.press("Tab")
        expect(page.locator("#quick [name=cost]")).to_be_focused()
        page.keyboard.type(str(cost))
        page.keyboard.press("Enter")
        expect(page.locator(".expenses-table tbody tr")).to_have_count(number + 1)
    assert entered(page) == sorted(COSTS)


def entered(page: Page) -> list[Decimal]:
    return sorted(Decimal(one["cost"]) for one in asked(page, "/api/expenses?page_size=100")["results"])


def the_file_adds_only_what_is_not_there(page: Page) -> None:
    """Three rows are there already, two coffees are two, one row cannot be read."""
    today = clock.today()
    known = [f"{today},Shop {number},{COSTS[number]},USD" for number in range(3)]
    coffee = f"{today - timedelta(days=5)},Café,3.50,USD"
    data = "\n".join(["Date,Payee,Amount,Currency", *known, coffee, coffee, "yesterday,Kiosk,1.00,USD", ""])
    page.goto("/expenses/imports")
    page.set_input_files("#import-file", {"name": "bank.csv", "mimeType": "text/csv", "buffer": data.encode()})
    expect(page.get_by_role("heading", name="The first rows, as they would be imported")).to_be_visible()
    nothing_serious(page)
    page.get_by_role("button", name="Check all rows").click()
    expect(page.get_by_role("button", name="Import 2 rows")).to_be_visible(timeout=WORKED_WITHIN_MS)
    for verdict, count in [("There already", 3), ("Cannot be read", 1)]:
        expect(page.get_by_role("link", name=f"{verdict} {count}")).to_be_visible()
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_role("link", name="Take it back")).to_be_visible(timeout=WORKED_WITHIN_MS)
    assert entered(page) == sorted([*COSTS, Decimal("3.50"), Decimal("3.50")])


def taking_back_leaves_the_ten(page: Page) -> None:
    page.get_by_role("link", name="Take it back").click()
    page.get_by_role("button", name="Take back").click()
    expect(page.get_by_role("heading", name="Taken back")).to_be_visible(timeout=WORKED_WITHIN_MS)
    assert entered(page) == sorted(COSTS)


def the_report_adds_up(page: Page) -> None:
    page.goto("/expenses/report?group_by=payee")
    expect(page.get_by_role("link", name="Shop 9", exact=True)).to_be_visible()
    expect(page.locator(".totals").first).to_contain_text(f"${sum(COSTS)}")
    page.goto("/expenses/total")
    expect(page.get_by_role("heading", name="Side by side")).to_be_visible()
    nothing_serious(page)


@pytest.mark.once
@pytest.mark.parametrize("path", ["/expenses/imports", "/expenses/total", "/exchange-rates"])
def test_pages_fit_a_phone_and_are_accessible(browser: Browser, console: Console, path: str) -> None:
    with window(browser, console, viewport=NARROW, color_scheme="dark") as page:
        sign_in(page)
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
        nothing_serious(page)
