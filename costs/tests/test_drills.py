"""Every figure in the explorer's table that leads somewhere leads to the report that adds up to it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from django.utils.http import urlencode

from accounts.models import AwsAccount, User
from cloudconsole.simulator.organization import MANAGEMENT
from costs.rules.windows import DayRange
from costs.tests import books
from costs.tests.asking import ADDRESS

DAYS = urlencode(ADDRESS)
_MONEY = r'<span class="money" title="([^"]+)">'
_LINK = r'<a class="link-quiet" href="([^"]+)">'
_CELL = re.compile(rf'<td class="num">{_LINK}{_MONEY}')
_HEAD = re.compile(rf'<th scope="col" class="num" title="[^"]*">{_LINK}')
_ROW = re.compile(rf'{_LINK}[^<]*</a>(?:(?!</tr>).)*?<td class="num strong">{_MONEY}', re.DOTALL)
_TOTAL = re.compile(rf'aria-label="Total"><span class="muted">Total</span><span class="value">{_MONEY}')
_RESIDUAL = re.compile(rf'<tr class="residual">(?:(?!</tr>).)*?<td class="num strong">{_MONEY}', re.DOTALL)
_OWN_TOTALS = re.compile(rf'<td class="num">{_MONEY}')


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def page(db: None, admin: User) -> Client:
    source = books.source(MANAGEMENT, "management")
    AwsAccount.objects.filter(pk=source.account_id).update(environment="production")
    books.fill(source, DayRange(date(2026, 9, 1), date(2026, 11, 19)))
    client = Client()
    client.force_login(admin)
    return client


def total_at(page: Client, url: str, *, with_residual: bool = False) -> Decimal:
    """What the page at the end of a link shows in total, or in its groups: AWS tells none of what it loses among accounts."""
    answer = page.get(html.unescape(url))
    assert answer.status_code == 200, url
    text = answer.content.decode()
    found, residual = _TOTAL.search(text), _RESIDUAL.search(text)
    assert found is not None, url
    return number(found[1]) - (number(residual[1]) if residual and not with_residual else 0)


def number(written: str) -> Decimal:
    return Decimal(written.partition(" ")[0].replace(",", "").replace("\N{MINUS SIGN}", "-"))


@pytest.mark.parametrize(
    "query",
    [
        f"{DAYS}&group_by=service&group_by=account&top=5",
        f"{DAYS}&group_by=account&group_by=service&top=5",
        f"{DAYS}&group_by=service&group_by=record_type&top=5&compare=none",
        f"{DAYS}&group_by=record_type&group_by=service&top=5",
        "range=3m&granularity=monthly&group_by=service&top=5",
        "range=3m&granularity=monthly&group_by=account&charge_type=usage&top=5",
        "range=3m&granularity=monthly&group_by=service&environment=production&top=5",
        "range=custom&start=2026-09-10&end=2026-11-05&granularity=monthly&group_by=region&top=5",
        "range=3m&granularity=monthly&group_by=none",
    ],
)
def test_what_a_figure_leads_to_adds_up_to_it(page: Client, query: str) -> None:
    text = page.get(f"/costs?{query}").content.decode()
    table = re.search(r'<table class="pivot">.*?</table>', text, re.DOTALL)
    assert table is not None
    cells, rows = _CELL.findall(table[0]), _ROW.findall(table[0])
    assert [(url, total_at(page, url)) for url, _ in (*cells, *rows)] == [(url, number(one)) for url, one in (*cells, *rows)]
    assert bool(cells) == ("group_by=none" not in query)
    _, *totals = _OWN_TOTALS.findall(table[0].partition("<tfoot>")[2])
    heads = _HEAD.findall(table[0])
    assert heads
    is_by_month = "monthly" in query  # of which the total is known
    told = [total_at(page, url, with_residual=is_by_month) for url in heads]
    assert told == [number(one) for one in totals[: len(heads)]]


def test_a_month_of_which_nothing_is_known_leads_nowhere(page: Client) -> None:
    text = page.get("/costs?range=6m&granularity=monthly&group_by=service").content.decode()
    assert len(_HEAD.findall(text)) == 3
    assert len(re.findall(r'<th scope="col" class="num" title="[A-Z][a-z]+ 2026">', text)) == 6


def test_the_others_and_a_cell_without_costs_lead_nowhere(page: Client) -> None:
    text = page.get("/costs", {**ADDRESS, "group_by": ["service", "account"], "top": "5"}).content.decode()
    other = re.search(r'<tr class="other">.*?</tr>', text, re.DOTALL)
    assert other is not None
    assert "href" not in other[0]
    assert not [amount for _, amount in _CELL.findall(text) if re.fullmatch(r"\S*\s?0(\.0+)?", amount)]


def test_a_single_days_table_shows_no_cells(page: Client) -> None:
    text = page.get("/costs", {**ADDRESS, "group_by": "service"}).content.decode()
    assert not _CELL.findall(text)
    assert not _HEAD.findall(text)
