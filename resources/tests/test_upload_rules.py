"""Names and keys that S3 takes, packages and payloads that Lambda takes."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from contextlib import suppress
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cloudconsole.aws import names
from resources.rules import object_keys, packages, payloads
from resources.rules.packages import InvalidPackage, PackageTooLarge
from resources.rules.payloads import InvalidPayload, InvocationType, PayloadTooLarge

TEXT = st.text(st.characters(codec="utf-8"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=8,
)


@pytest.mark.parametrize("name", ["abc", "a1-b2.c3", "0" * 63, "logs.example.com"])
def test_names_that_s3_takes(name: str) -> None:
    assert names.fault_of_new_bucket(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "", "ab", "a" * 64, "Bad_Name", "UPPER", "two..dots", "-edge", "edge-", ".edge", "192.168.5.4", "xn--a", "sthree-a",
        "amzn-s3-demo-a", "a-s3alias", "a--ol-s3", "a.mrap", "a--x-s3", "a b", "ümlaut",
    ],
)  # fmt: skip
def test_names_that_s3_refuses_are_refused_here(name: str) -> None:
    assert names.fault_of_new_bucket(name)


@pytest.mark.parametrize(
    "key", ["a", "a/b/c.txt", "ümlaut/日本語 🎈", "x" * 1024, "a//b", "trailing/", " leading", ".hidden", "a..b"]
)
def test_keys_that_may_be_stored(key: str) -> None:
    assert object_keys.fault_of(key) == ""


@pytest.mark.parametrize("key", ["", "x" * 1025, "ü" * 513, "a\0b", "a\nb", "\x7f", "../etc/passwd", "a/./b", "a/..", "."])
def test_keys_that_would_do_harm_are_refused(key: str) -> None:
    assert object_keys.fault_of(key)


@given(st.text(st.characters(codec="utf-8"), max_size=60))
def test_crumbs_lead_from_the_top_to_the_prefix(prefix: str) -> None:
    found = object_keys.crumbs(prefix)
    assert [crumb.prefix for crumb in found] == [prefix[: at + 1] for at, letter in enumerate(prefix) if letter == "/"]


def test_a_download_is_called_as_the_last_part_of_its_key() -> None:
    assert object_keys.file_name("reports/2026/november.csv") == "november.csv"
    assert object_keys.file_name("folder/") == "folder"
    assert object_keys.file_name("/") == "object"


def test_a_page_is_not_stored_as_one_that_a_browser_would_run() -> None:
    assert object_keys.content_type("photo.png") == "image/png"
    assert object_keys.content_type("data", "text/csv; charset=utf-8") == "text/csv"
    for key, given_type in (("index.html", ""), ("photo.png", "text/html"), ("x.svg", ""), ("x", "nonsense")):
        assert object_keys.content_type(key, given_type) == "application/octet-stream"


@given(JSON)
def test_a_payload_arrives_as_it_was_typed(payload: Any) -> None:
    sent = payloads.packed(payloads.typed(json.dumps(payload)), InvocationType.EVENT)
    assert payloads.opened(sent) == payload


@given(st.binary(max_size=200))
@example(b'{"half": "\\ud800"}')
def test_whatever_a_function_answers_can_be_told_as_json(answer: bytes) -> None:
    json.dumps(payloads.opened(answer), allow_nan=False, ensure_ascii=False).encode()


def test_half_of_a_character_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(InvalidPayload):
        payloads.packed(payloads.typed('{"half": "\\ud800"}'), InvocationType.EVENT)


@pytest.mark.parametrize("text", ["{", "NaN", "[1,]", "[" * 100_000, "1" * 5_000])
def test_what_is_not_json_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InvalidPayload):
        payloads.typed(text)


def test_a_payload_may_be_six_megabytes_when_waiting_and_one_when_not() -> None:
    big = "x" * (1024 * 1024)
    assert len(payloads.packed(big, InvocationType.REQUEST_RESPONSE)) == len(big) + 2
    with pytest.raises(PayloadTooLarge):
        payloads.packed(big, InvocationType.EVENT)
    with pytest.raises(PayloadTooLarge):
        payloads.packed(big * 6, InvocationType.REQUEST_RESPONSE)


def zipped(**files: str) -> io.BytesIO:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/").replace("_py", ".py"), text)
    return stream


def test_a_good_package_is_measured_and_named_as_aws_names_it() -> None:
    stream = zipped(main_py="def handler(event, context): return event")
    package = packages.read(stream)
    assert package.size_bytes == len(stream.getvalue())
    assert package.code_sha256 == base64.b64encode(sha256(stream.getvalue()).digest()).decode()
    assert package.names == ("main.py",)
    assert package.warning("python3.12", "main.handler") == ""
    assert stream.tell() == 0


def test_a_handler_that_the_package_lacks_is_warned_of() -> None:
    package = packages.read(zipped(pkg__main_py="", index="x"))
    assert package.warning("python3.12", "pkg.main.handler") == ""
    assert "main.py" in package.warning("python3.12", "main.handler")
    assert "index.js" in package.warning("nodejs22.x", "index.handler")
    assert package.warning("provided.al2023", "bootstrap") == ""


@pytest.mark.parametrize(
    ("runtime", "handler", "name"),
    [
        ("python3.12", "main.handler", "./main.py"),
        ("python3.12", "main.handler", "main.cpython-312-x86_64-linux-gnu.so"),
        ("python3.12", "src/main.handler", "src/main.py"),
        ("python3.12", "pkg.handler", "pkg/__init__.py"),
        ("nodejs22.x", "dist/index.api.handler", "dist/index.mjs"),
        ("ruby3.4", "app.Functions::Handler.process", "app.rb"),
    ],
)
def test_a_handler_is_found_wherever_the_runtime_looks_for_it(runtime: str, handler: str, name: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(name, "")
    assert packages.read(stream).warning(runtime, handler) == ""


@pytest.mark.parametrize("data", [b"", b"no zip at all", b"PK\x03\x04" + b"\0" * 40])
def test_what_is_no_zip_file_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidPackage):
        packages.read(io.BytesIO(data))


@pytest.mark.parametrize("name", ["../evil.py", "/etc/passwd", "a/../../b", "a\\..\\b"])
def test_a_package_that_would_be_unpacked_elsewhere_is_refused(name: str) -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "x")
    with pytest.raises(InvalidPackage):
        packages.read(stream)


def test_an_empty_package_is_refused() -> None:
    with pytest.raises(InvalidPackage):
        packages.read(zipped())


def test_a_package_over_the_limits_is_refused_zipped_and_unzipped() -> None:
    with pytest.raises(PackageTooLarge):
        packages.read(zipped(main_py="x" * 1000), max_zipped=500)
    with pytest.raises(PackageTooLarge):
        packages.read(zipped(main_py="x" * 1000), max_unzipped=999)


@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_but_nothing_else(data: bytes) -> None:
    with suppress(InvalidPackage):
        packages.read(io.BytesIO(data))
