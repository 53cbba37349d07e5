"""Which headers pass the proxy, in and out. What speaks of this hop, of the caller's sign-in, or to the browser, does not."""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_FOLD = re.compile(r"[\r\n]+")
_SENDABLE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_SHOWN = 60  # characters of a name, to whoever is told of it
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

Headers = tuple[tuple[str, str], ...]

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "http2-settings",
    }
)
# Written by the door, or about who asks us and how.
_NOT_SENT = _HOP_BY_HOP | {
    "host",
    "content-length",
    "accept-encoding",
    "expect",
    "cookie",
    "cookie2",
    "origin",
    "referer",
    "forwarded",
    "via",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "true-client-ip",
    "x-csrftoken",
    "x-requested-with",
    "x-request-id",
    "x-original-url",
    "x-rewrite-url",
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "priority",
    "upgrade-insecure-requests",
    "dnt",
}
_NOT_SENT_STARTS = ("x-forwarded", "sec-", "cf-", "x-amzn-", "x-amz-cf-", "fly-", "x-cloudconsole-", "proxy-")
# What would act on our own origin in whoever reads the answer, or describes a connection that is not theirs.
_NOT_RETURNED = _HOP_BY_HOP | {
    "set-cookie",
    "set-cookie2",
    "strict-transport-security",
    "public-key-pins",
    "alt-svc",
    "clear-site-data",
    "content-length",
    "content-encoding",
    "content-security-policy",
    "content-security-policy-report-only",
    "x-frame-options",
    "x-content-type-options",
    "x-xss-protection",
    "referrer-policy",
    "permissions-policy",
    "feature-policy",
    "report-to",
    "reporting-endpoints",
    "nel",
    "expect-ct",
    "accept-ch",
    "critical-ch",
    "document-policy",
    "origin-agent-cluster",
    "set-login",
    "speculation-rules",
    "use-as-dictionary",
    "refresh",
    "service-worker-allowed",
    "sourcemap",
    "x-sourcemap",
    "timing-allow-origin",
    "x-accel-redirect",
    "x-accel-buffering",
    "x-sendfile",
    "x-request-id",
    "api-version",
    "proxy-status",
}
_NOT_RETURNED_STARTS = ("access-control-", "cross-origin-", "proxy-", "sec-", "x-cloudconsole-")
_ACROSS_ORIGINS = frozenset({"accept", "accept-language", "user-agent", "range", "if-none-match", "if-modified-since"})


def sent(given: Iterable[tuple[str, str]], slots: frozenset[str], *, own_sign_in: bool) -> Headers:
    """What of the caller's headers goes out. `slots` are those that the key fills; `own_sign_in`: their Authorization is
    how they signed in here.
    """
    headers = list(given)
    named = _named_by_connection(headers)
    left_out = _NOT_SENT | slots | named | ({"authorization"} if own_sign_in or slots else set())
    return tuple(
        (name, value) for name, value in headers if name.lower() not in left_out and not name.lower().startswith(_NOT_SENT_STARTS)
    )


def why_not(name: str, value: str) -> str:
    """Why no request can carry this header, in words that name it; empty where one can."""
    if not _NAME.fullmatch(name):
        return f"“{_shown(name)}” is no name of a header: letters, digits and a few signs such as “-” make one."
    if _SENDABLE.fullmatch(value):
        return ""
    if all(ord(one) <= 0xFF for one in value):
        return f"The header “{_shown(name)}” holds a line break or another control character, which no header can carry."
    return f"The header “{_shown(name)}” holds characters that no header can carry: only those of Latin-1 are sent."


def _shown(name: str) -> str:
    return ascii(name[:_SHOWN])[1:-1]


def across_origins(headers: Headers) -> Headers:
    """What of them another host may be told, to which a redirect leads."""
    return tuple((name, value) for name, value in headers if name.lower() in _ACROSS_ORIGINS)


def returned(given: Iterable[tuple[str, str]]) -> Headers:
    """What of the answer's headers is handed on, several of one name each for itself."""
    headers = [(name, _unfolded(value)) for name, value in given]
    left_out = _NOT_RETURNED | _named_by_connection(headers)
    return tuple(
        (name, value)
        for name, value in headers
        if _NAME.fullmatch(name)
        and not _CONTROL.search(value)
        and name.lower() not in left_out
        and not name.lower().startswith(_NOT_RETURNED_STARTS)
    )


def _unfolded(value: str) -> str:
    """In one line. In time that grows with its length alone, because somebody else wrote it."""
    return " ".join(part.strip(" \t") for part in _FOLD.split(value)).strip()


def joined(headers: Headers) -> dict[str, str]:
    """One value for each name, in the order of arrival; several are one list, as RFC 9110 (5.3) has it."""
    names: dict[str, str] = {}
    found: dict[str, str] = {}
    for name, value in headers:
        known = names.setdefault(name.lower(), name)
        found[known] = f"{found[known]}, {value}" if known in found else value
    return found


def value_of(headers: Iterable[tuple[str, str]], name: str) -> str:
    """The first value of this name, in any case; empty when there is none."""
    return next((value for key, value in headers if key.lower() == name.lower()), "")


def all_of(headers: Iterable[tuple[str, str]], name: str) -> str:
    """Every value of this name as one list: where the first alone counts, a second one hides."""
    return ", ".join(value for key, value in headers if key.lower() == name.lower())


def _named_by_connection(headers: Iterable[tuple[str, str]]) -> frozenset[str]:
    values = [value for name, value in headers if name.lower() == "connection"]
    return frozenset(part.strip().lower() for value in values for part in value.split(",") if part.strip())
