"""The pages of an import, without a script, as a person goes through them."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from expenses.models import BatchStatus, ImportBatch
from expenses.services.importing import runs
from expenses.tests import books
from expenses.tests.sending import coffees, csv_of, said, staged

LIST = "/expenses/imports"


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def reading(batch: ImportBatch, **changes: str) -> dict[str, Any]:
    """What the form of the columns sends."""
    kept = batch.meaning
    columns = {f"column_{field}": column for field, column in kept.columns.items()}
    ways = {name: str(getattr(kept, name)) for name in ("dates", "decimal", "sign", "incoming", "currency", "payment_method")}
    return {**columns, **ways, "source": batch.source, **changes}


def test_a_person_sends_looks_imports_and_takes_back(viewer: User) -> None:
    client = signed_in(viewer)
    assert "No file yet" in client.get(LIST).content.decode()
    data = coffees(2) + b"yesterday,Shop,1.00,EUR\n"
    answer = client.post(f"{LIST}/send", {"file": SimpleUploadedFile("bank.csv", data)})
    batch = ImportBatch.objects.get()
    address = f"{LIST}/{batch.pk}"
    assert answer["Location"] == address
    page = client.get(address).content.decode()
    assert "Mon, 5 Jan 2026" in page
    assert "is not a day like" in page
    assert client.post(f"{address}/check", reading(batch))["Location"] == address
    assert "Rows are being checked" in client.get(address).content.decode()
    runs.run(batch_id=batch.pk)
    page = client.get(address).content.decode()
    assert "Import 2 rows" in page
    assert "No row with this verdict" in client.get(f"{address}?verdict=changed").content.decode()
    client.post(f"{address}/decide", {"decision": "leave", "row": "2", "back": ""})
    assert "Import 1 row" in client.get(address).content.decode()
    client.post(f"{address}/decide", {"decision": "take", "verdict": "new", "all": "yes"})
    client.post(f"{address}/commit")
    runs.run(batch_id=batch.pk)
    page = client.get(address).content.decode()
    assert "Take it back" in page
    assert len(said()) == 2
    assert "Edited since" not in client.get(f"{address}/roll-back").content.decode()
    client.post(f"{address}/roll-back", {"edited": "keep"})
    runs.run(batch_id=batch.pk)
    assert said() == []
    assert "Taken back" in client.get(address).content.decode()
    assert "bank.csv" in client.get(LIST).content.decode()


def test_the_preview_follows_the_form_and_a_form_that_says_too_little_stays(viewer: User) -> None:
    client = signed_in(viewer)
    client.post(f"{LIST}/send", {"file": SimpleUploadedFile("x.csv", csv_of("03/04/2026,Baker,7.00,EUR"))})
    batch = ImportBatch.objects.get()
    address = f"{LIST}/{batch.pk}"
    assert "Day or month first?" in client.get(address).content.decode()
    assert "4 Mar 2026" in client.get(f"{address}/preview", reading(batch, dates="mdy")).content.decode()
    assert "3 Apr 2026" in client.get(address, reading(batch, dates="dmy")).content.decode()
    answer = client.post(f"{address}/check", reading(batch, column_date=""))
    assert answer.status_code == 400
    assert "Say the column of the date" in answer.content.decode()
    client.post(f"{address}/layout", {"delimiter": ";", "encoding": "utf-8", "skip": "0", "has_header": "on"})
    assert ImportBatch.objects.get().columns == ["Date,Payee,Amount,Currency"]
    client.post(f"{address}/discard")
    assert ImportBatch.objects.get().status == BatchStatus.DISCARDED


def test_what_cannot_be_read_is_said_on_the_list(viewer: User) -> None:
    client = signed_in(viewer)
    for data, text in [(b"%PDF-1.7", "This is a PDF"), (b"", "submitted file is empty|nothing in the file")]:
        answer = client.post(f"{LIST}/send", {"file": SimpleUploadedFile("x", data)}, follow=True).content.decode()
        assert any(one in answer for one in text.split("|"))
    assert "Choose a file first" in client.post(f"{LIST}/send", follow=True).content.decode()
    team = books.shared(viewer)
    assert client.post(f"{LIST}/send", {"workspace": team.pk})["Location"] == f"{LIST}?workspace={team.pk}"
    assert not ImportBatch.objects.exists()


def test_a_page_of_rows_asks_the_database_as_often_for_many_as_for_few(viewer: User) -> None:
    client = signed_in(viewer)
    few, many = staged(coffees(2), viewer), staged(coffees(120), viewer)
    client.get(f"{LIST}/{few.pk}")
    with CaptureQueriesContext(connection) as of_few:
        client.get(f"{LIST}/{few.pk}")
    with CaptureQueriesContext(connection) as of_many:
        page = client.get(f"{LIST}/{many.pk}").content.decode()
    assert len(of_many) == len(of_few) <= 15
    assert page.count("<tr>") == 50 + 1
    assert f"after={ImportBatch.objects.get(pk=many.pk).rows.order_by('number')[49].number}" in page


def test_nobody_else_opens_the_pages_of_an_import(viewer: User, stranger: User) -> None:
    batch = staged(coffees(1), viewer)
    client = signed_in(stranger)
    for path in ("", "/preview", "/roll-back", "/not-imported"):
        assert client.get(f"{LIST}/{batch.pk}{path}").status_code == 404
    for path in ("/check", "/decide", "/commit", "/roll-back", "/columns", "/retry", "/discard", "/layout"):
        assert client.post(f"{LIST}/{batch.pk}{path}").status_code == 404
    assert "bank.csv" not in client.get(LIST).content.decode()
