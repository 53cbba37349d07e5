"""The proxy: a request of a person, with a key of theirs or without one, out through the door and its answer back."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from accounts.models import User
from audit import services as audit
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.net import addresses
from cloudconsole.net.egress import Cause, Refused, Upload
from gateway import verbs
from gateway.models import ApiKey, Generation, RequestLog, Via
from gateway.rules import headers, injection, keys, presets
from gateway.rules.bindings import Binding
from gateway.rules.headers import Headers
from gateway.rules.injection import Injected
from gateway.rules.keys import AuthScheme
from gateway.rules.scrubbing import Scrubber
from gateway.selectors import keys as selectors
from gateway.services import exchanges, key_secrets, request_log
from gateway.services.exchanges import AnswerTooLarge, Exchange
from gateway.services.outgoing import Caps, Outgoing
from gateway.services.request_log import Draft

# A stream may last as long as an answer that is made while it is read; a whole answer is waited for.
STREAM = Caps(read_s=60, total_s=900, body_bytes=4 * 1024**3)
WHOLE = Caps(read_s=30, total_s=60, body_bytes=STREAM.body_bytes)
WHOLE_BYTES = 10 * 1024**2  # of a whole answer are kept; the rest is cut off
REQUEST_BYTES = 100 * 1024**2
# Those that are quick to read whatever they hold; anything else is handed on as bytes.
_CHARSETS = {"iso-8859-1": "latin-1", "latin1": "latin-1", "windows-1252": "cp1252", "us-ascii": "utf-8", "utf-16": "utf-16"}


class MethodUnknown(CloudconsoleError):
    code = "method_unknown"
    title = "The method is not known"


class HeaderUnsendable(CloudconsoleError):
    """It is the caller's own header that cannot be written, not the address."""

    code = "header_unsendable"
    title = "A header cannot be sent"


class BodyTooLarge(CloudconsoleError):
    kind = Kind.TOO_LARGE
    code = "too_large"
    title = "Too large"


@dataclass(frozen=True)
class Call:
    """What a person wants sent. `url` is an address, or with a key also a path below its base, as it is to be written.

    `own_sign_in`: an Authorization among the headers is how the caller signed in here, and stays here.
    """

    method: str
    url: str
    headers: Iterable[tuple[str, str]] = field(default=(), repr=False)
    body: bytes | Upload = field(default=b"", repr=False)
    via: Via = Via.ENVELOPE
    generation: Generation = Generation.CURRENT
    own_sign_in: bool = False


@dataclass(frozen=True)
class Whole:
    """A whole answer. `truncated`: it was longer than WHOLE_BYTES, and the rest was not read."""

    status: int
    headers: Headers
    body: bytes = field(repr=False)
    truncated: bool
    duration_ms: int
    warning: str
    log: RequestLog


def begin(*, call: Call, key: ApiKey | None, by: User, caps: Caps = STREAM) -> Exchange:
    """Send it; the answer as it comes. Its `close` has to be called in the end.

    Whatever happens is one row of the log. Raises what `exchanges.opened` does, KeyUnusable, MethodUnknown, HeaderUnsendable,
    BodyTooLarge, SealingError.
    """
    draft = Draft.of(by, key, call.via, call.method)
    try:
        return exchanges.opened(_outgoing(call, key, draft, caps))
    except CloudconsoleError as error:
        # What went wrong may be the second step, behind a redirect: sent again, the first one would be taken again as well.
        error.may_have_acted = error.may_have_acted or draft.has_acted
        draft.error = error.code
        request_log.store(draft)
        if isinstance(error, Refused):
            _note_refusal(draft, error.cause)
        raise
    except Exception as error:  # a fault of ours: what was sent until then is in the log all the same
        error.may_have_acted = draft.has_acted  # type: ignore[attr-defined]  # read by ApiView
        draft.error = request_log.UNEXPECTED
        request_log.store(draft)
        raise


def send(*, call: Call, key: ApiKey | None, by: User) -> Whole:
    """The whole answer, cut at WHOLE_BYTES. Raises as `begin` does, and what comes up while it is read."""
    exchange = begin(call=call, key=key, by=by, caps=WHOLE)
    body, truncated = bytearray(), False
    chunks = exchange.chunks()
    try:
        for chunk in chunks:
            body += chunk
            if len(body) > WHOLE_BYTES:
                truncated = True
                break
    finally:
        chunks.close()  # type: ignore[attr-defined]  # a generator, which closes the exchange
    if truncated and exchange.is_compressed:
        raise AnswerTooLarge(f"The answer is compressed, and is larger than {WHOLE_BYTES // 1024**2} MiB when it is not.")
    row = exchange.row
    return Whole(exchange.status, exchange.headers, bytes(body[:WHOLE_BYTES]), truncated, row.duration_ms, exchange.warning, row)


def _outgoing(call: Call, key: ApiKey | None, draft: Draft, caps: Caps) -> Outgoing:
    if call.method not in keys.METHODS:
        raise MethodUnknown(f"Methods are {', '.join(keys.METHODS)}.", attr="method")
    binding = selectors.binding_of(key) if key is not None else None
    address = addresses.parse(_absolute(call.url, binding))
    draft.goes_to(address)
    injected = _injected(key, call.generation) if key is not None else Injected()
    draft.goes_to(address, Scrubber(injected.forms))
    outgoing = Outgoing(
        method=call.method,
        address=address,
        headers=_headers(call, key, injected),
        body=call.body,
        key=key,
        binding=binding,
        injected=injected,
        caps=caps,
        draft=draft,
    )
    draft.request_bytes = outgoing.size
    if outgoing.size > REQUEST_BYTES:
        raise BodyTooLarge(f"A request's body has at most {REQUEST_BYTES // 1024**2} MiB.")
    return outgoing


def _absolute(url: str, binding: Binding | None) -> str:
    if binding is None or not (url.startswith("/") or not url):
        return url
    path, mark, query = url.partition("?")
    return binding.joined(path, query) if mark else binding.joined(path)


def _headers(call: Call, key: ApiKey | None, injected: Injected) -> Headers:
    """The caller's, and those that the service wants with every request where the caller says nothing else.

    Raises HeaderUnsendable.
    """
    sent = headers.sent(call.headers, injected.slots, own_sign_in=call.own_sign_in)
    if why := next((why for name, value in sent if (why := headers.why_not(name, value))), ""):
        raise HeaderUnsendable(why, attr="headers")
    preset = presets.BY_SLUG.get(key.preset) if key is not None else None
    given = {name.lower() for name, _ in sent} | injected.slots
    always = preset.headers.items() if preset is not None else ()
    return (*sent, *((name, value) for name, value in always if name.lower() not in given))


def _injected(key: ApiKey, generation: Generation) -> Injected:
    secret = key_secrets.opened(selectors.to_send_with(key, generation))
    return injection.injected(AuthScheme(key.auth_scheme), key.auth_name, key.auth_template, secret)


@transaction.atomic
def _note_refusal(draft: Draft, cause: Cause) -> None:
    detail = {"cause": cause.value, "key": draft.key.api_name if draft.key else ""}
    audit.record(verbs.REQUEST_REFUSED, actor=draft.user, subject=draft.host or "an address", outcome="refused", detail=detail)


def text_of(body: bytes, content_type: str) -> tuple[str, str]:
    """A body as JSON can hold it, and how: "utf-8" for text, "base64" for everything else."""
    said = content_type.lower().partition("charset=")[2].split(";")[0].strip('" ')
    for name in (_CHARSETS.get(said, "utf-8"), "utf-8"):
        try:
            return body.decode(name), "utf-8"
        except UnicodeError:
            continue
    return base64.b64encode(body).decode(), "base64"
