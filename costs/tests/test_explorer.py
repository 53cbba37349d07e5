"""The explorer: any question against the ledger, its address, the page, the CSV, and what it says it cannot tell."""

from __future__ import annotations

import csv
import html
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from io import StringIO
from itertools import permutations

import pytest
import time_machine
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.http import urlencode
from hypothesis import HealthCheck, given, settings

from accounts.models import Grant, User
from cloudconsole.core.money import EXACT, ZERO, total
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.organization import ACQUIRED, MANAGEMENT, PRODUCTION
from costs.api import report_parameters
from costs.models import BillingScope, CostSource, SourceStatus
from costs.rules import pivots, spans
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import DIMENSIONS, Cube
from costs.rules.pivots import Kind
from costs.rules.windows import DayRange
from costs.selectors import explorer
from costs.selectors.costs import Reader
from costs.selectors.questions import Granularity, NotStored
from costs.selectors.reports import Report
from costs.services import rollups
from costs.tests import books
from costs.tests.asking import ADDRESS, RANGE, of_ledger, questions, reports


@pytest.fixture(autouse=True)
def _midday() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def payer(db: None) -> CostSource:
    source = books.source(MANAGEMENT, "management")
    books.fill(source, RANGE)
    return source


@pytest.fixture
def page(payer: CostSource, admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


# --- the address


@settings(deadline=None)
@given(report=reports())
def test_a_reports_address_leads_back_to_it(report: Report) -> None:
    assert report_parameters.read(QueryDict(urlencode(report.pairs()))) == report


@settings(deadline=None)
@given(report=reports())
def test_an_address_is_written_in_one_way_only(report: Report) -> None:
    again = report_parameters.read(QueryDict(urlencode(report.pairs())))
    assert again.pairs() == report.pairs()


# --- any question


def test_groups_and_residual_are_the_total_of_the_ledger_for_any_question(payer: CostSource, admin: User) -> None:
    asked = {"answered": 0, "refused": 0}

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(report=questions())
    def check(report: Report) -> None:
        reader = explorer.reader_for(admin, report)
        try:
            found = explorer.explore(reader, report, books.TODAY)
        except NotStored:
            asked["refused"] += 1
            return
        asked["answered"] += 1
        assert found.pivot is not None
        *parts, whole = found.pivot.rows
        assert whole.kind is Kind.TOTAL
        assert whole.amount == of_ledger(report)
        if report.group_by:
            assert total(row.amount for row in parts) == whole.amount
        for period in found.by_period.periods:
            told = total(group.amount for group in period.groups)
            assert not report.group_by or EXACT.add(told, period.residual) == period.total
        assert total(period.total or ZERO for period in found.by_period.periods) == whole.amount

    check()
    assert asked["answered"] > 20 < asked["refused"] + 20


@pytest.mark.parametrize("granularity", [Granularity.DAILY, Granularity.MONTHLY])
@pytest.mark.parametrize("top", [2, 50])
def test_a_table_of_pairs_is_that_of_all_of_them(payer: CostSource, admin: User, granularity: Granularity, top: int) -> None:
    books.fill(payer, spans.previous(RANGE))
    for first, second in permutations(DIMENSIONS, 2):
        report = Report(days=RANGE, granularity=granularity, group_by=(first, second), top=top)
        reader = explorer.reader_for(admin, report)
        if not explorer.is_told(reader, report):
            continue
        found = explorer.explore(reader, report, books.TODAY)
        every, before = (
            Reader(admin).answer(replace(report.question(books.TODAY), days=days, granularity=Granularity.WHOLE))
            for days in (RANGE, spans.previous(RANGE))
        )
        shown = pivots.largest(pivots.sums(every.amounts, 0), top)
        heads = pivots.heads_of(pivots.sums(every.amounts, 1), explorer.COLUMNS)
        assert every.total is not None
        assert before.total is not None
        known = pivots.Before(pivots.sums(before.amounts, 0), before.total)
        assert found.pivot == pivots.pivot(pivots.Told(every.amounts, every.total), known, shown=shown, heads=heads)
        assert found.others == max(0, len(pivots.sums(every.amounts, 0)) - top)


def test_what_cannot_be_told_is_offered_in_parts_that_can(page: Client) -> None:
    found = page.get("/costs", {**ADDRESS, "group_by": ["region", "account"]})
    text = found.content.decode()
    assert "This combination has no exact answer" in text
    offered = re.findall(r'<li><a class="link" href="([^"]+)">', text)
    assert offered
    for address in offered:
        assert "costs-data" in page.get(address.replace("&amp;", "&")).content.decode()


# --- the page


def test_the_page_shows_the_ledgers_total_and_its_largest_groups(page: Client) -> None:
    text = page.get("/costs", ADDRESS).content.decode()
    whole = of_ledger(Report(days=RANGE))
    assert f"{whole:,.2f}" in text
    assert "Amazon Relational Database Service" in text
    assert "Not split by AWS" in text


def test_what_the_form_sends_becomes_the_short_address(page: Client) -> None:
    sent = {
        "show": "1",
        "range": "30d",
        "last": "",
        "group_by": ["service", ""],
        "charge_type": [kind.value for kind in ChargeType],
    }
    assert page.get("/costs", sent)["Location"] == "/costs"
    days = {"show": "1", "range": "custom", "start": "2026-11-01", "last": "2026-11-18", "region": "global"}
    assert page.get("/costs", days)["Location"] == "/costs?range=custom&start=2026-11-01&end=2026-11-19&region=global"


def test_incomplete_days_are_marked(page: Client) -> None:
    text = page.get("/costs", ADDRESS).content.decode()
    data = json.loads(re.search(r'<script id="costs-data" type="application/json">(.*?)</script>', text)[1])  # type: ignore[index]
    assert [period["state"] for period in data["periods"]][-4:] == ["complete", "incomplete", "incomplete", "incomplete"]


def test_complete_days_alone_are_compared_with_as_many_before(payer: CostSource, admin: User) -> None:
    report = Report(days=DayRange(date(2026, 11, 7), date(2026, 11, 19)))
    found = explorer.explore(explorer.reader_for(admin, report), report, books.TODAY).settled
    assert found is not None
    assert found.days == 9  # the last three are open
    assert found.amount == of_ledger(Report(days=DayRange(date(2026, 11, 7), date(2026, 11, 16))))
    assert found.before == of_ledger(Report(days=DayRange(date(2026, 10, 26), date(2026, 11, 4))))


def test_a_span_of_which_days_are_missing_is_nothing_to_compare_with(payer: CostSource, admin: User) -> None:
    report = Report(days=DayRange(date(2026, 10, 26), date(2026, 11, 5)))
    found = explorer.explore(explorer.reader_for(admin, report), report, books.TODAY)
    assert found.settled is not None
    assert found.settled.before is None
    assert found.pivot is not None
    assert {row.before for row in found.pivot.rows} == {None}


def test_a_group_leads_to_what_it_is_made_of(page: Client) -> None:
    text = page.get("/costs", ADDRESS).content.decode()
    data = json.loads(re.search(r'<script id="costs-data" type="application/json">(.*?)</script>', text)[1])  # type: ignore[index]
    inside = page.get(data["series"][0]["url"]).content.decode()
    assert "Daily cost by usage type" in inside
    assert "Remove the filter service Amazon" in inside


def test_the_table_of_a_long_chart_comes_when_it_is_looked_at(page: Client) -> None:
    address = {"range": "13m", "group_by": "service"}
    text = page.get("/costs", address).content.decode()
    asked_for = html.unescape(re.search(r'hx-get="(/costs\?[^"]*part=table)"', text)[1])  # type: ignore[index]
    part = page.get(asked_for, headers={"HX-Request": "true"}).content.decode()
    days = report_parameters.read(QueryDict(urlencode(address))).range(books.NOW.date()).days
    assert part.count('<th scope="row"') == days
    assert "<h1>" not in part
    without_script = page.get(asked_for).content.decode()
    assert "<h1>Costs" in without_script
    assert without_script.count('<th scope="row"') > days > text.count('<th scope="row"')


def test_the_csv_is_the_table_with_every_digit(page: Client) -> None:
    address = {**ADDRESS, "group_by": ["service", "account"], "top": "5"}
    body = b"".join(page.get("/costs/costs.csv", address).streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(StringIO(body)))
    assert [row["Service"] for row in rows[-3:]] == ["Other", "Not split by AWS", "Total"]
    assert len(rows) == 8
    assert total(Decimal(row["Total"]) for row in rows[:-1]) == Decimal(rows[-1]["Total"]) == of_ledger(Report(days=RANGE))


def test_a_name_that_a_spreadsheet_would_run_is_harmless_in_the_csv(admin: User, db: None) -> None:
    source = books.source(ACQUIRED, "formula", BillingScope.STANDALONE)
    name = "=HYPERLINK(evil)"
    books.store(source, Cube.TOTAL, books.answer({day: {(): books.amounts(3)} for day in books.days_of(RANGE)}))
    keys: tuple[str, ...] = (name, "Usage")
    told = {day: {keys: books.amounts(3)} for day in books.days_of(RANGE)}
    books.store(source, Cube.SERVICE_RECORD_TYPE, books.answer(told))
    client = Client()
    client.force_login(admin)
    address = {**ADDRESS, "group_by": ["record_type", "service"]}
    body = b"".join(client.get("/costs/costs.csv", address).streaming_content).decode()  # type: ignore[attr-defined]
    assert f"'{name}" in body.splitlines()[0]
    assert not re.search(rf"(^|,)\"?{re.escape(name)}", body, re.MULTILINE)


@pytest.mark.parametrize("query", ["", "&group_by=account&group_by=service", "&group_by=usage_type&compare=none"])
def test_more_accounts_take_no_more_queries(page: Client, query: str) -> None:
    address = f"/costs?{urlencode(ADDRESS)}{query}"
    _add_accounts(range(1))
    page.get(address)
    few = _queries(page, address)
    _add_accounts(range(1, 20))
    assert _queries(page, address) == few


@pytest.mark.parametrize("is_summed", [True, False])
def test_the_overview_takes_fifteen_queries_however_many_accounts(admin: User, db: None, *, is_summed: bool) -> None:
    client = Client()
    client.force_login(admin)
    for numbers in (range(1), range(1, 4)):
        _add_accounts(numbers)
        if is_summed:
            rollups.catch_up()
        client.get("/")
        assert _queries(client, "/") == 15


def _add_accounts(numbers: range) -> None:
    for number in numbers:
        other = books.source(f"6{number:011}", f"other-{number}", BillingScope.STANDALONE)
        for cube in (Cube.TOTAL, Cube.SERVICE_RECORD_TYPE):
            books.store(other, cube, books.ledger_answer(cube, RANGE, ACQUIRED))


def _queries(page: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert page.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize(
    "query",
    [
        "range=custom&start=2026-11-02&end=2026-11-01",
        "range=custom&start=0001-01-01&last=0001-01-31",
        "range=custom&start=2026-11-01&last=9999-12-31",
        "metric=blended",
        "group_by=tea",
        "colour=red",
    ],
)
def test_what_cannot_be_asked_is_said_on_the_page(page: Client, query: str) -> None:
    answer = page.get(f"/costs?{query}")
    assert answer.status_code == 400
    assert "This cannot be asked" in answer.content.decode()


def test_an_account_that_is_gone_can_be_taken_out_of_an_old_address(page: Client) -> None:
    answer = page.get("/costs", {**ADDRESS, "account": "long-gone"})
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "There is no account “long-gone” whose costs you may see." in text
    assert f'href="/costs?{html.escape(urlencode(ADDRESS))}" aria-label="Remove the filter account long-gone"' in text


def test_a_stranger_sees_no_costs_and_no_names(payer: CostSource, stranger: User) -> None:
    client = Client()
    client.force_login(stranger)
    text = client.get("/costs", ADDRESS).content.decode() + client.get("/costs/filters", ADDRESS).content.decode()
    assert "No costs to show yet" in text
    assert "Relational Database" not in text
    assert MANAGEMENT not in text


def test_a_member_sees_its_own_part_of_the_bill(payer: CostSource, make_user: Callable[..., User]) -> None:
    member = books.source(PRODUCTION, "production", BillingScope.MEMBER)
    CostSource.objects.filter(pk=member.pk).update(covered_by=payer)
    viewer = make_user("vera")
    Grant.objects.create(user=viewer, account=member.account, role=Role.VIEWER)
    client = Client()
    client.force_login(viewer)
    text = client.get("/costs", ADDRESS).content.decode()
    assert f"{of_ledger(Report(days=RANGE).with_values('account', [PRODUCTION])):,.2f}" in text
    assert MANAGEMENT not in text
    text = client.get("/").content.decode()
    data = json.loads(re.search(r'<script id="daily-data" type="application/json">(.*?)</script>', text)[1])  # type: ignore[index]
    assert "Daily cost" in client.get(data["series"][0]["url"]).content.decode()


@pytest.mark.parametrize("path", ["/costs", "/costs/changes", "/costs/forecast"])
def test_a_page_without_figures_says_why_aws_does_not_tell_them(page: Client, path: str) -> None:
    denied = books.source(ACQUIRED, "acquired", BillingScope.STANDALONE)
    CostSource.objects.filter(pk=denied.pk).update(
        status=SourceStatus.DENIED, status_detail="No policy allows it.", status_remedy="Attach the policy."
    )
    text = page.get(path, {"account": "acquired"}).content.decode()
    assert "acquired: figures may be missing." in text
    assert "No policy allows it. Attach the policy." in text
    assert "figures may be missing" not in page.get(path, {"account": "management"}).content.decode()


def test_the_filters_page_offers_what_had_costs_and_leads_back(page: Client) -> None:
    text = page.get("/costs/filters", ADDRESS).content.decode()
    assert 'name="usage_type" value="NatGateway-Bytes"' in text
    applied = page.get("/costs/filters", {**ADDRESS, "apply": "1", "region": ["us-east-1", "global"], "group_by": "service"})
    assert applied.status_code == 302
    assert report_parameters.read(QueryDict(applied["Location"].partition("?")[2])).values_of("region") == ("us-east-1", "global")


def test_the_overviews_charts_lead_to_the_service_they_show(page: Client) -> None:
    text = page.get("/?account=management").content.decode()
    data = json.loads(re.search(r'<script id="monthly-data" type="application/json">(.*?)</script>', text)[1])  # type: ignore[index]
    inside = page.get(data["series"][0]["url"])
    assert inside.status_code == 200
    assert "Monthly cost by service" in inside.content.decode()
    assert data["periods"][-1]["narrow"]["start"] == "2026-11-01"
