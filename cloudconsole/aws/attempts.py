"""Every single HTTP attempt of a call, retries included: who watches it, and until when it may still be made."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from botocore import exceptions as boto
from botocore.session import Session

from cloudconsole.aws.errors import DeadlineExceeded


@dataclass(frozen=True, slots=True)
class Attempt:
    """One HTTP exchange: AWS's parsed answer, or the failure on the way to it."""

    parsed: Mapping[str, Any] | None
    failure: Exception | None

    @property
    def may_have_arrived(self) -> bool:
        """False where no connection was made: AWS cannot have heard of the request."""
        return not isinstance(self.failure, _UNCONNECTED)


_UNCONNECTED = (boto.EndpointConnectionError, boto.ConnectTimeoutError, boto.ProxyConnectionError)


class Observer(Protocol):
    """Told about each attempt of one call. What it raises ends the call."""

    def before_attempt(self) -> None: ...

    def after_attempt(self, attempt: Attempt) -> None: ...


_observer: ContextVar[Observer | None] = ContextVar("cloudconsole_aws_observer", default=None)
_deadline: ContextVar[float | None] = ContextVar("cloudconsole_aws_deadline", default=None)


@contextmanager
def observed_by(observer: Observer | None) -> Iterator[None]:
    """Tell `observer`, and nobody else, about the attempts made inside."""
    token = _observer.set(observer)
    try:
        yield
    finally:
        _observer.reset(token)


@contextmanager
def until(deadline: float) -> Iterator[None]:
    """Start no attempt inside after `deadline` (on the clock of `time.monotonic`)."""
    token = _deadline.set(deadline)
    try:
        yield
    finally:
        _deadline.reset(token)


def check_deadline() -> None:
    """Raises DeadlineExceeded when the time set for the surrounding work is over."""
    deadline = _deadline.get()
    if deadline is not None and time.monotonic() >= deadline:
        raise DeadlineExceeded("The time set for this work was over before AWS was asked.")


def watch(session: Session) -> None:
    """Make all clients of `session` report their attempts."""
    session.register("request-created", _before, unique_id="cloudconsole-before-attempt")
    session.register("response-received", _after, unique_id="cloudconsole-after-attempt")


def _before(**_: object) -> None:
    check_deadline()
    observer = _observer.get()
    if observer is not None:
        observer.before_attempt()


def _after(parsed_response: Mapping[str, Any] | None = None, exception: Exception | None = None, **_: object) -> None:
    observer = _observer.get()
    if observer is not None:
        observer.after_attempt(Attempt(parsed_response, exception))
