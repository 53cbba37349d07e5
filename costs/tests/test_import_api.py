"""/api/costs/imports and the pages: sent, looked at, stored, taken back, by whom."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from decimal import Decimal

import pytest
import time_machine
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from audit.models import AuditEvent
from costs.models import CostImport, ImportStatus
from costs.services.billing import runs
from costs.tests import bills, books

Api = Callable[[User | None], APIClient]


@pytest.fixture(autouse=True)
def _midday(db: None) -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


def file_of(*rows: dict[str, str], name: str = "october.csv") -> io.BytesIO:
    file = io.BytesIO(bills.text(rows))
    file.name = name
    return file


def test_a_file_goes_from_the_api_to_the_costs_and_back(api: Api, admin: User) -> None:
    file = file_of(bills.focus_row(BilledCost="0.000000000001"), bills.focus_row())
    sent = api(admin).post("/api/costs/imports", {"file": file}, format="multipart")
    assert sent.status_code == 201, sent.json()
    assert (sent.json()["status"], sent.json()["name"]) == ("received", "october.csv")
    address = sent["Location"]
    runs.run(import_id=sent.json()["id"])
    preview = api(admin).get(address).json()
    assert (preview["status"], preview["lines"], preview["faulty"]) == ("ready", 2, 0)
    [period] = preview["periods"]
    assert (period["account_id"], period["month"], period["unblended"]) == (bills.PAYER, "2026-10-01", "1.500000000001")
    assert (period["owner"], period["cost_explorer"], period["replaces"]) == ("", None, None)
    assert api(admin).post(f"{address}/commit", {}, format="json").status_code == 202
    runs.run(import_id=preview["id"])
    costs = api(admin).get("/api/costs", {"start": "2026-10-01", "end": "2026-11-01", "group_by": "service"}).json()
    assert (costs["total"], costs["residual"]) == ("1.500000000001", "0")
    assert AwsAccount.objects.get(account_id=bills.PAYER).alias == f"bill-{bills.PAYER}"
    assert api(admin).post(f"{address}/rollback").json()["status"] == "rolled_back"
    assert api(admin).get("/api/costs", {"start": "2026-10-01", "end": "2026-11-01"}).json()["total"] is None
    told = set(AuditEvent.objects.values_list("action", flat=True))
    assert told >= {"costs.import_received", "costs.import_accepted", "costs.import_committed", "costs.import_rolled_back"}


def test_the_same_file_again_answers_with_what_became_of_it(api: Api, admin: User) -> None:
    first = api(admin).post("/api/costs/imports", {"file": file_of(bills.focus_row())}, format="multipart")
    again = api(admin).post("/api/costs/imports", {"file": file_of(bills.focus_row())}, format="multipart")
    assert (first.status_code, again.status_code, again.json()["id"]) == (201, 200, first.json()["id"])


def test_faulty_lines_are_a_list_and_a_download_that_no_spreadsheet_runs(api: Api, admin: User) -> None:
    row = bills.send(bills.text([bills.focus_row(BilledCost="=cmd()")]), admin)
    listed = api(admin).get(f"/api/costs/imports/{row.pk}/rejected").json()["results"]
    assert listed == [{"line": 1, "column": "BilledCost", "value": "=cmd()", "reason": "is no number"}]
    download = api(admin).get(f"/api/costs/imports/{row.pk}/rejected", {"format": "csv"})
    assert b"".join(download.streaming_content) == b"line,column,value,reason\r\n1,BilledCost,'=cmd(),is no number\r\n"  # type: ignore[attr-defined]


def test_what_cannot_be_done_now_is_a_conflict(api: Api, admin: User) -> None:
    row = bills.send(bills.text([bills.focus_row()]), admin)
    answer = api(admin).post(f"/api/costs/imports/{row.pk}/rollback")
    assert (answer.status_code, answer.json()["code"]) == (409, "import_state")
    assert api(admin).delete(f"/api/costs/imports/{row.pk}").status_code == 204
    assert api(admin).get(f"/api/costs/imports/{row.pk}").json()["status"] == "discarded"


def test_others_neither_see_nor_store_a_file_of_accounts_they_do_not_hold(
    api: Api, admin: User, operator: User, viewer: User
) -> None:
    books.source("599999999999", "theirs")
    row = bills.send(bills.text([bills.focus_row()]), admin)
    for user in (operator, viewer):
        assert api(user).get("/api/costs/imports").json()["results"] == []
        assert api(user).get(f"/api/costs/imports/{row.pk}").status_code == 404
    assert api(viewer).post("/api/costs/imports", {"file": file_of(bills.focus_row())}, format="multipart").status_code == 403
    own = bills.send(bills.text([bills.focus_row()]), operator)
    refused = api(operator).post(f"/api/costs/imports/{own.pk}/commit", {}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (403, "permission_denied")


def test_the_pages_tell_the_same_and_store_it(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert "No billing file yet" in client.get("/costs/files").content.decode()
    answer = client.post(
        "/costs/files/send", {"file": file_of(bills.focus_row(BilledCost="1234.5"), bills.focus_row(BilledCost="x"))}
    )
    row = CostImport.objects.get()
    assert answer["Location"] == f"/costs/files/{row.pk}"
    runs.run(import_id=row.pk)
    page = client.get(answer["Location"]).content.decode()
    assert "1,234.50" in page
    assert "is no number" in page
    client.post(f"/costs/files/{row.pk}/store", {})
    runs.run(import_id=row.pk)
    row.refresh_from_db()
    assert row.status == ImportStatus.COMMITTED
    assert row.periods.get().unblended == Decimal("1234.5")
    assert f"bill-{bills.PAYER}" in client.get("/costs/files").content.decode()
    period = row.periods.get()
    client.post(f"/costs/files/{row.pk}/periods/{period.pk}", {"owner": "cost_explorer"})
    period.refresh_from_db()
    assert period.owner == "cost_explorer"


def test_a_bucket_is_added_on_its_page_and_wrong_names_are_told(client: Client, admin: User) -> None:
    books.source(bills.PAYER, "payer")
    client.force_login(admin)
    account = AwsAccount.objects.get()
    wrong = {"account": account.pk, "bucket": "No Bucket", "region": "moon", "engine": "athena"}
    page = client.post("/costs/files/buckets/add", wrong)
    assert page.status_code == 400
    for words in ("This is no name of a bucket.", "This is no region", "Athena needs the database"):
        assert words in page.content.decode()
    right = {"account": account.pk, "bucket": "exports", "region": "us-east-1", "engine": "duckdb", "folder": "focus/"}
    assert client.post("/costs/files/buckets/add", right).status_code == 302
    assert "s3://exports/focus" in client.get("/costs/files").content.decode()
    assert "is looked into already" in client.post("/costs/files/buckets/add", right).content.decode()
