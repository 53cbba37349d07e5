"""/api/costs/export: exact to the control totals, what FOCUS's validator says, and the way back in."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import time_machine
from django.test import Client
from focus_data_toolkit import detect_focus_schema
from focus_data_toolkit.model.validator import lint_focus_1_4_structure
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.core.money import total
from costs.models import CostFact, CostSlice, CostSource, ImportStatus
from costs.rules.cubes import Cube
from costs.rules.windows import DayRange
from costs.tests import bills, books

Api = Callable[[User | None], APIClient]
DAYS = DayRange(date(2026, 10, 30), date(2026, 11, 2))
RANGE = {"start": "2026-10-30", "end": "2026-11-02"}


@pytest.fixture(autouse=True)
def _midday(db: None) -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def payer() -> CostSource:
    source = books.source("111111111111", "management")
    books.fill(source, DAYS)
    return source


def fetched(api: APIClient, **asked: str) -> bytes:
    answer = api.get("/api/costs/export", {**RANGE, **asked})
    assert answer.status_code == 200, answer.json()
    return b"".join(answer.streaming_content)  # type: ignore[attr-defined]


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode())))


def control(metric: str) -> Decimal:
    return total(CostSlice.objects.filter(cube=Cube.TOTAL).values_list(metric, flat=True))


def test_focus_adds_up_to_the_control_totals_to_the_last_digit(api: Api, admin: User, payer: CostSource) -> None:
    rows = rows_of(fetched(api(admin), format="focus"))
    for column, metric in {
        "BilledCost": "unblended",
        "EffectiveCost": "amortized",
        "x_NetAmortizedCost": "net_amortized",
    }.items():
        assert total(Decimal(row[column]) for row in rows) == control(metric)
    assert {row["BillingAccountId"] for row in rows} == {"111111111111"}
    assert {row["RegionId"] for row in rows} == {""}  # not stored beside the kind of charge, so not guessed
    assert {row["ChargeCategory"] for row in rows} >= {"Usage", "Credit", "Purchase"}


def test_what_aws_told_in_no_group_is_a_row_of_its_own(api: Api, admin: User, payer: CostSource) -> None:
    fact = CostFact.objects.filter(cube=Cube.SERVICE_RECORD_TYPE).exclude(unblended=0).order_by("pk").first()
    assert fact is not None
    fact.delete()
    rows = rows_of(fetched(api(admin), format="focus"))
    [residual] = [row for row in rows if row["x_RecordType"] == "Residual"]
    assert Decimal(residual["BilledCost"]) == fact.unblended
    assert total(Decimal(row["BilledCost"]) for row in rows) == control("unblended")


def test_a_public_validator_takes_the_file_for_focus_1_2_and_finds_nothing_wrong(
    api: Api, admin: User, payer: CostSource
) -> None:
    rows = rows_of(fetched(api(admin), format="focus"))
    found = detect_focus_schema(rows[0])
    assert (found.dataset, found.detected_version, found.exact_match, found.confidence) == ("Cost and Usage", "1.2", True, "HIGH")
    report = lint_focus_1_4_structure("Cost and Usage", rows)
    # Its rules are those of 1.4: columns that came later are missing, and the two that went away are unknown to it.
    later = {"ServiceProviderName", "HostProviderName", "ProviderName", "PublisherName"}
    wrong = [one for one in report.violations if one.column not in later]
    assert not wrong, wrong[:5]


def test_what_a_commitment_did_not_cover_is_usage(api: Api, admin: User, payer: CostSource) -> None:
    """FOCUS 1.2: a purchase that covers later charges is effective for nothing, and no cost is lost or told twice by that."""
    rows = rows_of(fetched(api(admin), format="focus"))
    fees = [row for row in rows if row["x_RecordType"] == "SavingsPlanRecurringFee"]
    assert {row["ChargeCategory"] for row in fees} == {"Purchase", "Usage"}
    assert {row["EffectiveCost"] for row in fees if row["ChargeCategory"] == "Purchase"} == {"0"}
    assert {row["BilledCost"] for row in fees if row["ChargeCategory"] == "Usage"} == {"0"}
    for column, metric in (("BilledCost", "unblended"), ("EffectiveCost", "amortized"), ("x_NetAmortizedCost", "net_amortized")):
        assert total(Decimal(row[column]) for row in rows) == control(metric)


def test_parquet_holds_the_same_with_types(api: Api, admin: User, payer: CostSource, tmp_path: Path) -> None:
    path = tmp_path / "export.parquet"
    path.write_bytes(fetched(api(admin), format="parquet"))
    asked = "SELECT COUNT(*), SUM(BilledCost), TYPEOF(FIRST(ChargePeriodStart)), COUNT(RegionId) FROM read_parquet(?)"
    [(count, billed, kind, region)] = duckdb.execute(asked, [str(path)]).fetchall()
    assert (count, billed) == (len(rows_of(fetched(api(admin), format="focus"))), control("unblended"))
    assert (kind, region) == ("TIMESTAMP WITH TIME ZONE", 0)


def test_plain_csv_is_the_answer_of_the_api(api: Api, admin: User, payer: CostSource) -> None:
    rows = rows_of(fetched(api(admin), group_by="service,record_type", charge_type="credit", metric="amortized"))
    asked = {**RANGE, "group_by": "service,record_type", "charge_type": "credit", "metric": "amortized"}
    answer = api(admin).get("/api/costs", asked).json()
    assert total(Decimal(row["amount"]) for row in rows) == Decimal(answer["total"])
    assert {row["record_type"] for row in rows} == {"Credit"}
    whole = rows_of(fetched(api(admin)))
    assert {row["kind"] for row in whole} == {"total"}
    assert total(Decimal(row["amount"]) for row in whole) == control("unblended")


def test_what_is_not_stored_together_is_refused_before_anything_is_sent(api: Api, admin: User, payer: CostSource) -> None:
    answer = api(admin).get("/api/costs/export", {**RANGE, "format": "focus", "region": "us-east-1"})
    assert (answer.status_code, answer.json()["code"]) == (400, "not_stored")
    assert api(admin).get("/api/costs/export", {"format": "xlsx"}).status_code == 400


def test_nothing_stored_is_a_header_and_no_rows(api: Api, admin: User) -> None:
    assert rows_of(fetched(api(admin), format="focus")) == []
    assert rows_of(fetched(api(admin))) == []


def test_a_name_that_a_spreadsheet_would_run_is_defused(api: Api, admin: User) -> None:
    bills.store(bills.text([bills.focus_row(ServiceName='=HYPERLINK("http://x")', ChargePeriodStart="2026-10-30")]), admin)
    assert rows_of(fetched(api(admin), format="focus"))[0]["ServiceName"] == '\'=HYPERLINK("http://x")'


@pytest.mark.parametrize("shape", ["focus", "parquet"])
def test_what_is_exported_here_and_imported_elsewhere_has_the_same_totals(
    api: Api, admin: User, payer: CostSource, shape: str
) -> None:
    asked = {**RANGE, "group_by": "service,record_type", "granularity": "monthly"}
    before = api(admin).get("/api/costs", asked).json()
    content = fetched(api(admin), format=shape)
    CostSource.objects.all().delete()
    CostFact.objects.all().delete()
    row = bills.store(content, admin)
    assert row.status == ImportStatus.COMMITTED, row.error_detail
    after = api(admin).get("/api/costs", asked).json()
    assert after["total"] == before["total"]
    assert [[group for group in period["groups"] if group["amount"] != "0"] for period in after["results"]] == [
        [group for group in period["groups"] if group["amount"] != "0"] for period in before["results"]
    ]
    for metric in ("amortized", "net_unblended", "net_amortized"):
        assert api(admin).get("/api/costs", {**RANGE, "metric": metric}).json()["total"] is not None


def test_the_page_offers_every_export_of_the_report(client: Client, admin: User, payer: CostSource) -> None:
    client.force_login(admin)
    page = client.get("/costs", {"range": "custom", **RANGE}).content.decode()
    assert "/costs/export?range=custom&amp;start=2026-10-30&amp;end=2026-11-02&amp;format=focus" in page
    answer = client.get("/costs/export", {**RANGE, "format": "focus"})
    rows = rows_of(b"".join(answer.streaming_content))  # type: ignore[attr-defined]
    assert total(Decimal(row["BilledCost"]) for row in rows) == control("unblended")


def test_the_page_says_what_focus_cannot_be_narrowed_by(client: Client, admin: User, payer: CostSource) -> None:
    client.force_login(admin)
    refused = client.get("/costs/export", {**RANGE, "format": "focus", "region": "us-east-1"})
    assert refused.status_code == 400
    assert "or export every row as plain CSV" in refused.content.decode()
    answer = client.get("/costs/export", {**RANGE, "format": "csv", "region": "us-east-1"})
    assert answer.status_code == 200
