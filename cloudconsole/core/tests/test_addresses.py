"""Whom a request counts as coming from."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from cloudconsole.core import requests


def address_of(*, remote: str, forwarded: str = "") -> str | None:
    seen: list[str | None] = []

    def view(_: HttpRequest) -> HttpResponse:
        context = requests.current()
        seen.append(context.ip if context else "none")
        return HttpResponse()

    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    requests.RequestContextMiddleware(view)(RequestFactory().get("/", REMOTE_ADDR=remote, headers=headers))
    assert requests.current() is None
    return seen[0]


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:DB8::1", "2001:db8::1"),
        ("", None),
        ("x", None),
    ],
)
def test_each_address_has_one_spelling(remote: str, expected: str | None) -> None:
    assert address_of(remote=remote) == expected


def test_a_forwarded_address_counts_only_behind_a_proxy_and_only_the_proxys_own(settings: Settings) -> None:
    settings.SECURE_PROXY_SSL_HEADER = None
    assert address_of(remote="203.0.113.9", forwarded="198.51.100.1") == "203.0.113.9"
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert address_of(remote="10.0.0.1", forwarded="192.0.2.66, 198.51.100.1") == "198.51.100.1"
    assert address_of(remote="10.0.0.1", forwarded="192.0.2.66, nonsense") == "10.0.0.1"
