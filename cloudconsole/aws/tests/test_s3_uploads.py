"""Uploads against the simulated S3: any size, whole or not at all, and never over something silently."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Callable
from typing import BinaryIO, cast

import pytest
import requests

from cloudconsole.aws import clients, s3
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.s3 import uploads
from cloudconsole.aws.tests.simulated import access_as
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle

EU = "eu-central-1"
BUCKET = "example-dev-lambda-code"
MIB = 1024 * 1024
PATTERN = bytes(at * 31 % 251 for at in range(251))  # no divisor of any part's size, so that no two parts are alike


class Made(io.RawIOBase):
    """A stream of `size` bytes that no two places have alike; it can be read once, in small bites, as from a network."""

    def __init__(self, size: int, *, breaks_after: int | None = None) -> None:
        self._left, self._at = size, 0
        self._breaks_after = breaks_after

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._breaks_after is not None and self._at >= self._breaks_after:
            raise ConnectionResetError("the browser went away")
        taken = min(self._left, size if size >= 0 else self._left, 100_000)
        start, self._at, self._left = self._at % len(PATTERN), self._at + taken, self._left - taken
        return (PATTERN * (taken // len(PATTERN) + 2))[start : start + taken]


def stream(size: int, *, breaks_after: int | None = None) -> BinaryIO:
    return cast(BinaryIO, Made(size, breaks_after=breaks_after))


def crc32(content: bytes) -> str:
    return base64.b64encode(zlib.crc32(content).to_bytes(4, "big")).decode()


@pytest.fixture
def access(simulator: SimulatorHandle) -> Access:
    return access_as(simulator, "development")


def downloaded(access: Access, key: str) -> bytes:
    return requests.get(s3.presign_get(access, EU, BUCKET, key), timeout=20).content


def asked(simulator: SimulatorHandle) -> list[str]:
    return [call.operation for call in simulator.calls() if call.service == "s3"]


@pytest.mark.parametrize("size", [0, 1, MIB, 16 * MIB - 1])
def test_a_small_file_goes_in_one_request(simulator: SimulatorHandle, access: Access, size: int) -> None:
    content = Made(size).readall() or b""

    done = s3.upload(access, EU, BUCKET, "small", stream(size), size=size)

    assert asked(simulator) == ["PutObject"]
    assert (done.size, done.checksum) == (size, crc32(content))
    assert downloaded(access, "small") == content


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize(("size", "parts"), [(16 * MIB, 1), (16 * MIB + 1, 2), (33 * MIB, 3)])
def test_a_large_file_goes_in_parts(simulator: SimulatorHandle, access: Access, size: int, parts: int, known: bool) -> None:
    confirmed: list[int] = []

    done = s3.upload(access, EU, BUCKET, "large", stream(size), size=size if known else None, on_progress=confirmed.append)

    assert asked(simulator) == ["CreateMultipartUpload", *["UploadPart"] * parts, "CompleteMultipartUpload"]
    assert (done.size, len(confirmed), confirmed[-1]) == (size, parts, size)
    content = downloaded(access, "large")
    assert (len(content), crc32(content)) == (size, done.checksum)
    with clients.acting_as(access):
        head = clients.client("s3", EU).head_object(Bucket=BUCKET, Key="large", ChecksumMode="ENABLED")
    assert (head["ChecksumCRC32"], head["ChecksumType"]) == (done.checksum, "FULL_OBJECT")


@pytest.mark.parametrize("size", [MIB, 17 * MIB])
def test_who_waits_hears_that_bytes_move_while_they_come_and_while_they_go(access: Access, size: int) -> None:
    body, heard = io.BytesIO(bytes(size)), list[bool]()

    s3.upload(access, EU, BUCKET, "slow", body, size=size, alive=lambda: heard.append(body.tell() == size))

    assert heard.count(False) >= size // MIB - 1
    assert heard.count(True) >= 8  # the last MiB goes out in pieces


def test_s3_is_told_what_the_whole_must_be(access: Access) -> None:
    told: list[dict[str, object]] = []
    s3_client = clients.client("s3", EU)
    s3_client.meta.events.register("before-parameter-build.s3.CompleteMultipartUpload", lambda params, **_: told.append(params))

    done = s3.upload(access, EU, BUCKET, "large", stream(17 * MIB))

    [params] = told
    assert (params["ChecksumCRC32"], params["MpuObjectSize"]) == (done.checksum, 17 * MIB)
    clients.close()  # with what is registered on it


@pytest.mark.parametrize("size", [3, 17 * MIB])
def test_nothing_is_overwritten_where_that_was_not_wanted(simulator: SimulatorHandle, access: Access, size: int) -> None:
    s3.upload(access, EU, BUCKET, "taken", io.BytesIO(b"first"))
    simulator.clear_calls()

    with pytest.raises(AwsError) as caught:
        s3.upload(access, EU, BUCKET, "taken", stream(size), if_absent=True)

    assert (caught.value.aws_code, caught.value.cause) == ("PreconditionFailed", AwsErrorKind.CONFLICT)
    assert downloaded(access, "taken") == b"first"
    assert "UploadPart" not in asked(simulator)  # nor is anything sent in vain


def test_an_object_that_appears_during_the_upload_is_not_overwritten_either(access: Access) -> None:
    def somebody_is_quicker(confirmed: int) -> None:
        s3.upload(access, EU, BUCKET, "raced", io.BytesIO(b"theirs"))

    with pytest.raises(AwsError) as caught:
        s3.upload(access, EU, BUCKET, "raced", stream(17 * MIB), if_absent=True, on_progress=somebody_is_quicker)

    assert caught.value.aws_code == "PreconditionFailed"
    assert downloaded(access, "raced") == b"theirs"


@pytest.mark.parametrize("operation", ["PutObject", "CompleteMultipartUpload"])
def test_a_conditional_write_whose_answer_is_lost_is_not_sent_again(
    simulator: SimulatorHandle, access: Access, operation: str
) -> None:
    """The second one would be refused because of the first, and tell the opposite of the truth."""
    simulator.add_faults(Fault("s3", FaultKind.LOST, operation=operation))
    size = 3 if operation == "PutObject" else 17 * MIB

    with pytest.raises(AwsError) as caught:
        s3.upload(access, EU, BUCKET, "lost", stream(size), if_absent=True)

    assert caught.value.cause is AwsErrorKind.UNREACHABLE
    assert asked(simulator).count(operation) == 1


def test_a_write_without_condition_survives_a_lost_answer(simulator: SimulatorHandle, access: Access) -> None:
    simulator.add_faults(
        Fault("s3", FaultKind.LOST, operation="PutObject"), Fault("s3", FaultKind.THROTTLE, operation="PutObject")
    )

    assert s3.upload(access, EU, BUCKET, "stubborn", io.BytesIO(b"again")).size == 5
    assert downloaded(access, "stubborn") == b"again"


def test_a_part_that_fails_is_sent_again_from_its_beginning(simulator: SimulatorHandle, access: Access) -> None:
    simulator.add_faults(Fault("s3", FaultKind.RESET, operation="UploadPart", after=1))

    done = s3.upload(access, EU, BUCKET, "large", stream(33 * MIB))

    assert crc32(downloaded(access, "large")) == done.checksum


def no_faults(simulator: SimulatorHandle) -> None:
    """The stream itself breaks."""


def parts_are_denied(simulator: SimulatorHandle) -> None:
    simulator.add_faults(Fault("s3", FaultKind.DENIED, operation="UploadPart", after=1))


def completion_fails(simulator: SimulatorHandle) -> None:
    simulator.add_faults(Fault("s3", FaultKind.HTTP500, operation="CompleteMultipartUpload", times=20))


@pytest.mark.parametrize(
    ("trouble", "breaks_after", "failure"),
    [(no_faults, 20 * MIB, ConnectionResetError), (parts_are_denied, None, AwsError), (completion_fails, None, AwsError)],
)
def test_an_upload_that_fails_leaves_no_object_and_no_parts(
    simulator: SimulatorHandle,
    access: Access,
    trouble: Callable[[SimulatorHandle], None],
    breaks_after: int | None,
    failure: type[Exception],
) -> None:
    trouble(simulator)

    with pytest.raises(failure):
        s3.upload(access, EU, BUCKET, "half", stream(33 * MIB, breaks_after=breaks_after))

    assert simulator.s3.unfinished(BUCKET) == []
    assert s3.objects(access, EU, BUCKET, prefix="half").objects == ()


def test_the_failure_is_told_even_where_giving_up_fails_too(simulator: SimulatorHandle, access: Access) -> None:
    simulator.add_faults(
        Fault("s3", FaultKind.DENIED, operation="UploadPart"),
        Fault("s3", FaultKind.HTTP500, operation="AbortMultipartUpload", times=9),
    )

    with pytest.raises(AwsError) as caught:
        s3.upload(access, EU, BUCKET, "half", stream(17 * MIB))

    assert caught.value.operation == "UploadPart"
    assert simulator.s3.unfinished(BUCKET) == ["half"]


def test_a_bucket_with_versions_says_which_version_it_made(access: Access) -> None:
    first = s3.upload(access, EU, "example-dev-artifacts", "notes", io.BytesIO(b"1"))
    second = s3.upload(access, EU, "example-dev-artifacts", "notes", stream(17 * MIB))

    assert first.version_id
    assert second.version_id
    assert first.version_id != second.version_id


@pytest.mark.parametrize(
    ("size", "expected"),
    [(1, 16 * MIB), (160 * 1024 * MIB // 16, 16 * MIB), (5 * 1024 * 1024 * MIB, 525 * MIB)],
)
def test_parts_are_large_enough_for_ten_thousand_of_them(size: int, expected: int) -> None:
    assert uploads._part_size(1, size) == expected
    assert uploads._part_size(1, size) * 10_000 >= size


def test_parts_of_an_unknown_size_grow(access: Access) -> None:
    assert uploads._part_size(1, None) == 16 * MIB
    assert uploads._part_size(10_000, None) <= 5 * 1024**3 * 2
    assert sum(uploads._part_size(number, None) for number in range(1, 10_001)) > 5 * 1024**4
