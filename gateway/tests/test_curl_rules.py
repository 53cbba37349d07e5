"""cURL in and out, and code that calls the proxy."""

from __future__ import annotations

import ast
import shlex
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules import curl, snippets
from gateway.rules.curl import Command, NotCurl

FORM = ("Content-Type", "application/x-www-form-urlencoded")
JSON = ("Content-Type", "application/json")

COMMANDS = [
    ("curl https://api.example.com/v1", Command("GET", "https://api.example.com/v1")),
    ("$ curl -sS --compressed 'https://a.example/x?y=1'", Command("GET", "https://a.example/x?y=1")),
    ("curl a.example/x", Command("GET", "https://a.example/x")),
    ("curl -X DELETE --url https://a.example/x", Command("DELETE", "https://a.example/x")),
    ("curl -sXPUT https://a.example/x -d a=1", Command("PUT", "https://a.example/x", (FORM,), "a=1")),
    ("curl https://a.example -d a=1 -d b=2", Command("POST", "https://a.example", (FORM,), "a=1&b=2")),
    ("curl -G https://a.example/x?q=1 -d a=1 --data-urlencode 'b=c d'", Command("GET", "https://a.example/x?q=1&a=1&b=c%20d")),
    ("curl -I https://a.example/x", Command("HEAD", "https://a.example/x")),
    (
        'curl a.example/x \\\n  -H "Accept: text/plain" \\\r\n  --data-raw \'{"a": "it"}\' -H "Content-Type:application/json"',
        Command("POST", "https://a.example/x", (("Accept", "text/plain"), JSON), '{"a": "it"}'),
    ),
    (
        "curl --json '{\"a\":1}' https://a.example",
        Command("POST", "https://a.example", (JSON, ("Accept", "application/json")), '{"a":1}'),
    ),
    (r"curl https://a.example --data-raw $'it\'s\n\u00e9'", Command("POST", "https://a.example", (FORM,), "it's\né")),
    ('curl.exe https://a.example ^\n -H "X-A: b"', Command("GET", "https://a.example", (("X-A", "b"),))),
    ("curl https://a.example | jq .", Command("GET", "https://a.example")),
    ("curl /v1/models", Command("GET", "/v1/models")),
    ("curl --interface eth0 -C 10 --proto =https --trace-ascii - https://a.example", Command("GET", "https://a.example")),
    (
        "curl --unix-socket /var/run/docker.sock https://a.example",
        Command("GET", "https://a.example", notes=("--unix-socket was not taken over.",)),
    ),
]


@pytest.mark.parametrize(("text", "command"), COMMANDS)
def test_a_command_is_read_as_curl_would_send_it(text: str, command: Command) -> None:
    assert curl.parse(text) == command


@pytest.mark.parametrize(
    ("text", "left_out"),
    [
        ("curl https://a.example -H 'Authorization: Bearer SECRET'", ("Authorization",)),
        ("curl https://a.example -u me:SECRET", ("Authorization",)),
        ("curl https://a.example --oauth2-bearer SECRET", ("Authorization",)),
        ("curl https://a.example -H 'x-api-key: SECRET'", ("x-api-key",)),
        ("curl https://a.example -H 'DD-APPLICATION-KEY: SECRET'", ("DD-APPLICATION-KEY",)),
        ("curl https://a.example -b 'sid=SECRET'", ("Cookie",)),
        ("curl 'https://a.example/?q=1&appid=SECRET'", ("parameter appid",)),
        ("curl 'https://a.example/?access_token=SECRET'", ("parameter access_token",)),
        ("curl https://me:SECRET@a.example/x", ("name and password in the address",)),
        ("curl https://a.example -H 'X-Odd: ghp_SECRETSECRETSECRET'", ("X-Odd",)),
    ],
)
def test_a_secret_is_named_and_not_kept(text: str, left_out: tuple[str, ...]) -> None:
    command = curl.parse(text)
    assert command.left_out == left_out
    assert "SECRET" not in repr(command)


def test_what_only_sounds_like_a_secret_stays() -> None:
    command = curl.parse("curl 'https://a.example/?page_token=2&max_tokens=5' -H 'Idempotency-Key: 1' -H 'X-Monkey: 2'")
    assert command.left_out == ()
    assert command.url.endswith("?page_token=2&max_tokens=5")
    assert len(command.headers) == 2


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wget https://a.example",
        "curl",
        "curl 'https://a.example",
        "curl https://a.example -d @file",
        "curl -F a=@b https://a.example",
        "curl -H",
    ],
)
def test_what_cannot_be_taken_over_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(NotCurl, match=r"\w+"):
        curl.parse(text)


@given(st.text(max_size=200))
def test_no_text_breaks_the_reading(text: str) -> None:
    with suppress(NotCurl):
        curl.parse(f"curl {text}")


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=40)


@given(st.sampled_from(("GET", "POST", "PATCH")), TEXT, TEXT)
def test_a_written_command_reads_as_the_same_request(method: str, value: str, body: str) -> None:
    if method == "GET":
        body = ""
    headers = (("X-Note", value.strip() or "-"), ("Content-Type", "text/plain"))
    call = snippets.through_proxy(
        origin="https://console.example", api_name="My API", method=method, path="/v1/x?a=b", headers=headers, body=body
    )
    command = curl.parse(snippets.written(call)[0].code)
    assert (command.method, command.url, command.body) == (method, "https://console.example/api/proxy/My%20API/v1/x?a=b", body)
    assert command.left_out == ("Authorization",)
    assert command.headers == headers


@given(TEXT, TEXT)
def test_snippets_of_python_are_python(value: str, body: str) -> None:
    call = snippets.through_proxy(
        origin="https://c.example", api_name="a", method="POST", path="x", headers=(("X", value),), body=body
    )
    code = {snippet.slug: snippet.code for snippet in snippets.written(call)}
    for slug in ("python", "urllib"):
        constants = {node.value for node in ast.walk(ast.parse(code[slug])) if isinstance(node, ast.Constant)}
        assert value in constants
        assert not body or body in constants


def test_no_snippet_holds_a_token() -> None:
    call = snippets.in_envelope(origin="https://c.example", key_id=7, method="get", url="https://a.example", headers=(), body="")
    for snippet in snippets.written(call):
        assert "CLOUDCONSOLE_TOKEN" in snippet.code
    assert shlex.split(snippets.written(call)[0].code)[0] == "curl"


@pytest.mark.parametrize(
    ("base", "url", "path"),
    [
        ("https://a.example/v1", "https://a.example/v1/x?y=1", "/x?y=1"),
        ("https://a.example/v1/", "https://A.example/v1", "/"),
        ("https://a.example/v1", "/x", "/x"),
        ("https://a.example/v1", "x", "/x"),
        ("https://a.example/v1", "https://a.example/v10/x", None),
        ("https://a.example", "https://b.example/x", None),
        ("https://a.example", "http://a.example/x", None),
    ],
)
def test_an_address_below_the_base_becomes_a_path(base: str, url: str, path: str | None) -> None:
    assert snippets.path_below(base, url) == path


def test_addresses_that_cannot_be_read_and_halves_of_characters_do_no_harm() -> None:
    with pytest.raises(NotCurl):
        curl.parse("curl -G -d a=1 'http://[x'")
    assert curl.parse(r"curl $'https://a.example/\ud800'").url == "https://a.example/\ufffd"
