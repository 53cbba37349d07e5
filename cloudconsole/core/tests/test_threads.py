"""Threads that are kept from one request to the next."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.handlers.asgi import ASGIRequest
from django.utils.decorators import sync_and_async_middleware

from cloudconsole.core.threads import Handler, Threads, when_over

WITHIN_S = 30


def who(executor: ThreadPoolExecutor) -> int:
    return executor.submit(threading.get_ident).result(WITHIN_S)


def settled(executor: ThreadPoolExecutor) -> None:
    """Everything that it was left to do is done."""
    executor.submit(int).result(WITHIN_S)


def test_the_next_request_has_the_same_thread() -> None:
    threads = Threads()
    first = threads.take()
    thread = who(first)
    threads.give_back(first)
    settled(first)
    again = threads.take()
    assert (again is first, who(again)) == (True, thread)
    again.shutdown()


def test_a_thread_that_is_still_busy_serves_nobody_else() -> None:
    threads, done = Threads(), threading.Event()
    busy = threads.take()
    busy.submit(done.wait, WITHIN_S)
    threads.give_back(busy)
    other = threads.take()
    assert other is not busy
    done.set()
    settled(busy)
    assert threads.take() is busy
    busy.shutdown()
    other.shutdown()


def test_no_more_threads_are_kept_than_are_wanted() -> None:
    threads = Threads(most_idle=1)
    many = [threads.take() for _ in range(3)]
    for one in many:
        who(one)
        threads.give_back(one)
        one.shutdown()  # waits for what it was left to do
    assert [threads.take() is one for one in (many[0], many[0])] == [True, False]


class Counting(ThreadPoolExecutor):
    """A thread that counts what it is asked to do."""

    asked = 0

    def submit(self, *arguments: Any, **named: Any) -> Any:
        self.asked += 1
        return super().submit(*arguments, **named)


chains: list[bool] = []


@sync_and_async_middleware
def either(get_response: Callable[..., Any]) -> Callable[..., Any]:
    """Knows both ways, and notes whether it was given the asynchronous one."""
    chains.append(iscoroutinefunction(get_response))
    return get_response


def test_middleware_and_view_are_one_trip_to_the_thread(db: None, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, f"{__name__}.either"]
    threads, thread = Threads(), Counting(max_workers=1)
    threads.give_back(thread)
    settled(thread)
    before = thread.asked
    status, headers = answer_of(Handler(threads), "/healthz")
    settled(thread)
    assert (status, headers[b"Referrer-Policy"]) == (200, b"same-origin")  # as middleware sets it
    assert chains == [False]  # the other way would lead through the event loop, there and back
    # What the beginning of a request sets off, the request, the end of its response, and that the thread is free; and `settled`.
    assert thread.asked - before <= 5
    thread.shutdown()


class Failing(Handler):
    """Whose answer is none, for a request that left something to be done."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[int] = []

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        when_over(ASGIRequest(scope, BytesIO()), lambda: self.done.append(threading.get_ident()))
        raise ConnectionError


def test_what_has_to_be_done_is_done_where_an_answer_breaks_off() -> None:
    handler = Failing()
    with pytest.raises(ConnectionError):
        answer_of(handler, "/")
    assert len(handler.done) == 1
    assert handler.done[0] != threading.get_ident()  # of the event loop


def answer_of(handler: Handler, path: str) -> tuple[int, dict[bytes, bytes]]:
    scope = {
        "type": "http", "http_version": "1.1", "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "scheme": "http",
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def ask() -> None:
        received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        received.put_nowait({"type": "http.request", "body": b"", "more_body": False})

        async def send(message: Any) -> None:
            sent.append(message)

        await handler(scope, received.get, send)

    asyncio.run(ask())
    return sent[0]["status"], dict(sent[0]["headers"])
