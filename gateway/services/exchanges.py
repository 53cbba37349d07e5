"""One request of a caller on its way to another service: attempts, redirects, and the answer as it is handed on."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http import HTTPStatus
from itertools import chain

from django.core.cache import cache
from django.db import connections, transaction

from audit import services as audit
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.net import addresses
from cloudconsole.net.egress import Door, Limits, PlainHttp, Refused, Request, Streamed, Unanswered, Upload, door
from gateway import verbs
from gateway.models import RequestLog
from gateway.rules import attempts, decoding, headers
from gateway.rules.bindings import PLACEHOLDER
from gateway.rules.headers import Headers
from gateway.rules.injection import Injected
from gateway.rules.scrubbing import Scrubber
from gateway.services import captures, key_budgets, rate_windows, request_log
from gateway.services.captures import Captured
from gateway.services.outgoing import Caps, Outgoing

SHORT = 65_536  # bytes of an answer that goes on in one piece: most of what APIs say in JSON, and little in memory


class AnswerUnusable(CloudconsoleError):
    """It is compressed in a way that was not asked for, or is not what it says it is."""

    kind = Kind.UPSTREAM
    code = "answer_unusable"
    title = "The answer cannot be read"
    may_have_acted = True


class AnswerTooLarge(CloudconsoleError):
    kind = Kind.UPSTREAM
    code = "answer_too_large"
    title = "The answer is too large"
    may_have_acted = True


class Exchange:
    """An answer that is coming: its chunks are decompressed, without the secret, and within the caps.

    `close` has to be called when it is over or nobody wants it any more; `abort` ends the connection from any thread.
    `row` of the log is there once it is closed.
    """

    row: RequestLog

    def __init__(self, outgoing: Outgoing, streamed: Streamed) -> None:
        self._outgoing, self._streamed, self._stack = outgoing, streamed, ExitStack()
        self._scrubber = Scrubber(outgoing.injected.forms)
        self._is_closed = False
        self._taken = 0
        self._early: list[bytes] = []
        self._broken: Unanswered | None = None
        self.draft = outgoing.draft
        self.status, self.warning = streamed.status, outgoing.warning
        self.headers = _returned(streamed.headers, self._scrubber)
        self._captured = self._begun_capture()
        self._encodings = _encodings(headers.all_of(streamed.headers, "content-encoding"))

    def _begun_capture(self) -> Captured | None:
        key = self._outgoing.key
        if key is None or not key.is_captured:
            return None
        body = captures.beginning(self._outgoing.body)
        scrubber = Scrubber(self._outgoing.injected.forms)  # of its own: what the caller wrote is no echo
        sent = tuple((name, scrubber.whole(value)) for name, value in self._outgoing.headers)
        return Captured(sent, scrubber.taken_out(body), self.headers)

    def keep(self, stack: ExitStack) -> None:
        """What has to be closed with it: the connection."""
        self._stack = stack

    @property
    def is_compressed(self) -> bool:
        return bool(self._encodings)

    @property
    def has_body(self) -> bool:
        return self._outgoing.method != "HEAD" and self.status not in (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)

    def comes_whole(self, patience_s: float) -> bool:
        """Whether the answer is short, and all of it there within so many seconds. What has come is kept for `chunks`."""
        left, until = self._short_length(), time.monotonic() + patience_s
        if left is None:
            return False
        while left > 0 and self._streamed.is_ready(until - time.monotonic()):
            try:
                chunk = next(self._streamed.chunks, b"")
            except Unanswered as error:
                self._broken = error
                return True
            if not chunk:  # it ends before its length
                return True
            self._early.append(chunk)
            left -= len(chunk)
        return left <= 0

    def _short_length(self) -> int | None:
        """How many bytes its body has, where that is few, known, and the same when they are unpacked."""
        told = self._streamed.headers
        length, is_cut = headers.value_of(told, "content-length"), headers.value_of(told, "transfer-encoding")
        if not self.has_body:
            return 0
        if is_cut or self._encodings or not length.isdecimal() or not 0 <= int(length[:20]) <= SHORT:
            return None
        return int(length)

    def chunks(self) -> Iterator[bytes]:
        """Raises Unanswered, AnswerTooLarge, AnswerUnusable, BudgetUsedUp, having noted it in the log."""
        try:
            yield from self._clean()
        except CloudconsoleError as error:
            self._note(error.code)
            error.may_have_acted = True  # whatever is wrong with the answer, the request was carried out
            raise
        except decoding.Undecodable:
            self._note(AnswerUnusable.code)
            raise AnswerUnusable("The answer says that it is compressed, and is not.") from None
        except decoding.PackedAgain:
            self._note(AnswerUnusable.code)
            raise AnswerUnusable("The answer is compressed once more than it says.") from None
        except Exception as error:
            self._note(request_log.UNEXPECTED)
            error.may_have_acted = True  # type: ignore[attr-defined]  # read by ApiView
            raise
        finally:
            self.close()

    def _note(self, error: str) -> None:
        """What went wrong first: a connection that was ended for a caller who has gone breaks the answer as well."""
        self.draft.error = self.draft.error or error

    def _clean(self) -> Iterator[bytes]:
        size = 0
        for chunk in decoding.decoded(self._counted(), self._encodings):
            size += len(chunk)
            if size > self._outgoing.caps.body_bytes:
                raise _too_large(self._outgoing.caps)
            if clean := self._scrubber.feed(chunk):
                yield self._noted(clean)
        if rest := self._scrubber.end():
            yield self._noted(rest)

    def _noted(self, clean: bytes) -> bytes:
        if self._captured is not None:
            self._captured.add(clean)
        return clean

    def _counted(self) -> Iterator[bytes]:
        """As they come, paid for out of the key's budget before they are handed on."""
        for chunk in chain(self._early, self._streamed.chunks):
            self._pay(self.draft.response_bytes + len(chunk))
            self.draft.response_bytes += len(chunk)
            yield chunk
        if self._broken is not None:
            raise self._broken

    def _pay(self, size: int) -> None:
        key = self._outgoing.key
        if key is not None and key.budget.bytes_per_day is not None and size > self._taken:
            block = min(key_budgets.BLOCK, key.budget.bytes_per_day)
            wanted = max(size - self._taken, block)
            try:
                key_budgets.take_bytes(key, wanted)
            except key_budgets.BudgetUsedUp:
                wanted = size - self._taken  # the last piece of a budget is smaller than a block
                key_budgets.take_bytes(key, wanted)
            self._taken += wanted
            _let_others_ask()

    def abort(self) -> None:
        """End the connection; whoever waits for a chunk finds out at once."""
        if not self._is_closed:
            self._note("caller_gone")
        self._streamed.abort()

    def leave(self) -> None:
        """Nobody reads it any more, if anybody ever did."""
        if not self._is_closed:
            self.abort()
            self.close()

    def close(self) -> None:
        if self._is_closed:
            return
        self._is_closed = True
        try:
            self._stack.close()
            if self._outgoing.key is not None:
                key_budgets.give_back(self._outgoing.key, size=max(0, self._taken - self.draft.response_bytes))
        finally:
            self.row = request_log.store(self.draft)
        key = self._outgoing.key
        if self._captured is not None and key is not None and key.capture_until is not None:
            self._captured.echoed = self._scrubber.hits > 0
            captures.keep(self.row, self._captured, key.capture_until)
        if self._scrubber.hits:
            _note_echo(self._outgoing)


def opened(outgoing: Outgoing) -> Exchange:
    """Send it, again where that does no harm, and onwards where it leads and its key allows that; until an answer begins.

    Raises KeyNotAllowed, BudgetUsedUp, Refused, Unanswered, AnswerTooLarge, AnswerUnusable, and what holds a request back.
    """
    outgoing.refuse_unless_allowed()
    if outgoing.key is not None:
        outgoing.windows = rate_windows.kept(outgoing.key)
        outgoing.warning = rate_windows.check(outgoing.key, outgoing.windows) or ""
    retries, hops = 0, 0
    while True:
        with ExitStack() as stack:
            try:
                streamed = _attempted(outgoing, stack)
            except Unanswered as failure:
                safe = outgoing.may_repeat or not failure.may_have_acted
                if not (safe and retries < outgoing.most_retries and _waited(outgoing, "", retries)):
                    raise
                retries += 1
                continue
            passing = streamed.status in attempts.PASSING and outgoing.may_repeat and retries < outgoing.most_retries
            if passing and _waited(outgoing, headers.value_of(streamed.headers, "retry-after"), retries, stack):
                retries += 1
                continue
            onwards = _led(outgoing, streamed) if hops < attempts.MOST_HOPS else None
            if onwards is not None:
                outgoing, hops = onwards, hops + 1
                continue
            return _answered(outgoing, streamed, stack)


def _attempted(outgoing: Outgoing, stack: ExitStack) -> Streamed:
    """One attempt. The budget is asked first, and gets back what did not leave."""
    key = outgoing.key
    if key is not None:
        key_budgets.take_request(key, outgoing.size)
        if outgoing.draft.attempts:  # the attempt before this one was told something, and waited
            outgoing.windows = rate_windows.kept(key)
    outgoing.draft.attempts += 1
    _let_others_ask()
    try:
        streamed = stack.enter_context(_door(outgoing).stream(_request(outgoing)))
    except (Refused, Unanswered) as error:
        left = isinstance(error, Unanswered) and error.may_have_acted
        outgoing.draft.has_acted |= left
        if key is not None and not left:
            key_budgets.give_back(key, requests=1, size=outgoing.size)
        raise
    outgoing.draft.status, outgoing.draft.has_acted = streamed.status, True
    if key is not None:
        rate_windows.observe(key, streamed.status, streamed.headers, clock.now(), outgoing.windows)
    return streamed


def _door(outgoing: Outgoing) -> Door:
    plain = PlainHttp.ANYWHERE if outgoing.key is not None and outgoing.key.plain_http else PlainHttp.EXCEPTED
    left = max(0.1, outgoing.remaining_s)
    return door(plain_http=plain, limits=Limits(min(5.0, left), min(outgoing.caps.read_s, left), left))


def _request(outgoing: Outgoing) -> Request:
    target = outgoing.injected.target(outgoing.address.target)
    body = outgoing.body
    if isinstance(body, Upload):
        body.file.seek(0)
    # Header names are case-insensitive, and the door takes one of each: several lines become one list.
    given = headers.joined((*outgoing.headers, *outgoing.injected.headers))
    return Request(outgoing.method, replace(outgoing.address, target=target).url, given, body)


def _waited(outgoing: Outgoing, retry_after: str, retries: int, stack: ExitStack | None = None) -> bool:
    """Wait before the next attempt. False, without waiting, where the time for everything would not be enough."""
    pause = attempts.pause(retry_after, retries, clock.now(), random.random())  # noqa: S311 - spreads attempts, guards nothing
    if pause > min(attempts.LONGEST_PAUSE_S, outgoing.remaining_s - 1):
        return False
    if stack is not None:
        stack.close()
    time.sleep(pause)
    return True


def _led(outgoing: Outgoing, streamed: Streamed) -> Outgoing | None:
    """Where the answer leads, if its key allows to follow; None where the answer itself is handed on.

    Elsewhere than its own host, nothing goes along that speaks of the caller: no secret, no body, few headers.
    """
    location = headers.value_of(streamed.headers, "location")
    if outgoing.injected.in_path:
        location = location.replace(outgoing.injected.in_path, PLACEHOLDER, 1)
    if outgoing.key is None or not outgoing.key.follow_redirects or not attempts.is_redirect(streamed.status, location):
        return None
    address = addresses.parse(attempts.next_url(outgoing.address.url, location))
    method = attempts.next_method(streamed.status, outgoing.method)
    body = outgoing.body if method == outgoing.method else b""
    onwards = replace(outgoing, method=method, address=address, body=body)
    if address.scheme == "http" and outgoing.address.scheme == "https":
        return None
    if outgoing.binding is not None and outgoing.binding.is_origin_of(address):
        onwards.refuse_unless_allowed()
        return onwards
    if onwards.size or method not in ("GET", "HEAD"):
        return None
    return replace(onwards, headers=headers.across_origins(outgoing.headers), injected=_bare(outgoing), binding=None)


def _bare(outgoing: Outgoing) -> Injected:
    """Nothing is sent along, and what the secret consists of is still taken out of the answer."""
    return Injected(parts=outgoing.injected.parts)


def _answered(outgoing: Outgoing, streamed: Streamed, stack: ExitStack) -> Exchange:
    if not 200 <= streamed.status <= 599:
        raise AnswerUnusable("The answer has no status that means anything.")
    length = headers.value_of(streamed.headers, "content-length")
    if outgoing.method != "HEAD" and length.isdecimal() and int(length[:20]) > outgoing.caps.body_bytes:
        raise _too_large(outgoing.caps)
    exchange = Exchange(outgoing, streamed)
    exchange.keep(stack.pop_all())
    _let_others_ask()
    return exchange


def _let_others_ask() -> None:
    """Connections to the database that are lent out of a pool go back there: what comes next is waiting for the other side."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def _too_large(caps: Caps) -> AnswerTooLarge:
    return AnswerTooLarge(f"The answer is larger than {caps.body_bytes // 1_048_576} MiB.")


def _returned(given: Headers, scrubber: Scrubber) -> Headers:
    """Without those whose names hold the secret: with a mark in it, it would be no name."""
    passing = headers.returned(given)
    return tuple((name, scrubber.whole(value)) for name, value in passing if scrubber.whole(name) == name)


def _encodings(header: str) -> list[str]:
    try:
        return decoding.encodings(header)
    except decoding.UnknownEncoding:
        raise AnswerUnusable("The answer is compressed in a way that was not asked for.") from None


@transaction.atomic
def _note_echo(outgoing: Outgoing) -> None:
    """Once a day for each key: a service that always does it would fill the trail."""
    key = outgoing.key
    if key is None or not cache.add(f"gateway:echoed:{key.pk}", 1, 86_400):
        return
    audit.record(
        verbs.SECRET_ECHOED, actor=key.owner, subject=outgoing.address.netloc, outcome="failure", detail={"key": key.api_name}
    )
