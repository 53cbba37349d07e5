"""Which AWS calls a piece of work made: counted and timed, with AWS's request ids, and nothing of what was said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from cloudconsole.aws.attempts import Attempt, Observer
from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock

# AWS words the success of a dry run as an error.
_REHEARSED = "DryRunOperation"


@dataclass(frozen=True, slots=True)
class CallMade:
    """One call to AWS, its retries included. `error`: AWS's code, or the cause where AWS gave none; empty after success."""

    service: str
    operation: str
    account: str
    region: str
    request_id: str
    milliseconds: int
    retries: int
    error: str
    at: datetime


class Recorder:
    """Collects the calls made for one account, by any thread that was given it.

    Passed as `observer` it hears of that call; `recording` lets it hear of every call inside.
    """

    def __init__(self, account: str) -> None:
        self._account = account
        self._lock = Lock()
        self._calls: list[CallMade] = []

    @property
    def calls(self) -> list[CallMade]:
        """What was made and not taken so far, in the order in which the calls ended."""
        with self._lock:
            return list(self._calls)

    def take(self) -> list[CallMade]:
        """What was made since the last time, and forget it: long work keeps what it has told in no memory."""
        with self._lock:
            taken, self._calls = self._calls, []
            return taken

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Hear of all calls made inside, threads of a fan-out included."""
        token = _recorder.set(self)
        try:
            yield self
        finally:
            _recorder.reset(token)

    def before_attempt(self) -> None:
        """As an observer it only names itself; the call's own span counts the attempts."""

    def after_attempt(self, attempt: Attempt) -> None:
        """See `before_attempt`."""

    def add(self, call: CallMade) -> None:
        with self._lock:
            self._calls.append(call)

    @property
    def account(self) -> str:
        return self._account


_recorder: ContextVar[Recorder | None] = ContextVar("cloudconsole_aws_recorder", default=None)


class Span:
    """One call under way: passes its attempts on to `watching`, and remembers what a row about it needs.

    A call may make several requests, one for each page: only an attempt after one that failed is a retry.
    """

    def __init__(self, watching: Observer | None) -> None:
        self._watching = watching
        self._started = time.monotonic()
        self._is_unanswered = False
        self.was_sent = False
        self.retries = 0
        self.request_id = ""

    def before_attempt(self) -> None:
        if self._watching is not None:
            self._watching.before_attempt()
        self.retries += self._is_unanswered
        self.was_sent = self._is_unanswered = True

    def after_attempt(self, attempt: Attempt) -> None:
        told = (attempt.parsed or {}).get("ResponseMetadata", {})
        self.request_id = str(told.get("RequestId", "")) or self.request_id
        self._is_unanswered = not 200 <= told.get("HTTPStatusCode", 0) < 300
        if self._watching is not None:
            self._watching.after_attempt(attempt)

    def made(self, service: str, operation: str, account: str, region: str, *, error: str) -> CallMade:
        milliseconds = round((time.monotonic() - self._started) * 1000)
        return CallMade(service, operation, account, region, self.request_id, milliseconds, self.retries, error, clock.now())


@contextmanager
def span(service: str, operation: str, region: str, observer: Observer | None) -> Iterator[Observer | None]:
    """The observer to make one call with; when it is over, whoever records hears of it once."""
    recorders = {recorder for recorder in (observer, _recorder.get()) if isinstance(recorder, Recorder)}
    if not recorders:
        yield observer
        return
    current, error = Span(observer), ""
    try:
        yield current
    except AwsError as failure:
        error = "" if failure.aws_code == _REHEARSED else failure.aws_code or str(failure.cause)
        raise
    finally:
        for recorder in recorders if current.was_sent else ():
            recorder.add(current.made(service, operation, recorder.account, region, error=error))
