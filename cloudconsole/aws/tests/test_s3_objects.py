"""Objects, their versions, deletions and links, against the simulated S3."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
import requests

from cloudconsole.aws import clients, s3
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.core import clock
from cloudconsole.simulator.process import SimulatorHandle

EU, US = "eu-central-1", "us-east-1"
VERSIONED, PLAIN = "example-dev-artifacts", "example-dev-lambda-code"
HOSTILE_KEY = "a/../b c+d%20&<x>\"'ü\r\n☃.txt"


@pytest.fixture
def access(simulator: SimulatorHandle) -> Access:
    return access_as(simulator, "development")


def put(access: Access, key: str, content: bytes = b"content", bucket: str = VERSIONED) -> s3.Uploaded:
    return s3.upload(access, EU, bucket, key, io.BytesIO(content))


def fetched(link: str) -> requests.Response:
    return requests.get(link, timeout=20)


def every_key(access: Access, bucket: str, region: str, **asked: object) -> list[str]:
    keys, token = [], None
    while True:
        page = s3.objects(access, region, bucket, token=token, **asked)  # type: ignore[arg-type]
        keys += [found.key for found in page.objects] + list(page.prefixes)
        if (token := page.next_token) is None:
            return keys


def test_folders_and_files_of_a_level_are_listed_apart(access: Access) -> None:
    put(access, "readme.txt")

    page = s3.objects(access, EU, VERSIONED)

    assert page.prefixes == ("builds/", "reports/")
    assert [(found.key, found.size) for found in page.objects] == [("readme.txt", 7)]


@pytest.mark.parametrize("delimiter", ["", "/"])
def test_pages_together_hold_each_key_once(simulator: SimulatorHandle, access: Access, delimiter: str) -> None:
    for folder in ("a/", "b/", "c/"):
        simulator.s3.fill("example-dev-scratch", 3, prefix=folder)
    simulator.s3.fill("example-dev-scratch", 4, prefix="top-")

    whole = every_key(access, "example-dev-scratch", US, delimiter=delimiter)
    in_pages = every_key(access, "example-dev-scratch", US, delimiter=delimiter, size=2)

    assert sorted(in_pages) == sorted(whole)
    assert len(whole) == (13 if not delimiter else 7)


def test_a_key_may_hold_any_character(access: Access) -> None:
    uploaded = put(access, HOSTILE_KEY, b"hostile")

    page = s3.objects(access, EU, VERSIONED, prefix="a/../", delimiter="")
    [version] = s3.object_versions(access, EU, VERSIONED, prefix="a/../").versions

    assert [found.key for found in page.objects] == [HOSTILE_KEY]
    assert (version.key, version.size, version.version_id) == (HOSTILE_KEY, 7, uploaded.version_id)


def test_a_key_that_xml_cannot_hold_is_deleted_too(access: Access) -> None:
    put(access, "bell\x07", bucket=PLAIN)

    assert [outcome.deleted for outcome in s3.delete_objects(access, EU, PLAIN, [("bell\x07", None)])] == [True]
    assert s3.objects(access, EU, PLAIN, prefix="bell").objects == ()


def test_versions_are_listed_newest_first_with_their_markers(access: Access) -> None:
    first, second = put(access, "report", b"1"), put(access, "report", b"22")
    s3.delete_objects(access, EU, VERSIONED, [("report", None)])

    found = s3.object_versions(access, EU, VERSIONED, prefix="report", delimiter="/").versions

    assert [(version.is_delete_marker, version.is_latest, version.size) for version in found] == [
        (True, True, None),
        (False, False, 2),
        (False, False, 1),
    ]
    assert [version.version_id for version in found[1:]] == [second.version_id, first.version_id]


def test_pages_of_versions_together_hold_each_once(access: Access) -> None:
    def all_versions(size: int) -> list[tuple[str, str]]:
        found, token = [], None
        while True:
            page = s3.object_versions(access, EU, VERSIONED, token=token, size=size)
            found += [(version.key, version.version_id) for version in page.versions]
            if (token := page.next_token) is None:
                return found

    assert all_versions(3) == all_versions(1_000)
    assert len(all_versions(1_000)) == 24


@pytest.mark.parametrize("token", ["nonsense", "W10=", "WzEsMl0=", "eyJhIjoxfQ==", "ü"])
def test_a_page_token_that_is_none_is_refused(access: Access, token: str) -> None:
    with pytest.raises(AwsError) as caught:
        s3.object_versions(access, EU, VERSIONED, token=token)
    assert caught.value.cause is AwsErrorKind.INVALID_REQUEST


def test_each_key_of_a_deletion_has_its_own_outcome(simulator: SimulatorHandle, access: Access) -> None:
    kept = put(access, "held/contract")
    simulator.s3.lock(VERSIONED, "held/")

    outcomes = s3.delete_objects(
        access, EU, VERSIONED, [("reports/reports-01.txt", None), ("held/contract", kept.version_id), ("never-was", "null")]
    )

    assert [(outcome.key, outcome.deleted, outcome.code) for outcome in outcomes] == [
        ("reports/reports-01.txt", True, ""),
        ("held/contract", False, "AccessDenied"),
        ("never-was", True, ""),
    ]
    assert outcomes[0].marker_version_id


def test_deleting_a_marker_brings_the_object_back(access: Access) -> None:
    put(access, "mistake", b"precious")
    [outcome] = s3.delete_objects(access, EU, VERSIONED, [("mistake", None)])
    assert s3.objects(access, EU, VERSIONED, prefix="mistake").objects == ()

    s3.delete_objects(access, EU, VERSIONED, [("mistake", outcome.marker_version_id)])

    assert [found.size for found in s3.objects(access, EU, VERSIONED, prefix="mistake").objects] == [8]


def test_emptying_takes_versions_markers_and_unfinished_uploads_along(simulator: SimulatorHandle, access: Access) -> None:
    simulator.s3.fill(VERSIONED, 1_205, prefix="many/")
    s3.delete_objects(access, EU, VERSIONED, [("builds/builds-01.txt", None)])
    with clients.acting_as(access):  # an upload whose process died in the middle
        clients.client("s3", EU).create_multipart_upload(Bucket=VERSIONED, Key="half")
    progress: list[int] = []

    done = s3.empty_bucket(access, EU, VERSIONED, on_progress=lambda so_far: progress.append(so_far.total))

    assert (done.objects, done.versions, done.markers, done.uploads, done.refused) == (1_205 + 15, 9, 1, 1, 0)
    assert progress == [1_000, 1_230, 1_231]
    s3.delete_bucket(access, EU, VERSIONED)


def test_emptying_passes_by_what_is_locked_and_says_so(simulator: SimulatorHandle, access: Access) -> None:
    put(access, "held/contract")
    simulator.s3.lock(VERSIONED, "held/")

    done = s3.empty_bucket(access, EU, VERSIONED)

    assert done.refused == 1
    assert done.first_refusal is not None
    assert (done.first_refusal.key, done.first_refusal.code) == ("held/contract", "AccessDenied")


def test_emptying_can_be_stopped_and_gone_on_with(simulator: SimulatorHandle, access: Access) -> None:
    simulator.s3.fill(PLAIN, 2_100)
    pages: list[int] = []

    stopped = s3.empty_bucket(
        access, EU, PLAIN, on_progress=lambda so_far: pages.append(so_far.total), should_stop=lambda: bool(pages)
    )
    rest = s3.empty_bucket(access, EU, PLAIN)

    assert (stopped.stopped, stopped.objects) == (True, 1_000)
    assert (rest.stopped, rest.objects) == (False, 1_103)


def test_a_link_downloads_the_very_bytes_as_an_attachment(access: Access) -> None:
    key = HOSTILE_KEY.replace("..", "")
    put(access, key, b"\x00\xff" * 1000)

    answer = fetched(s3.presign_get(access, EU, VERSIONED, key))

    assert answer.content == b"\x00\xff" * 1000
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")


def test_a_link_leads_to_the_version_it_names(access: Access) -> None:
    old = put(access, "notes", b"old")
    put(access, "notes", b"new")

    assert fetched(s3.presign_get(access, EU, VERSIONED, "notes", version_id=old.version_id)).content == b"old"


def test_a_link_runs_out(simulator: SimulatorHandle, access: Access) -> None:
    put(access, "notes")
    link = s3.presign_get(access, EU, VERSIONED, "notes", seconds=60)
    simulator.set_now(clock.now() + timedelta(seconds=61))

    assert fetched(link).status_code == 403


def test_a_link_that_was_changed_opens_nothing_else(access: Access) -> None:
    put(access, "public")
    link = s3.presign_get(access, EU, VERSIONED, "public").replace("/public?", "/builds/builds-01.txt?")

    assert fetched(link).status_code == 403


def test_a_link_of_temporary_credentials_works_too(simulator: SimulatorHandle) -> None:
    sandbox = access_as(simulator, "sandbox")

    assert fetched(s3.presign_get(sandbox, EU, "example-sandbox-playground", "notebooks/notebooks-01.json")).ok


@pytest.mark.parametrize("token", ["nonsense!", "☃", "/w=="])
def test_a_page_that_there_is_not_is_refused(access: Access, token: str) -> None:
    with pytest.raises(AwsError) as caught:
        s3.objects(access, EU, VERSIONED, token=token)
    assert caught.value.cause is AwsErrorKind.INVALID_REQUEST
