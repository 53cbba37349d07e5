"""The lines of stored billing files as FOCUS: with the columns that they have, narrowed by what no stored grouping tells."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from focus_data_toolkit import detect_focus_schema
from rest_framework.test import APIClient

from accounts.models import Grant, User
from cloudconsole.core.money import total
from cloudconsole.core.permissions import Role
from cloudconsole.simulator.organization import MANAGEMENT
from costs.models import BillingScope, CostSource
from costs.rules.windows import DayRange
from costs.tests import bills, books

Api = Callable[[User | None], APIClient]
RANGE = {"start": "2026-10-01", "end": "2026-11-01", "format": "focus", "detail": "lines"}
COLUMNS = [*bills.FOCUS, "ResourceId", "SkuId", "PricingQuantity", "PricingUnit", "AvailabilityZone"]
LINES = [
    bills.focus_row(
        ResourceId="arn:aws:s3:::shop", SkuId="SKU1", Tags='{"user:team": "web"}', ListCost="1.75", PricingQuantity="3"
    ),
    bills.focus_row(
        ResourceId="i-1", RegionId="us-east-1", ServiceName="Amazon EC2", BilledCost="10", Tags='{"user:team": "data"}'
    ),
    bills.focus_row(BilledCost="-2", EffectiveCost="-2", ChargeCategory="credit", SubAccountId=bills.PAYER, ChargeClass="NULL"),
]


@pytest.fixture(autouse=True)
def _midday(db: None) -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


def rows(client: APIClient, **asked: str) -> list[dict[str, str]]:
    answer = client.get("/api/costs/export", {**RANGE, **asked})
    assert answer.status_code == 200, answer.json()
    content = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    return list(csv.DictReader(io.StringIO(content)))


def billed(found: list[dict[str, str]]) -> Decimal:
    return total(Decimal(row["BilledCost"]) for row in found)


def test_every_line_goes_out_with_the_columns_that_it_came_with(api: Api, admin: User) -> None:
    bills.store(bills.text(LINES, COLUMNS), admin)
    found = {row["ResourceId"]: row for row in rows(api(admin))}
    assert set(found) == {"arn:aws:s3:::shop", "i-1", ""}
    assert billed(list(found.values())) == bills.total(LINES)
    first = found["arn:aws:s3:::shop"]
    told = ("SkuId", "Tags", "ListCost", "PricingQuantity", "RegionId", "InvoiceId", "x_Approximated", "ChargePeriodStart")
    assert [first[name] for name in told] == [
        "SKU1", '{"user:team": "web"}', "1.75", "3", "eu-central-1", "INV-1", "ContractedCost", "2026-10-05T00:00:00Z",
    ]  # fmt: skip
    assert (found[""]["ChargeCategory"], found[""]["ChargeClass"], found[""]["SubAccountId"]) == ("Credit", "", bills.PAYER)
    assert detect_focus_schema(first).detected_version == "1.2"


def test_what_went_out_comes_in_again_to_the_last_digit(api: Api, admin: User) -> None:
    bills.store(bills.text(LINES, COLUMNS), admin)
    out = b"".join(api(admin).get("/api/costs/export", RANGE).streaming_content)  # type: ignore[attr-defined]
    again = bills.store(out, admin, "again.csv")
    assert (again.lines, again.faulty, again.tag_keys) == (3, 0, ["team"]), again.error_detail
    assert again.periods.get().unblended == bills.total(LINES)
    assert again.periods.get().amortized == bills.total([{"EffectiveCost": "1.25"}] * 2, "EffectiveCost") - 2


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"region": "us-east-1"}, "10"),
        ({"usage_type": "TimedStorage-ByteHrs", "service": "Amazon EC2"}, "10"),
        ({"tag:team": "web"}, "1.5"),
        ({"charge_type": "credit", "region": "eu-central-1"}, "-2"),
        ({"tag:team": "data", "region": "eu-central-1"}, "0"),
        ({"start": "2026-10-06", "end": "2026-10-09"}, "0"),
    ],
)
def test_lines_are_narrowed_by_what_no_grouping_tells(api: Api, admin: User, asked: dict[str, str], expected: str) -> None:
    bills.store(bills.text(LINES, COLUMNS), admin)
    client = api(admin)
    assert billed(rows(client, **asked)) == Decimal(expected)
    if "region" in asked or "usage_type" in asked:
        refused = client.get("/api/costs/export", {**RANGE, **asked, "detail": "stored"}).json()
        assert refused["code"] == ("unknown_value" if "tag:team" in asked else "not_stored")


def test_months_without_a_file_are_told_as_they_are_stored(api: Api, admin: User) -> None:
    bills.store(bills.text(LINES, COLUMNS), admin)
    other = books.source(MANAGEMENT, "other")
    books.fill(other, DayRange(date(2026, 10, 30), date(2026, 11, 1)))
    found = rows(api(admin))
    assert billed([row for row in found if row["BillingAccountId"] == bills.PAYER]) == bills.total(LINES)
    assert any(row["BillingAccountId"] == MANAGEMENT for row in found)
    refused = api(admin).get("/api/costs/export", {**RANGE, "region": "us-east-1"}).json()
    assert refused["code"] == "not_stored"
    assert "the range has others" in refused["detail"]
    assert api(admin).get("/api/costs/export", {**RANGE, "region": "us-esat-1"}).json()["code"] == "unknown_value"


def test_a_report_of_cur_goes_out_as_focus(api: Api, admin: User) -> None:
    columns = [*bills.CUR, "lineItem/ResourceId", "product/sku", "lineItem/UsageAmount", "pricing/unit", "resourceTags/user:team"]
    line = bills.cur_row() | {
        "lineItem/ResourceId": "bucket", "product/sku": "ABC", "lineItem/UsageAmount": "7", "pricing/unit": "GB-Mo",
        "resourceTags/user:team": "web",
    }  # fmt: skip
    bills.store(bills.text([line], columns), admin)
    [found] = rows(api(admin))
    told = ("ResourceId", "SkuId", "PricingQuantity", "ConsumedUnit", "Tags", "ServiceName", "RegionId", "ChargeCategory")
    assert [found[name] for name in told] == [
        "bucket", "ABC", "7", "GB-Mo", '{"team":"web"}', "Amazon Simple Storage Service", "eu-central-1", "Usage",
    ]  # fmt: skip


def test_nobody_reads_lines_of_accounts_that_they_may_not_see(api: Api, admin: User) -> None:
    bills.store(bills.text(LINES, COLUMNS), admin)
    viewer = User.objects.create_user("vera", "vera@example.com", "correct horse battery", role=Role.VIEWER)
    theirs = books.source("599999999999", "theirs", BillingScope.STANDALONE)
    Grant.objects.create(user=viewer, account=theirs.account, role=Role.VIEWER)
    assert rows(api(viewer)) == []
    payer = CostSource.objects.get(account__account_id=bills.PAYER)
    Grant.objects.create(user=viewer, account=payer.account, role=Role.VIEWER)
    assert billed(rows(api(viewer))) == bills.total(LINES)


def test_a_stored_file_offers_its_lines(client: Client, admin: User) -> None:
    row = bills.store(bills.text(LINES, COLUMNS), admin)
    client.force_login(admin)
    page = client.get(f"/costs/files/{row.pk}").content.decode()
    assert "detail=lines" in page
    answer = client.get("/costs/export?format=parquet&detail=lines&range=custom&start=2026-10-01&last=2026-10-31")
    assert b"".join(answer.streaming_content).startswith(b"PAR1")  # type: ignore[attr-defined]
    # From the explorer, narrowed by what no sum tells beside the kind of charge: lines by itself.
    narrowed = client.get("/costs/export?format=focus&region=us-east-1&range=custom&start=2026-10-01&last=2026-10-31")
    [line] = csv.DictReader(io.StringIO(b"".join(narrowed.streaming_content).decode()))  # type: ignore[attr-defined]
    assert line["ResourceId"] == "i-1"
