"""Why a figure differs from AWS's console: the command and the address ask AWS the same."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from decimal import Decimal

import pytest
import time_machine
from django.http import QueryDict
from django.test import Client
from hypothesis import HealthCheck, example, given, settings

from accounts.models import User
from cloudconsole.core.money import ZERO, total
from cloudconsole.simulator import cost_requests, ledger
from cloudconsole.simulator.organization import MANAGEMENT
from costs.models import CostSource
from costs.rules import charge_types
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange
from costs.selectors import explanations, explorer
from costs.selectors.questions import NotStored
from costs.selectors.reports import Report
from costs.tests import books
from costs.tests.asking import ADDRESS, LINES, RANGE, of_ledger, questions


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


def test_the_command_asks_aws_for_the_same_total(payer: CostSource, admin: User) -> None:
    checked = 0

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @example(report=Report(days=RANGE, group_by=(Dimension.ACCOUNT,), charge_types=(ChargeType.SUPPORT,)))
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


def test_the_command_names_every_filter(payer: CostSource, admin: User) -> None:
    report = Report(days=RANGE, group_by=(), charge_types=(ChargeType.USAGE,))
    report = report.with_values("service", ["EC2 - Other", "Amazon Bedrock"])
    reader = explorer.reader_for(admin, report)
    found = explorer.explore(reader, report, books.TODAY)
    (command,) = explanations.explain(reader, found, books.TODAY).commands
    assert asked_of_aws(command.text, report) == found.by_period.total == of_ledger(report)


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
