"""Making, filling, browsing, emptying and deleting buckets, through the API and against the simulated S3."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from typing import Any
from urllib.request import urlopen

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from audit.models import AuditEvent
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Bucket, Operation
from resources.services import operations
from resources.tests.conftest import Connected

Api = Callable[[User | None], APIClient]
pytestmark = pytest.mark.django_db
NAME, REGION = "reports-of-november", "eu-central-1"


@pytest.fixture
def account(connected: Connected) -> AwsAccount:
    return connected("development")


@pytest.fixture
def client(api: Api, admin: User) -> APIClient:
    return api(admin)


def create(client: APIClient, account: AwsAccount, name: str = NAME, **more: Any) -> Any:
    return client.post("/api/s3/create", {"account": account.alias, "name": name, "region": REGION, **more}, format="json")


def upload(client: APIClient, key: str, content: bytes, **more: Any) -> Any:
    body = {"bucket": NAME, "key": key, "file": SimpleUploadedFile("f", content), **more}
    return client.post("/api/s3/upload", body, format="multipart")


def finish(answer: Any) -> Operation:
    """Do what a worker does with the operation that was answered with."""
    assert answer.status_code == 202, answer.content
    operations.run(operation_id=answer.json()["id"])
    return Operation.objects.get(pk=answer.json()["id"])


def test_a_bucket_is_made_private_and_encrypted_and_is_in_the_inventory_at_once(client: APIClient, account: AwsAccount) -> None:
    made = create(client, account, versioning=True)
    assert made.status_code == 201, made.content
    told = made.json()
    assert (told["name"], told["region"], told["account"]) == (NAME, REGION, account.pk)
    assert told["public_access_blocked"] is True
    assert (told["versioning"], told["encryption"]) == ("enabled", "AES256")
    assert [row["name"] for row in client.get("/api/s3/buckets", {"search": NAME}).json()["results"]] == [NAME]
    assert Operation.objects.get(action="s3.create").status == "succeeded"


@pytest.mark.parametrize(
    ("wish", "attr"),
    [
        ({"name": "Bad_Name"}, "name"),
        ({"name": "192.168.1.1"}, "name"),
        ({"region": "mars-north-1"}, "region"),
        ({"region": "ap-east-1"}, "region"),
        ({"region": "eu-central-1.evil.example"}, "region"),
    ],
)
def test_a_bucket_that_cannot_be_is_refused_before_aws_is_asked(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle, wish: dict[str, str], attr: str
) -> None:
    simulator.clear_calls()
    refused = client.post("/api/s3/create", {"account": account.alias, "name": NAME, "region": REGION, **wish}, format="json")
    assert refused.status_code == 400, refused.content
    assert refused.json()["errors"][0]["attr"] == attr
    assert simulator.calls() == []


def test_a_name_that_is_taken_is_a_conflict(client: APIClient, account: AwsAccount) -> None:
    assert create(client, account).status_code == 201
    again = create(client, account)
    assert (again.status_code, again.json()["code"]) == (409, "bucket_name_taken")


def test_what_is_uploaded_is_listed_and_downloaded_byte_by_byte(client: APIClient, account: AwsAccount) -> None:
    create(client, account)
    content = os.urandom(70_000)
    stored = upload(client, "2026/november/ümlaut & co.bin", content)
    assert stored.status_code == 201, stored.content
    assert (stored.json()["size"], stored.json()["bucket"]) == (len(content), NAME)
    top = client.get(f"/api/s3/{NAME}/objects").json()
    assert (top["folders"], top["objects"]) == ([{"name": "2026", "prefix": "2026/"}], [])
    below = client.get(f"/api/s3/{NAME}/objects", {"prefix": "2026/november/"}).json()
    assert [(found["name"], found["size"]) for found in below["objects"]] == [("ümlaut & co.bin", len(content))]
    link = client.post(f"/api/s3/{NAME}/presign", {"key": "2026/november/ümlaut & co.bin"}, format="json").json()
    with urlopen(link["url"]) as answer:  # noqa: S310 - of the simulator
        got = answer.read()
        assert "attachment" in answer.headers["Content-Disposition"]
    assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()


def test_a_link_is_in_no_row_of_any_table(client: APIClient, account: AwsAccount) -> None:
    create(client, account)
    upload(client, "secret.txt", b"x")
    url = client.post(f"/api/s3/{NAME}/presign", {"key": "secret.txt"}, format="json").json()["url"]
    told = AuditEvent.objects.get(action="object.linked")
    assert (told.subject, told.target) == (NAME, "secret.txt")
    signature = url.rpartition("X-Amz-Signature=")[2]
    assert signature
    assert signature not in str(list(AuditEvent.objects.values())) + str(list(Operation.objects.values()))


def test_nothing_is_overwritten_where_that_was_not_wished_for(client: APIClient, account: AwsAccount) -> None:
    create(client, account)
    upload(client, "a.txt", b"first")
    refused = upload(client, "a.txt", b"second", if_absent="true")
    assert (refused.status_code, refused.json()["code"]) == (409, "object_exists")
    assert client.get(f"/api/s3/{NAME}/objects").json()["objects"][0]["size"] == len(b"first")
    assert upload(client, "a.txt", b"longer", if_absent="false").status_code == 201
    assert client.get(f"/api/s3/{NAME}/objects").json()["objects"][0]["size"] == len(b"longer")


def test_a_file_larger_than_one_part_arrives_whole(client: APIClient, account: AwsAccount, simulator: SimulatorHandle) -> None:
    create(client, account)
    content = os.urandom(1024) * (17 * 1024)
    simulator.clear_calls()
    assert upload(client, "large.bin", content).json()["size"] == len(content)
    assert "UploadPart" in [call.operation for call in simulator.calls()]
    url = client.post(f"/api/s3/{NAME}/presign", {"key": "large.bin"}, format="json").json()["url"]
    with urlopen(url) as answer:  # noqa: S310 - of the simulator
        assert hashlib.sha256(answer.read()).digest() == hashlib.sha256(content).digest()


@pytest.mark.parametrize("key", ["", "../escape", "a/./b", "bell\x07", "x" * 1025])
def test_a_key_that_would_do_harm_is_refused(client: APIClient, account: AwsAccount, key: str) -> None:
    create(client, account)
    assert upload(client, key, b"x").status_code == 400


def test_a_bucket_that_is_not_empty_stays_unless_it_is_emptied_as_well(client: APIClient, account: AwsAccount) -> None:
    create(client, account)
    upload(client, "a.txt", b"x")
    unconfirmed = client.delete(f"/api/s3/{NAME}")
    assert (unconfirmed.status_code, unconfirmed.json()["code"]) == (400, "confirmation_required")
    refused = client.delete(f"/api/s3/{NAME}?confirm={NAME}")
    assert (refused.status_code, refused.json()["code"]) == (409, "bucket_not_empty")
    done = finish(client.delete(f"/api/s3/{NAME}?confirm={NAME}&empty=true"))
    assert (done.status, done.result["objects"]) == ("succeeded", 1), done.outcome_detail
    assert Bucket.objects.get(name=NAME).gone_at is not None
    assert client.get(f"/api/s3/{NAME}/objects").status_code == 404


def test_deleting_an_object_of_a_bucket_with_versions_leaves_a_marker_that_can_be_deleted(
    client: APIClient, account: AwsAccount
) -> None:
    create(client, account, versioning=True)
    upload(client, "a.txt", b"x")
    done = finish(client.delete(f"/api/s3/{NAME}/objects?key=a.txt"))
    assert (done.status, done.result) == ("succeeded", {"deleted": 0, "markers": 1}), done.outcome_detail
    assert client.get(f"/api/s3/{NAME}/objects").json()["objects"] == []
    versions = client.get(f"/api/s3/{NAME}/objects?versions=true").json()["objects"]
    assert sorted(found["is_delete_marker"] for found in versions) == [False, True]
    marker = next(found for found in versions if found["is_delete_marker"])
    finish(client.delete(f"/api/s3/{NAME}/objects", {"key": "a.txt", "version_id": marker["version_id"]}, format="json"))
    assert [found["key"] for found in client.get(f"/api/s3/{NAME}/objects").json()["objects"]] == ["a.txt"]


def test_deleting_waits_for_a_second_person_in_production(api: Api, admin: User, operator: User, connected: Connected) -> None:
    account = connected("development", environment="production")
    client = api(admin)
    create(client, account)
    asked = api(operator).delete(f"/api/s3/{NAME}?confirm={NAME}")
    assert (asked.status_code, asked.json()["status"]) == (202, "awaiting_approval")
    operations.run(operation_id=asked.json()["id"])
    assert Bucket.objects.get(name=NAME).gone_at is None
    own = api(operator).post(f"/api/operations/{asked.json()['id']}/approve")
    assert (own.status_code, own.json()["code"]) == (403, "own_operation")
    assert client.post(f"/api/operations/{asked.json()['id']}/approve").status_code == 200
    operations.run(operation_id=asked.json()["id"])
    assert Bucket.objects.get(name=NAME).gone_at is not None


def test_a_viewer_knows_the_bucket_but_not_what_is_in_it(api: Api, admin: User, viewer: User, account: AwsAccount) -> None:
    create(api(admin), account)
    upload(api(admin), "payroll.csv", b"x")
    client = api(viewer)
    assert client.get("/api/s3/buckets").json()["count"] == 1
    assert client.get(f"/api/s3/{NAME}/objects").status_code == 403
    assert client.post(f"/api/s3/{NAME}/presign", {"key": "payroll.csv"}, format="json").status_code == 403
    assert upload(client, "a", b"x").status_code == 403
    assert client.delete(f"/api/s3/{NAME}?confirm={NAME}").status_code == 403
    assert create(client, account, "another-one").status_code == 403


def test_for_a_stranger_there_is_no_bucket(api: Api, admin: User, stranger: User, account: AwsAccount) -> None:
    create(api(admin), account)
    client = api(stranger)
    assert client.get(f"/api/s3/{NAME}/objects").status_code == 404
    assert client.delete(f"/api/s3/{NAME}?confirm={NAME}").status_code == 404
    assert upload(client, "a", b"x").status_code == 404
    assert create(client, account, "another-one").status_code == 404


def test_what_is_switched_off_for_the_account_is_not_asked_of_aws(
    client: APIClient, account: AwsAccount, simulator: SimulatorHandle
) -> None:
    create(client, account)
    account.capabilities = ["s3.read"]
    account.save(update_fields=["capabilities"])
    simulator.clear_calls()
    for answer in (
        client.get(f"/api/s3/{NAME}/objects"),
        client.post(f"/api/s3/{NAME}/presign", {"key": "a"}, format="json"),
        upload(client, "a", b"x"),
        create(client, account, "another-one"),
        client.delete(f"/api/s3/{NAME}?confirm={NAME}"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "capability_off"), answer.content
    assert simulator.calls() == []
