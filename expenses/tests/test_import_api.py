"""/api/expenses/imports: sent, mapped, decided about, imported, taken back, by whom."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from rest_framework.test import APIClient

from accounts.models import User
from expenses.models import WorkspaceMember
from expenses.rules.statuses import MemberRole
from expenses.services import workspaces
from expenses.services.importing import runs
from expenses.tests.sending import coffees, csv_of, received, said, staged

Api = Callable[[User | None], APIClient]
IMPORTS = "/api/expenses/imports"


def sent(client: APIClient, data: bytes, name: str = "bank.csv", **more: object) -> Any:
    file = io.BytesIO(data)
    file.name = name
    return client.post(IMPORTS, {"file": file, **more}, format="multipart")


def test_a_file_goes_from_the_api_to_the_expenses_and_back(api: Api, viewer: User) -> None:
    client = api(viewer)
    answer = sent(client, coffees(2) + b"yesterday,Shop,1.00,EUR\n")
    assert (answer.status_code, answer.json()["status"], answer.json()["source"]) == (201, "staging", "bank"), answer.json()
    address, pk = answer["Location"], answer.json()["id"]
    runs.run(batch_id=pk)
    told = client.get(address).json()
    assert (told["status"], told["counts"]) == ("ready", {"new": 1, "duplicate_in_file_kept": 1, "invalid": 1})
    assert told["tally"] == {"to_create": 2, "to_update": 0, "undecided": 0}
    rows = client.get(f"{address}/rows", {"verdict": "invalid"}).json()["results"]
    assert [(row["number"], row["is_taken"], row["raw"]["Date"]) for row in rows] == [(4, False, "yesterday")]
    assert client.post(f"{address}/commit").status_code == 202
    runs.run(batch_id=pk)
    assert (client.get(address).json()["created"], len(said())) == (2, 2)
    download = b"".join(client.get(f"{address}/rejected").streaming_content).decode()  # type: ignore[attr-defined]
    assert download.splitlines() == [
        "row,verdict,reason,Date,Payee,Amount,Currency",
        "4,invalid,“yesterday” is not a day like 2026-01-31.,yesterday,Shop,1.00,EUR",
    ]
    assert client.post(f"{address}/rollback", {}, format="json").status_code == 202
    runs.run(batch_id=pk)
    assert (client.get(address).json()["status"], said()) == ("rolled_back", [])


def test_a_download_of_rows_runs_in_no_spreadsheet(api: Api, viewer: User) -> None:
    batch = staged(csv_of("=cmd(),@x,1.00,EUR"), viewer)
    download = b"".join(api(viewer).get(f"{IMPORTS}/{batch.pk}/rejected").streaming_content).decode()  # type: ignore[attr-defined]
    assert "'=cmd(),'@x,1.00,EUR" in download


def test_where_it_is_not_clear_a_file_waits_and_is_mapped(api: Api, viewer: User) -> None:
    client = api(viewer)
    told = sent(client, csv_of("03/04/2026,Baker,7.00", header="Day X,Who,Sum\n")).json()
    assert (told["status"], told["lacks"]) == ("mapping", [])  # day or month first?
    assert told["reading"]["is_sure"] is False
    address = f"{IMPORTS}/{told['id']}"
    change = {"reading": {"dates": "mdy", "columns": {"date": "Day X", "payee": "Who", "amount": "Sum"}, "currency": "CHF"}}
    answer = client.patch(address, {**change, "source": "My bank"}, format="json")
    assert (answer.status_code, answer.json()["status"], answer.json()["source"]) == (200, "staging", "My bank")
    [row] = client.get(f"{address}/preview").json()
    assert (row["parsed"]["date"], row["parsed"]["currency"]) == ("2026-03-04", "CHF")
    [mapping] = client.get("/api/expenses/import-mappings").json()["results"]
    assert client.delete(f"/api/expenses/import-mappings/{mapping['id']}").status_code == 204
    assert client.patch(address, {"reading": {"columns": {"nonsense": "Who"}}}, format="json").status_code == 400
    assert client.patch(address, {"layout": {"delimiter": "x"}}, format="json").status_code == 400


def test_the_way_the_bytes_are_read_can_be_changed(api: Api, viewer: User) -> None:
    client = api(viewer)
    told = sent(client, "Date,Payee,Amount,Currency\n2026-01-05,CafÃ©,3.50,EUR\n".encode(), stage="false").json()
    address = f"{IMPORTS}/{told['id']}"
    answer = client.patch(address, {"layout": {"delimiter": ";", "skip": 0}, "stage": False}, format="json").json()
    assert answer["columns"] == ["Date,Payee,Amount,Currency"]
    assert answer["lacks"]
    assert client.patch(address, {}, format="json").json()["code"] == "mapping_incomplete"


def test_how_columns_are_read_can_be_said_and_looked_at_before_anything_is_judged(api: Api, viewer: User) -> None:
    batch = received(b"Day,Shop,Cost\n01/02/2026,Laden,3.50\n", viewer)
    address = f"/api/expenses/imports/{batch.pk}"
    said = {"reading": {"dates": "mdy"}, "source": "my bank", "stage": False}
    told = api(viewer).patch(address, said, format="json").json()
    assert (told["status"], told["source"], told["reading"]["dates"]) == ("mapping", "my bank", "mdy")
    assert [row["parsed"]["date"] for row in api(viewer).get(f"{address}/preview").json()] == ["2026-01-02"]
    wrong = api(viewer).patch(address, {"reading": {"columns": {"date": "No such"}}, "stage": False}, format="json")
    assert wrong.json()["code"] == "mapping_incomplete"


def test_rows_are_decided_about(api: Api, viewer: User) -> None:
    batch = staged(coffees(2), viewer)
    address = f"{IMPORTS}/{batch.pk}/decide"
    answer = api(viewer).post(address, {"decision": "leave", "rows": [2]}, format="json")
    assert answer.json() == {"changed": 1, "tally": {"to_create": 1, "to_update": 0, "undecided": 0}}
    assert api(viewer).post(address, {"decision": "leave"}, format="json").status_code == 400
    assert api(viewer).post(address, {"decision": "", "verdict": "new"}, format="json").json()["tally"]["to_create"] == 2


def test_what_is_no_table_is_refused_in_plain_words(api: Api, viewer: User) -> None:
    for data, code in [(b"", "file_empty"), (b"%PDF-1.7", "file_unreadable"), (b"Date,Amount\n", "file_empty")]:
        answer = sent(api(viewer), data)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert api(viewer).get(IMPORTS).json()["results"] == []


def test_what_cannot_be_done_now_is_a_conflict(api: Api, viewer: User) -> None:
    batch = staged(coffees(1), viewer)
    for action in ("rollback", "retry"):
        answer = api(viewer).post(f"{IMPORTS}/{batch.pk}/{action}", {}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (409, "import_state")
    assert api(viewer).delete(f"{IMPORTS}/{batch.pk}").status_code == 204
    assert api(viewer).post(f"{IMPORTS}/{batch.pk}/commit").status_code == 409


def test_nobody_sees_or_touches_the_import_of_a_workspace_they_are_not_in(api: Api, viewer: User, stranger: User) -> None:
    batch = staged(coffees(1), viewer)
    for path in ("", "/rows", "/preview", "/conflicts", "/rejected"):
        assert api(stranger).get(f"{IMPORTS}/{batch.pk}{path}").status_code == 404
    for path in ("/commit", "/rollback", "/decide", "/retry"):
        assert api(stranger).post(f"{IMPORTS}/{batch.pk}{path}", {}, format="json").status_code == 404
    assert api(stranger).get(IMPORTS).json()["results"] == []
    assert api(stranger).get("/api/expenses/import-mappings").json()["results"] == []
    assert sent(api(stranger), coffees(1), workspace=batch.workspace_id).status_code == 404


def test_a_reader_of_a_workspace_looks_and_an_approver_acts(api: Api, viewer: User, stranger: User, admin: User) -> None:
    shared = workspaces.create(name="Team", currency="EUR", needs_approval=False, by=viewer)
    batch = staged(coffees(1), viewer, into=shared)
    member = WorkspaceMember.objects.create(workspace=shared, user=stranger, role=MemberRole.VIEWER)
    assert api(stranger).get(f"{IMPORTS}/{batch.pk}").status_code == 200
    assert api(stranger).post(f"{IMPORTS}/{batch.pk}/commit").status_code == 403
    assert sent(api(stranger), coffees(1), workspace=shared.pk).status_code == 403
    WorkspaceMember.objects.filter(pk=member.pk).update(role=MemberRole.APPROVER)
    assert api(stranger).post(f"{IMPORTS}/{batch.pk}/commit").status_code == 202
    assert api(admin).get(f"{IMPORTS}/{batch.pk}").status_code == 200
