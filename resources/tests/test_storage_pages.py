"""The pages about buckets and objects, as they work without any script."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import AwsAccount, User
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Bucket, Operation
from resources.services import buckets, operations
from resources.tests.conftest import Connected

pytestmark = pytest.mark.django_db
NAME, REGION = "pictures-of-november", "eu-central-1"
Browser = Callable[[User], Client]


@pytest.fixture
def browser() -> Browser:
    def signed_in(user: User) -> Client:
        client = Client(raise_request_exception=True)
        client.force_login(user)
        return client

    return signed_in


@pytest.fixture
def account(connected: Connected) -> AwsAccount:
    return connected("development")


@pytest.fixture
def bucket(account: AwsAccount, admin: User) -> Bucket:
    made = buckets.create(account=account, name=NAME, region=REGION, versioning=False, by=admin).bucket
    assert made is not None
    return made


def page_of(bucket: Bucket, what: str) -> str:
    return f"/s3/{bucket.account_id}/{bucket.name}/{what}"


def text_of(answer: Any) -> str:
    return unescape(re.sub(r"<[^>]+>", " ", answer.content.decode()))


def upload(client: Client, bucket: Bucket, **files: bytes) -> Any:
    sent = [SimpleUploadedFile(name.replace("_", "."), content) for name, content in files.items()]
    return client.post(page_of(bucket, "upload"), {"file": sent, "prefix": "2026/"}, follow=True)


def test_a_form_makes_a_bucket_and_leads_to_its_page(browser: Browser, admin: User, account: AwsAccount) -> None:
    wish = {"account": str(account.pk), "name": NAME, "region": REGION, "versioning": "on"}
    made = browser(admin).post("/s3/create", wish, follow=True)
    assert made.redirect_chain[-1][0] == f"/s3/{account.pk}/{NAME}"
    assert Bucket.objects.get(name=NAME).versioning == "enabled"


@pytest.mark.parametrize(("field", "value"), [("name", "Bad_Name"), ("region", "mars-north-1"), ("account", "999")])
def test_what_cannot_be_is_said_at_its_field(browser: Browser, admin: User, account: AwsAccount, field: str, value: str) -> None:
    wish = {"account": str(account.pk), "name": NAME, "region": REGION, field: value}
    refused = browser(admin).post("/s3/create", wish)
    assert refused.status_code == 400
    assert refused.context["form"].errors[field]


def test_several_files_are_stored_below_the_folder_that_is_looked_at(browser: Browser, admin: User, bucket: Bucket) -> None:
    told = text_of(upload(browser(admin), bucket, a_txt=b"one", b_txt=b"two"))
    assert "2026/a.txt is stored." in told
    listing = text_of(browser(admin).get(page_of(bucket, "objects"), {"prefix": "2026/"}))
    assert "a.txt" in listing
    assert "b.txt" in listing
    assert "2026/" in text_of(browser(admin).get(page_of(bucket, "objects")))


def test_a_file_of_the_same_name_is_left_alone_unless_it_is_to_be_replaced(browser: Browser, admin: User, bucket: Bucket) -> None:
    upload(browser(admin), bucket, a_txt=b"one")
    assert "left as it is" in text_of(upload(browser(admin), bucket, a_txt=b"another"))


def test_a_download_leads_to_s3_and_is_called_as_its_key(browser: Browser, admin: User, bucket: Bucket) -> None:
    upload(browser(admin), bucket, a_txt=b"one")
    led = browser(admin).get(page_of(bucket, "download"), {"key": "2026/a.txt"})
    assert led.status_code == 302
    assert "X-Amz-Signature" in led["Location"]
    assert "a.txt" in led["Location"]
    assert led["Cache-Control"] == "no-store"


def test_a_link_to_share_is_shown_once(browser: Browser, admin: User, bucket: Bucket) -> None:
    asked = browser(admin).post(page_of(bucket, "share"), {"key": "2026/a.txt", "seconds": "3600"})
    assert "X-Amz-Expires=3600" in text_of(asked)
    assert "X-Amz-Signature" not in text_of(browser(admin).get(page_of(bucket, "share"), {"key": "2026/a.txt"}))
    assert browser(admin).post(page_of(bucket, "share"), {"key": "a", "seconds": "999999"}).status_code == 400


def test_keys_that_look_like_markup_are_only_text(browser: Browser, admin: User, bucket: Bucket) -> None:
    client = browser(admin)
    evil = "<img src=x onerror=alert(1)>.txt"
    stored = client.post(
        "/api/s3/upload",
        {"bucket": NAME, "key": f"2026/{evil}", "file": SimpleUploadedFile("f", b"x")},
        HTTP_ACCEPT="application/json",
    )
    assert stored.status_code == 201, stored.content
    for path in ("", "versions=yes"):
        page = client.get(f"{page_of(bucket, 'objects')}?prefix=2026/&{path}").content.decode()
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;.txt" in page


def test_chosen_objects_are_named_before_they_are_deleted_and_several_want_the_buckets_name(
    browser: Browser, admin: User, bucket: Bucket
) -> None:
    client = browser(admin)
    upload(client, bucket, a_txt=b"one", b_txt=b"two")
    chosen = ['["2026/a.txt", ""]', '["2026/b.txt", ""]']
    shown = client.post(page_of(bucket, "objects/delete"), {"object": chosen})
    assert "2026/b.txt" in text_of(shown)
    assert not Operation.objects.filter(action="s3.delete_objects").exists()
    refused = client.post(page_of(bucket, "objects/delete"), {"object": chosen, "sure": "yes", "confirm": "yes"})
    assert refused.status_code == 400
    asked = client.post(page_of(bucket, "objects/delete"), {"object": chosen, "sure": "yes", "confirm": NAME})
    operation = Operation.objects.get(action="s3.delete_objects")
    assert asked["Location"] == f"/operations/{operation.pk}"
    operations.run(operation_id=operation.pk)
    assert "Nothing here" in text_of(client.get(page_of(bucket, "objects"), {"prefix": "2026/"}))


@pytest.mark.parametrize("chosen", [[], ["no json"], ['["", ""]'], ["[1, 2]"], ["[]"], ["{}"]])
def test_nonsense_chosen_deletes_nothing(browser: Browser, admin: User, bucket: Bucket, chosen: list[str]) -> None:
    answer = browser(admin).post(page_of(bucket, "objects/delete"), {"object": chosen, "sure": "yes", "confirm": NAME})
    assert answer["Location"] == page_of(bucket, "objects")
    assert not Operation.objects.filter(action="s3.delete_objects").exists()


def test_emptying_and_deleting_want_the_name_typed(browser: Browser, admin: User, bucket: Bucket) -> None:
    client = browser(admin)
    upload(client, bucket, a_txt=b"one")
    refused = client.post(page_of(bucket, "remove"), {"what": "both", "confirm": "wrong"})
    assert refused.status_code == 400
    full = client.post(page_of(bucket, "remove"), {"what": "delete", "confirm": NAME})
    assert (full.status_code, "not empty" in text_of(full) or "There is something" in text_of(full)) == (409, True)
    asked = client.post(page_of(bucket, "remove"), {"what": "both", "confirm": NAME})
    operation = Operation.objects.get(action="s3.delete")
    assert asked["Location"] == f"/operations/{operation.pk}"
    operations.run(operation_id=operation.pk)
    assert Bucket.objects.get(name=NAME).gone_at is not None


def test_an_operator_in_production_is_told_that_somebody_else_has_to_agree(
    browser: Browser, operator: User, admin: User, connected: Connected
) -> None:
    made = buckets.create(
        account=connected("development", environment="production"), name=NAME, region=REGION, versioning=False, by=admin
    ).bucket
    assert made is not None
    client = browser(operator)
    assert "second person has to approve" in text_of(client.get(page_of(made, "remove")))
    told = client.post(page_of(made, "remove"), {"what": "delete", "confirm": NAME}, follow=True)
    assert "waits for a second person" in text_of(told)


def test_a_viewer_sees_no_way_in_and_finds_none(browser: Browser, viewer: User, bucket: Bucket) -> None:
    client = browser(viewer)
    shown = client.get(page_of(bucket, "").rstrip("/")).content.decode()
    assert page_of(bucket, "objects") not in shown
    assert page_of(bucket, "remove") not in shown
    for path in ("objects", "share?key=a", "download?key=a", "remove"):
        assert client.get(page_of(bucket, path)).status_code == 403
    assert client.get("/s3/create").status_code == 403


def test_a_bucket_that_aws_no_longer_shows_reads_as_trouble_and_not_as_empty(
    browser: Browser, admin: User, bucket: Bucket, simulator: SimulatorHandle
) -> None:
    simulator.reset()
    answer = browser(admin).get(page_of(bucket, "objects"))
    assert answer.status_code == 404
    assert "NoSuchBucket" in text_of(answer)
    assert "The bucket is empty" not in text_of(answer)
