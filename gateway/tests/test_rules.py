"""What is decided without a database: scrubbing, bindings, decompression, files of secrets."""

from __future__ import annotations

import base64
import contextlib
import gzip
import itertools
import time
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cloudconsole.net import addresses
from cloudconsole.net.refusals import Refused
from gateway.rules import attempts, bindings, decoding, headers, injection, reset_times, secret_files
from gateway.rules.bindings import Binding
from gateway.rules.keys import AuthScheme
from gateway.rules.scrubbing import MARK, Scrubber, forms

SECRETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=8, max_size=60)


def said(secret: str, chunks: list[bytes]) -> bytes:
    scrubber = Scrubber(forms([secret]))
    return b"".join([*(scrubber.feed(chunk) for chunk in chunks), scrubber.end()])


def cut(text: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[begin:end] for begin, end in itertools.pairwise(edges)]


@given(SECRETS, st.binary(max_size=40), st.binary(max_size=40), st.lists(st.integers(0, 500), max_size=8))
def test_a_secret_never_passes_however_it_is_cut(secret: str, before: bytes, after: bytes, places: list[int]) -> None:
    whole = before + secret.encode() + after
    assert secret.encode() not in said(secret, cut(whole, places)).replace(MARK, b"")


@given(SECRETS, st.binary(max_size=20), st.binary(max_size=20))
def test_base64_of_something_around_it_does_not_pass(secret: str, before: bytes, after: bytes) -> None:
    encoded = base64.b64encode(before + secret.encode() + after)
    assert encoded not in said(secret, [encoded])
    assert MARK in said(secret, [encoded])


@given(SECRETS)
def test_percent_encodings_do_not_pass(secret: str) -> None:
    for text in (quote(secret, safe=""), quote(secret), quote(quote(secret, safe=""), safe="")):
        assert said(secret, [text.encode()]) == MARK


@given(st.binary(max_size=300), st.lists(st.integers(0, 500), max_size=8))
def test_what_is_no_secret_passes_unchanged(text: bytes, places: list[int]) -> None:
    assert said("a-secret-that-is-not-there-0123456789", cut(text, places)) == text


@given(st.lists(st.sampled_from(["..", ".", "%2e", "%2E", "%252e", "a", "%2f", "\\", "/", ";x", "%5c"]), max_size=8))
def test_no_path_below_a_base_climbs_when_it_is_decoded(parts: list[str]) -> None:
    path = "/v1/" + "".join(parts)
    try:
        address = addresses.parse(f"https://api.example.com{path}")
    except Refused:
        return
    if not Binding(addresses.parse("https://api.example.com/v1")).why_not("GET", address):
        plain = path
        for _ in range(5):
            plain = unquote(plain)
        segments = [part.split(";")[0] for part in plain.replace("\\", "/").split("/")]
        assert not {"..", "."} & set(segments)


@given(st.binary(max_size=2000), st.lists(st.integers(0, 5000), max_size=5))
def test_what_was_compressed_comes_out_as_it_was(plain: bytes, places: list[int]) -> None:
    assume(not plain.startswith((b"\x1f\x8b", b"x\x01", b"x\x9c", b"x\xda")))  # that would be packed once more than is said
    packed = gzip.compress(plain) + gzip.compress(plain)
    assert b"".join(decoding.decoded(iter(cut(packed, places)), ["gzip"])) == plain * 2


def test_a_bomb_comes_in_pieces_of_bounded_size() -> None:
    packed = gzip.compress(b"\0" * 50_000_000)
    assert max(len(piece) for piece in decoding.decoded(iter([packed]), ["gzip"])) <= 262_144


@pytest.mark.parametrize("broken", [b"not gzip", gzip.compress(b"abc" * 100, mtime=0)[:-9], b"\x1f\x8b\x08"])
def test_what_is_not_compressed_is_told(broken: bytes) -> None:
    with pytest.raises(decoding.Undecodable):
        list(decoding.decoded(iter([broken]), ["gzip"]))


@pytest.mark.parametrize("glob", ["repos", "/a/../b", "/a b", "/%2e%2e/x", "/ä"])
def test_what_is_no_glob(glob: str) -> None:
    assert not bindings.is_glob(glob)


@pytest.mark.parametrize(
    ("scheme", "name", "template", "secret", "attr"),
    [
        (AuthScheme.BEARER, "", "", "short", "api_key"),
        (AuthScheme.BEARER, "", "", "two\nlines-of-it", "api_key"),
        (AuthScheme.HEADER, "", "", "a-long-secret", "auth_name"),
        (AuthScheme.HEADER, "Host", "", "a-long-secret", "auth_name"),
        (AuthScheme.HEADER, "Cookie", "", "a-long-secret", "auth_name"),
        (AuthScheme.HEADER, "X-Key", "Token", "a-long-secret", "auth_template"),
        (AuthScheme.QUERY, "a&b", "", "a-long-secret", "auth_name"),
        (AuthScheme.BASIC, "a:b", "", "a-long-secret", "auth_name"),
        (AuthScheme.HEADERS, "", "", "no colon here", "api_key"),
        (AuthScheme.HEADERS, "", "", "Host: a-long-secret", "api_key"),
        (AuthScheme.PATH, "", "", "a-long-secret", "base_url"),
    ],
)
def test_what_does_not_go_together_is_told(scheme: AuthScheme, name: str, template: str, secret: str, attr: str) -> None:
    with pytest.raises(injection.InvalidAuth) as error:
        injection.check(scheme, name, template, secret, "/v1" if scheme is AuthScheme.PATH else "")
    assert error.value.attr == attr


def test_secrets_are_found_in_env_files() -> None:
    text = """
    # a comment
    export GITHUB_TOKEN="ghp_0123456789abcdef"  # mine
    OPENAI_API_KEY='sk-0123456789'
    DATABASE_URL=postgres://user:password@host/db
    DEBUG=true
    WEATHER_API_KEY = abcdefgh12 # free plan
    EMPTY=
    """
    found = {one.name: (one.api_name, one.secret) for one in secret_files.read(text)}
    assert found == {
        "GITHUB_TOKEN": ("github", "ghp_0123456789abcdef"),
        "OPENAI_API_KEY": ("openai", "sk-0123456789"),
        "WEATHER_API_KEY": ("weather", "abcdefgh12"),
    }


def test_secrets_are_found_in_json() -> None:
    text = '{"github": "ghp_0123456789", "stripe": {"api_key": "sk_live_0123", "base_url": "https://api.stripe.com"}, "n": 3}'
    found = [(one.api_name, one.secret, one.said.get("base_url")) for one in secret_files.read(text)]
    assert found == [("github", "ghp_0123456789", None), ("stripe", "sk_live_0123", "https://api.stripe.com")]
    listed = secret_files.read('[{"api_name": "One Two", "api_key": "0123456789"}, {"x": 1}, 7]')
    assert [one.name for one in listed] == ["One Two"]


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text: str) -> None:
    with contextlib.suppress(secret_files.Unreadable):
        assert all(len(one.secret) > 0 for one in secret_files.read(text))


def test_long_blanks_are_read_in_no_time() -> None:
    """They were tried from each of their places: 64 KB in a header held every thread of the process for a minute and a half."""
    blanks, began = " " * 60_000, time.process_time()
    assert headers.returned([("X-Note", f"a{blanks}b")]) == (("X-Note", f"a{blanks}b"),)
    assert headers.returned([("X-Note", "a \r\n\t b\r\n")]) == (("X-Note", "a b"),)
    assert secret_files.read(f"A_TOKEN=0123456789{blanks}b")[0].secret == f"0123456789{blanks}b"
    assert secret_files.read(f"A_TOKEN=0123456789{blanks}# said")[0].secret == "0123456789"
    assert time.process_time() - began < 2


@pytest.mark.parametrize("text", ['{"A_TOKEN": "\\ud800 and more"}', '{"A_TOKEN": "0123456789\\u0000"}'])
def test_what_no_database_holds_is_no_key(text: str) -> None:
    with pytest.raises(secret_files.Unreadable):
        secret_files.read(text)


def test_dates_beyond_all_time_mean_nothing() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert attempts.retry_after_s("Mon, 01 Jan 2024 00:00:00 +99999999999999999999", now) is None
    ahead = reset_times.Clock.of(now, {"date": ["Thu, 01 Jan 2026 01:00:00 GMT"]})
    assert reset_times.read("0001-01-01T00:00:00Z", ahead) is None


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (
            "# said\nA_KEY=0123456789abcdef\nDATABASE_URL=postgres://u:secret@x\n\nEMPTY=\nbad secret\nLOG_LEVEL=as-it-was\nX=1",
            ["DATABASE_URL", "EMPTY", "Line 6", "LOG_LEVEL", "X"],
        ),
        ('{"a": "0123456789", "b": 3, "c": {"key": "0123456789"}, "d": "https://x.example"}', ["b", "d"]),
        ('[{"name": "x", "key": "0123456789"}, {"key": "secret"}, 3]', ["Entry 2", "Entry 3"]),
    ],
)
def test_what_is_no_key_is_told_without_its_value(text: str, where: list[str]) -> None:
    found = secret_files.skipped(text)
    assert [one.where for one in found] == where
    assert "secret" not in str(found)
