"""Signature Version 4, checked from AWS's side (AWS General Reference, "Create a signed request")."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, quote

from cloudconsole.simulator.wire import Request

ALLOWED_SKEW = timedelta(minutes=15)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,]+)/(?P<day>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request,\s*"
    r"SignedHeaders=(?P<headers>[^,]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)
_STAMP = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class Signature:
    """What an Authorization header claims."""

    access_key_id: str
    day: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str
    signed_at: datetime
    # Of a presigned link: its token, which is part of the address, and how long it holds.
    token: str | None = None
    lasts: timedelta | None = None

    @property
    def scope(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/aws4_request"


def read(request: Request) -> Signature | None:
    """The claimed signature, or None where the request carries none that can be read."""
    return _read_link(request) if "X-Amz-Signature=" in request.query else _read_header(request)


def _read_link(request: Request) -> Signature | None:
    """A presigned link: everything that else stands in the header is part of its query."""
    claims = dict(parse_qsl(request.query, keep_blank_values=True))
    scope = claims.get("X-Amz-Credential", "").split("/")
    stamp, lasts = claims.get("X-Amz-Date", ""), claims.get("X-Amz-Expires", "")
    if len(scope) != 5 or not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or not re.fullmatch(r"\d{1,6}", lasts):
        return None
    return Signature(
        access_key_id=scope[0],
        day=scope[1],
        region=scope[2],
        service=scope[3],
        signed_headers=tuple(claims.get("X-Amz-SignedHeaders", "").split(";")),
        signature=claims["X-Amz-Signature"],
        signed_at=datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC),
        token=claims.get("X-Amz-Security-Token"),
        lasts=timedelta(seconds=int(lasts)),
    )


def _read_header(request: Request) -> Signature | None:
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    stamp = request.headers.get("x-amz-date", "")
    if not found or not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        return None
    return Signature(
        access_key_id=found["key"],
        day=found["day"],
        region=found["region"],
        service=found["service"],
        signed_headers=tuple(found["headers"].split(";")),
        signature=found["signature"],
        signed_at=datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC),
    )


def matches(request: Request, claimed: Signature, secret: str) -> bool:
    """Whether `secret` signs exactly this request as `claimed` says."""
    if not _payload_is_whole(request):
        return False
    stamp = claimed.signed_at.strftime(_STAMP)
    hashed = hashlib.sha256(_canonical(request, claimed).encode()).hexdigest()
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{claimed.scope}\n{hashed}"
    key = f"AWS4{secret}".encode()
    for part in claimed.scope.split("/"):
        key = hmac.digest(key, part.encode(), hashlib.sha256)
    return hmac.compare_digest(hmac.digest(key, to_sign.encode(), hashlib.sha256).hex(), claimed.signature)


def skew_message(signed_at: datetime, now: datetime) -> str | None:
    """AWS's sentence about a clock that is wrong, or None where the clock is right enough."""
    stamp = signed_at.strftime(_STAMP)
    if signed_at < now - ALLOWED_SKEW:
        limit = (now - ALLOWED_SKEW).strftime(_STAMP)
        return f"Signature expired: {stamp} is now earlier than {limit} ({now.strftime(_STAMP)} - 15 min.)"
    if signed_at > now + ALLOWED_SKEW:
        limit = (now + ALLOWED_SKEW).strftime(_STAMP)
        return f"Signature not yet current: {stamp} is still later than {limit} ({now.strftime(_STAMP)} + 15 min.)"
    return None


def _canonical(request: Request, claimed: Signature) -> str:
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in claimed.signed_headers)
    # S3 signs the path as sent; everybody else encodes it once more.
    path = request.path if claimed.service == "s3" else quote(request.path, safe="/-_.~")
    return "\n".join(
        (request.method, path, _query(request.query), headers, ";".join(claimed.signed_headers), _payload_hash(request, claimed))
    )


def _query(raw: str) -> str:
    pairs = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in parse_qsl(raw, keep_blank_values=True)
        if name != "X-Amz-Signature"
    )
    return "&".join(f"{key}={value}" for key, value in pairs)


def _payload_hash(request: Request, claimed: Signature) -> str:
    if claimed.lasts is not None:
        return "UNSIGNED-PAYLOAD"
    return request.headers.get("x-amz-content-sha256") or hashlib.sha256(request.body).hexdigest()


def _payload_is_whole(request: Request) -> bool:
    declared = request.headers.get("x-amz-content-sha256", "")
    return len(declared) != 64 or declared == hashlib.sha256(request.body).hexdigest()
