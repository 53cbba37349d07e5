"""Receipts: kept without what else was in them, known again, and served harmlessly."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from rest_framework.test import APIClient

from accounts.models import User
from expenses.models import Expense, ReceiptFile
from expenses.tests import books

Api = Callable[[User | None], APIClient]


def picture(**options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "red").save(out, "JPEG", **options)
    return out.getvalue()


def test_a_receipt_loses_its_metadata_is_known_again_and_is_served_harmlessly(api: Api, viewer: User, stranger: User) -> None:
    one, two = books.spend(viewer), books.spend(viewer)
    exif = Image.Exif()
    exif[0x010E] = "taken at home, 52.52 N 13.40 E"
    sent = picture(exif=exif)
    client = api(viewer)

    def add(expense: Expense, content: bytes, name: str = "..\\evil/<x>.html") -> Any:
        file = SimpleUploadedFile(name, content, content_type="text/html")
        return client.post(f"/api/expenses/{expense.pk}/receipts", {"file": file}, format="multipart")

    made = add(one, sent).json()
    assert made["content_type"] == "image/jpeg"
    assert made["name"].endswith(".jpg")
    assert "<" not in made["name"]
    assert add(one, sent).json()["id"] == made["id"]
    add(two, sent)
    kept = ReceiptFile.objects.get()
    assert b"52.52" in sent
    assert b"52.52" not in bytes(kept.content)
    assert [one["id"] for one in client.get(f"/api/expenses/{one.pk}/receipts").json()["results"]] == [made["id"]]
    served = client.get(f"/api/expenses/receipts/{made['id']}")
    assert served["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert served["X-Content-Type-Options"] == "nosniff"
    assert served["Content-Disposition"].startswith("attachment")
    assert api(stranger).get(f"/api/expenses/receipts/{made['id']}").status_code == 404
    assert client.delete(f"/api/expenses/receipts/{made['id']}").status_code == 204
    assert ReceiptFile.objects.count() == 1


def document(password: str = "") -> bytes:
    """A PDF that says who wrote it, and does something when it is opened."""
    out, pdf = io.BytesIO(), pikepdf.new()
    page = pdf.add_blank_page()
    with pdf.open_metadata() as metadata:
        metadata["dc:creator"] = ["Ada at home"]
    pdf.docinfo["/Subject"] = "52.52 N 13.40 E"
    script = {"/S": pikepdf.Name.JavaScript, "/JS": pikepdf.String("app.alert(1)")}
    pdf.Root.OpenAction = pikepdf.Dictionary(script)
    pdf.Root.Names = pikepdf.Dictionary({"/JavaScript": pikepdf.Dictionary({"/Names": [pikepdf.String("x"), script]})})
    page.obj["/AA"] = pikepdf.Dictionary({"/O": pikepdf.Dictionary(script)})
    leads = pikepdf.Dictionary({"/S": pikepdf.Name.URI, "/URI": pikepdf.String("https://example.com/invoice")})
    launches = pikepdf.Dictionary({"/S": pikepdf.Name.Launch, "/F": pikepdf.String("calc.exe")})
    page.obj["/Annots"] = [pikepdf.Dictionary({"/Subtype": pikepdf.Name.Link, "/A": action}) for action in (leads, launches)]
    pdf.attachments["factur-x.xml"] = b"<invoice/>"
    pdf.save(out, compress_streams=False, encryption=pikepdf.Encryption(user=password, owner="o") if password else False)
    return out.getvalue()


def test_a_pdf_keeps_its_pages_and_attachments_and_loses_its_metadata_and_what_it_does(api: Api, viewer: User) -> None:
    one, sent = books.spend(viewer), document()
    assert all(word in sent for word in (b"52.52", b"Ada at home", b"app.alert", b"calc.exe"))
    for _ in range(2):
        file = SimpleUploadedFile("r.pdf", sent)
        made = api(viewer).post(f"/api/expenses/{one.pk}/receipts", {"file": file}, format="multipart").json()
        assert made["content_type"] == "application/pdf"
    kept = bytes(ReceiptFile.objects.get().content)
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(kept)) as pdf:
        assert (len(pdf.pages), pdf.attachments["factur-x.xml"].get_file().read_bytes()) == (1, b"<invoice/>")
        pdf.save(out, compress_streams=False, stream_decode_level=pikepdf.StreamDecodeLevel.all)
    assert b"https://example.com/invoice" in out.getvalue()
    assert not [word for word in (b"52.52", b"Ada", b"app.alert", b"calc.exe", b"Producer") if word in out.getvalue()]


UNREADABLE = [(document("secret"), "encrypted"), (document()[:300], "broken"), (b"%PDF-1.7", "broken")]


@pytest.mark.parametrize(("content", "why"), UNREADABLE, ids=["encrypted", "cut off", "empty"])
def test_a_pdf_that_cannot_be_opened_says_why(api: Api, viewer: User, content: bytes, why: str) -> None:
    one = books.spend(viewer)
    sent = {"file": SimpleUploadedFile("r.pdf", content)}
    answer = api(viewer).post(f"/api/expenses/{one.pk}/receipts", sent, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (400, "receipt_refused")
    assert why in answer.json()["detail"]


@pytest.mark.parametrize(
    "content", [b"<html><script>alert(1)</script>", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"", b"\xff\xd8\xff"]
)
def test_what_is_no_picture_and_no_pdf_is_no_receipt(api: Api, viewer: User, content: bytes) -> None:
    one = books.spend(viewer)
    file = SimpleUploadedFile("r.jpg", content or b" ", content_type="image/jpeg")
    answer = api(viewer).post(f"/api/expenses/{one.pk}/receipts", {"file": file}, format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (400, "receipt_refused")
