from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.rules.scrubbing import REDACTED, Unrecordable, clean_detail, clean_text

AWS_SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
SESSION_TOKEN = "IQoJb3JpZ2luX2VjEPT//////////wEaCXVzLWVhc3QtMSJHMEUCIQDx"


@pytest.mark.parametrize(
    "secret", [AWS_SECRET, JWT, SESSION_TOKEN, "-----BEGIN RSA PRIVATE KEY-----\nabc", "Bearer abcdefghij0123456789"]
)
def test_what_looks_like_a_secret_is_not_recorded(secret: str) -> None:
    assert clean_detail({"note": f"it is {secret}"}) == {"note": f"it is {REDACTED}"}
    assert secret not in clean_text(secret)


@pytest.mark.parametrize(
    "harmless", ["arn:aws:iam::411111111111:role/cloudconsole", "da39a3ee5e6b4b0d3255bfef95601890afd80709", "i-0123456789abcdef0"]
)
def test_names_of_resources_are_no_secrets(harmless: str) -> None:
    assert clean_text(harmless) == harmless


@pytest.mark.parametrize("name", ["secret_access_key", "password", "session_token", "api_key", "Name", "with space", "", "otp"])
def test_a_detail_with_a_bad_name_is_a_mistake_in_the_code(name: str) -> None:
    with pytest.raises(Unrecordable):
        clean_detail({name: "x"})


@pytest.mark.parametrize("value", [1.5, [1], {"a": 1}, b"x", 2**60])
def test_a_detail_that_is_no_small_value_is_a_mistake_in_the_code(value: object) -> None:
    with pytest.raises(Unrecordable):
        clean_detail({"value": value})  # type: ignore[dict-item]


@given(st.text())
def test_any_text_becomes_one_line_that_every_database_takes(text: str) -> None:
    cleaned = clean_text(text, 100)

    assert len(cleaned) <= 100
    assert not set(cleaned) & set("\n\r\0\x1b\u2028\u202e")
    cleaned.encode()
