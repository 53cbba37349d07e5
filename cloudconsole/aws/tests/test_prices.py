"""List prices of instances."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cloudconsole.aws import prices, regions
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.prices import Price
from cloudconsole.aws.tests.scripted import Endpoint, json_reply
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.simulator.process import SimulatorHandle


def item(*amounts: str, unit: str = "Hrs", currency: str = "USD", effective: str = "2026-11-01T00:00:00Z") -> str:
    dimensions = {str(number): {"unit": unit, "pricePerUnit": {currency: amount}} for number, amount in enumerate(amounts)}
    return json.dumps({"terms": {"OnDemand": {"term": {"effectiveDate": effective, "priceDimensions": dimensions}}}})


def asked(access: Access, system: str = "Linux/UNIX") -> Price | None:
    return prices.on_demand_hourly(access, "eu-central-1", "t3.large", system)


@pytest.mark.parametrize(
    ("region", "system", "amount"),
    [
        ("us-east-1", "Linux/UNIX", "0.0832"),
        ("us-east-1", "Windows BYOL", "0.0832"),
        ("us-east-1", "Windows", "0.1752"),
        ("us-east-1", "Red Hat Enterprise Linux", "0.112"),
        ("eu-central-1", "Linux/UNIX", "0.0957"),
    ],
)
def test_the_price_of_an_hour_follows_region_and_system(
    simulator: SimulatorHandle, region: str, system: str, amount: str
) -> None:
    found = prices.on_demand_hourly(access_as(simulator, "development"), region, "t3.large", system)
    assert found == Price(Decimal(amount), "USD", date(2026, 11, 1))
    assert {call.region for call in simulator.calls()} == {"us-east-1"}


def test_a_type_that_the_list_does_not_have_has_no_price(simulator: SimulatorHandle) -> None:
    assert prices.on_demand_hourly(access_as(simulator, "development"), "us-east-1", "x9.huge", "Linux/UNIX") is None


def test_a_system_that_nobody_heard_of_is_not_asked_about(simulator: SimulatorHandle) -> None:
    assert asked(access_as(simulator, "development"), "BeOS") is None
    assert simulator.calls() == []


def test_without_the_right_to_ask_the_refusal_is_told(simulator: SimulatorHandle) -> None:
    with pytest.raises(AwsError) as caught:
        prices.may_ask(access_as(simulator, "no-cost-explorer"))
    assert caught.value.cause is AwsErrorKind.ACCESS_DENIED
    prices.may_ask(access_as(simulator, "development"))


@pytest.mark.parametrize(
    ("lines", "amount"),
    [
        ([], None),
        ([item("0.10"), item("0.10")], "0.10"),
        ([item("0.10"), item("0.0000000000")], "0.10"),
        ([item("0.10"), item("0.20")], None),
        ([item("12", unit="Quantity"), item("0.10")], "0.10"),
        ([item("not a number")], None),
        ([item("0.10", effective="some day")], None),
        (["{}", "[]", '{"terms": null}', item("0.10")], "0.10"),
    ],
)
def test_one_price_counts_and_several_that_differ_are_none(
    endpoint: Endpoint, access: Access, lines: list[str], amount: str | None
) -> None:
    endpoint.script = lambda _: json_reply({"PriceList": lines})
    found = asked(access)
    assert (found.amount if found else None) == (Decimal(amount) if amount else None)


def test_a_line_that_is_no_json_is_garbled(endpoint: Endpoint, access: Access) -> None:
    endpoint.script = lambda _: json_reply({"PriceList": ["{"]})
    with pytest.raises(AwsError) as caught:
        asked(access)
    assert caught.value.cause is AwsErrorKind.GARBLED


def test_china_has_a_list_and_a_currency_of_its_own(endpoint: Endpoint, access: Access) -> None:
    answers: list[Any] = []

    def script(request: Any) -> Any:
        answers.append(request.region)
        return json_reply({"PriceList": [item("0.5", currency="CNY")]})

    endpoint.script = script
    found = prices.on_demand_hourly(access, "cn-north-1", "t3.large", "Linux/UNIX")
    assert found == Price(Decimal("0.5"), "CNY", date(2026, 11, 1))
    assert answers == ["cn-northwest-1"]
    assert (regions.pricing("us-gov-west-1"), regions.pricing("eu-west-3")) == ("us-east-1", "us-east-1")
