"""The explorer: any question against the ledger, its address, the page, the CSV, and what it says it cannot tell."""

from __future__ import annotations

import csv
import json
import re
import shlex
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client
from django.utils.http import urlencode
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Grant, User
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.money import EXACT, ZERO, total
from cloudconsole.core.permissions import Role
from cloudconsole.simulator import cost_requests, ledger
from cloudconsole.simulator.line_items import Line
from cloudconsole.simulator.organization import ACQUIRED, MANAGEMENT, PRODUCTION
from costs.api import report_parameters
from costs.models import BillingScope, CostSource
from costs.rules import charge_types
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import Cube, Dimension
from costs.rules.pivots import Kind
from costs.rules.spans import Preset
from costs.rules.windows import DayRange
from costs.selectors import explanations, explorer
from costs.selectors.questions import Granularity, NotStored
from costs.selectors.reports import FILTERS, TOPS, Report
from costs.tests import books

RANGE = DayRange(date(2026, 10, 24), date(2026, 11, 19))
ADDRESS = {"range": "custom", "start": "2026-10-24", "end": "2026-11-19"}
LINES = [line for day in books.days_of(RANGE) for line in books.LEDGER.shown(day, books.NOW)]
FIELDS: dict[str, Callable[[Line], str]] = {
    "service": lambda line: line.service,
    "account": lambda line: line.account,
    "region": lambda line: line.region,
    "record_type": lambda line: line.record_type,
    "usage_type": lambda line: line.usage_type,
}


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


def filters() -> st.SearchStrategy[dict[str, list[str]]]:
    values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(
        lambda text: text == text.strip()
    )
    return st.dictionaries(st.sampled_from([*FILTERS]), st.lists(values, min_size=1, max_size=3, unique=True), max_size=4)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    start = draw(st.dates(date(2024, 1, 1), date(2027, 1, 1)))
    custom = DayRange(start, start + timedelta(days=draw(st.integers(1, 1000))))
    types = draw(st.sets(st.sampled_from(ChargeType), max_size=len(ChargeType) - 1))
    report = Report(
        preset=draw(st.sampled_from(Preset)),
        granularity=draw(st.sampled_from([Granularity.DAILY, Granularity.MONTHLY])),
        group_by=tuple(draw(st.lists(st.sampled_from(Dimension), max_size=2, unique=True))),
        metric=draw(st.sampled_from([metric for metric in Metric if metric is not Metric.BLENDED])),
        charge_types=tuple(one for one in ChargeType if one in types),
        currency=draw(st.sampled_from([None, "USD", "EUR"])),
        compare=draw(st.booleans()),
        top=draw(st.sampled_from(TOPS)),
    )
    if draw(st.booleans()):
        report = Report(**{**_fields(report), "preset": Preset.DAYS_30, "days": custom})
    for name, values in draw(filters()).items():
        report = report.with_values(name, values)
    return report


def _fields(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in Report.__dataclass_fields__}


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


@st.composite
def questions(draw: st.DrawFn) -> Report:
    start = draw(st.integers(0, RANGE.days - 1))
    length = draw(st.integers(1, RANGE.days - start))
    first = RANGE.start + timedelta(days=start)
    types = draw(st.sets(st.sampled_from(ChargeType), max_size=3))
    report = Report(
        days=DayRange(first, first + timedelta(days=length)),
        granularity=draw(st.sampled_from([Granularity.DAILY, Granularity.MONTHLY])),
        group_by=tuple(draw(st.lists(st.sampled_from(Dimension), max_size=2, unique=True))),
        metric=draw(st.sampled_from([metric for metric in Metric if metric is not Metric.BLENDED])),
        charge_types=tuple(sorted(types)) if draw(st.booleans()) else (),
        top=draw(st.sampled_from(TOPS)),
    )
    name = draw(st.sampled_from(["", "", *FIELDS]))
    if name:
        known = sorted({FIELDS[name](line) for line in LINES})
        report = report.with_values(name, draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)))
    return report


def of_ledger(report: Report) -> Decimal:
    """What the ledger says the report's days cost, through its filters."""
    dimensions = {*report.group_by, *report.filtered}
    view = ledger.view_for(MANAGEMENT, [dimension.value for dimension in dimensions])
    narrowed = bool(report.filters or report.charge_types)
    if not narrowed:
        view = ledger.view_for(MANAGEMENT, [])  # the control total
    elif Dimension.ACCOUNT not in dimensions:
        view = ledger.view_for(MANAGEMENT, [])
    days = report.days or RANGE
    return total(
        ledger.usd(getattr(line.costs, report.metric.value))
        for day in books.days_of(days)
        for line in ledger.visible_to(books.LEDGER.shown(day, books.NOW), MANAGEMENT, view)
        if all(FIELDS[name](line) in report.values_of(name) for name in FIELDS if report.values_of(name))
        and (not report.charge_types or charge_types.classify(line.record_type) in report.charge_types)
    )


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


@pytest.mark.parametrize(
    "query", ["range=custom&start=2026-11-02&end=2026-11-01", "metric=blended", "group_by=tea", "colour=red"]
)
def test_what_cannot_be_asked_is_said_on_the_page(page: Client, query: str) -> None:
    answer = page.get(f"/costs?{query}")
    assert answer.status_code == 400
    assert "This cannot be asked" in answer.content.decode()


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


def test_the_filters_page_offers_what_had_costs_and_leads_back(page: Client) -> None:
    text = page.get("/costs/filters", ADDRESS).content.decode()
    assert 'name="usage_type" value="NatGateway-Bytes"' in text
    applied = page.get("/costs/filters", {**ADDRESS, "apply": "1", "region": ["us-east-1", "global"], "group_by": "service"})
    assert applied.status_code == 302
    assert report_parameters.read(QueryDict(applied["Location"].partition("?")[2])).values_of("region") == ("us-east-1", "global")


# --- why it differs


def test_the_command_asks_aws_for_the_same_total(payer: CostSource, admin: User) -> None:
    checked = 0

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(report=questions())
    def check(report: Report) -> None:
        nonlocal checked
        reader = explorer.reader_for(admin, report)
        try:
            found = explorer.explore(reader, report, books.TODAY)
        except NotStored:
            return
        commands = explanations.explain(reader, found, books.TODAY).commands
        if charge_types_unknown(report):
            return
        checked += 1
        assert found.by_period.total == sum((asked_of_aws(command.text, report) for command in commands), ZERO)

    check()
    assert checked > 15


def charge_types_unknown(report: Report) -> bool:
    met = {charge_types.classify(line.record_type) for line in LINES}
    named = report.values_of("record_type")
    kept = [one for one in named if charge_types.classify(one) in report.charge_types]
    return bool(report.charge_types) and (not met & set(report.charge_types) or bool(named and not kept))


def asked_of_aws(command: str, report: Report) -> Decimal:
    """What the simulated Cost Explorer answers to the command without its grouping."""
    words = shlex.split(command.replace("\\\n", " "))
    assert words[:3] == ["aws", "ce", "get-cost-and-usage"]
    options = {words[at]: words[at + 1] for at in range(3, len(words)) if words[at].startswith("--")}
    period = dict(part.split("=") for part in options["--time-period"].split(","))
    arguments = {"TimePeriod": period, "Granularity": options["--granularity"], "Metrics": [options["--metrics"]]}
    if "--filter" in options:
        arguments["Filter"] = json.loads(options["--filter"])
    request = cost_requests.read(arguments, books.TODAY)
    view = ledger.view_for(MANAGEMENT, request.dimensions)
    lines = [
        line
        for day in books.days_of(DayRange(request.start, request.end))
        for line in ledger.visible_to(books.LEDGER.shown(day, books.NOW), MANAGEMENT, view)
        if request.predicate(line)
    ]
    return total(ledger.usd(getattr(line.costs, report.metric.value)) for line in lines)


def test_the_console_opens_with_the_same_settings(page: Client) -> None:
    text = page.get("/costs", {**ADDRESS, "metric": "net_amortized", "service": "AWS Lambda"}).content.decode()
    address = re.search(r'href="(https://us-east-1\.console\.aws\.amazon\.com/[^"]+)"', text)[1].replace("&amp;", "&")  # type: ignore[index]
    settings_ = QueryDict(address.partition("?")[2])
    assert (settings_["startDate"], settings_["endDate"]) == ("2026-10-24", "2026-11-18")
    assert settings_["costAggregate"] == "netAmortizedCost"
    assert json.loads(settings_["filter"])[0]["values"] == [{"value": "AWS Lambda", "displayValue": "AWS Lambda"}]
    assert json.loads(settings_["groupBy"]) == ["Service"]


def test_the_overviews_charts_lead_to_the_service_they_show(page: Client) -> None:
    text = page.get("/?account=management").content.decode()
    data = json.loads(re.search(r'<script id="monthly-data" type="application/json">(.*?)</script>', text)[1])  # type: ignore[index]
    inside = page.get(data["series"][0]["url"])
    assert inside.status_code == 200
    assert "Monthly cost by account" in inside.content.decode()
    assert data["periods"][-1]["narrow"]["start"] == "2026-11-01"
