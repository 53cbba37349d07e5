"""Headers and bodies of requests, for keys whose owner asked to keep them for a while: sealed, without the secret, bounded."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from cloudconsole.net.egress import Upload
from cloudconsole.sealing import Context, Sealed, SealingError, Unreadable, keyring
from gateway.models import RequestCapture, RequestLog
from gateway.rules.headers import Headers

MOST_BYTES = 65_536  # of each body; the rest is not kept

log = structlog.get_logger(__name__)


@dataclass
class Captured:
    """What went out and what came back, as far as it is kept. `echoed`: the answer held the secret, which was taken out."""

    request_headers: Headers = ()
    request_body: bytes = field(default=b"", repr=False)
    response_headers: Headers = ()
    response_body: bytes = field(default=b"", repr=False)
    echoed: bool = False

    def add(self, chunk: bytes) -> None:
        """More of the answer."""
        if len(self.response_body) < MOST_BYTES:
            self.response_body = (self.response_body + chunk)[:MOST_BYTES]


def beginning(body: bytes | Upload) -> bytes:
    """What of a request's body is kept."""
    if not isinstance(body, Upload):
        return body[:MOST_BYTES]
    body.file.seek(0)
    return body.file.read(MOST_BYTES)


def keep(row: RequestLog, captured: Captured, until: datetime) -> None:
    """An answer never fails for what cannot be kept of it."""
    try:
        sealed = keyring().seal(_text(row, captured), _context(row))
    except SealingError as error:
        log.warning("capture_not_kept", reason=error.code)
        return
    RequestCapture.objects.create(log=row, sealed=sealed.ciphertext, sealed_with=sealed.key_id, expires_at=until)


def opened(capture: RequestCapture) -> Captured:
    """Raises SealingError."""
    found = json.loads(keyring().open(Sealed(bytes(capture.sealed), capture.sealed_with), _context(capture.log)))
    if found["log"] != str(capture.log.uuid):
        raise Unreadable("What was kept belongs to another request.")
    request, response = found["request"], found["response"]
    sent, answer = base64.b64decode(request[1]), base64.b64decode(response[1])
    return Captured(_pairs(request[0]), sent, _pairs(response[0]), answer, found.get("echoed", False))


def _text(row: RequestLog, captured: Captured) -> str:
    request = (captured.request_headers, base64.b64encode(captured.request_body).decode())
    response = (captured.response_headers, base64.b64encode(captured.response_body).decode())
    return json.dumps({"log": str(row.uuid), "request": request, "response": response, "echoed": captured.echoed})


def _pairs(given: list[list[str]]) -> Headers:
    return tuple((name, value) for name, value in given)


def _context(row: RequestLog) -> Context:
    return Context(str(row.uuid), RequestCapture.PURPOSE)
