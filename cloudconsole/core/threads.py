"""The threads on which requests are served under ASGI: kept from one request to the next, each with its database connection.

Django by itself makes a thread for each request. A connection belongs to its thread, so it is made and closed each time too:
for SQLite that means its checkpoint, with the disk behind it, in the middle of every answer. It also goes back and forth between
that thread and the event loop for each middleware that knows both ways, twice; here all of them and the view are one trip.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase

_LEFT = "cloudconsole.left"  # in a request's scope: what has to be done when it is over
MOST_IDLE = 16  # threads that wait for a request; how many serve one at a time has no bound here


class Threads:
    """Executors of one thread each. Whoever takes one has it alone until everything he left it to do is done."""

    def __init__(self, most_idle: int = MOST_IDLE) -> None:
        self._most_idle = most_idle
        self._idle: deque[ThreadPoolExecutor] = deque()  # its ends are safe from any thread

    def take(self) -> ThreadPoolExecutor:
        """The one that was used last, so that the others can age; a new one where none is idle."""
        try:
            return self._idle.pop()
        except IndexError:
            return ThreadPoolExecutor(max_workers=1, thread_name_prefix="request")

    def give_back(self, executor: ThreadPoolExecutor) -> None:
        """The thread itself says that it is free, behind what a request whose caller has gone left it to do."""
        executor.submit(self._now_idle, executor)

    def _now_idle(self, executor: ThreadPoolExecutor) -> None:
        if len(self._idle) < self._most_idle:
            self._idle.append(executor)
        else:
            connections.close_all()
            executor.shutdown(wait=False)


class Handler(ASGIHandler):
    """Django's own, on threads that are kept. Middleware and view run there in one piece, as under a server without ASGI."""

    def __init__(self, threads: Threads | None = None) -> None:
        super().__init__()
        self._threads = threads or Threads()

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response)(request)

    async def __call__(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Mapping[str, Any]]],
        send: Callable[[Mapping[str, Any]], Awaitable[None]],
    ) -> None:
        thread = self._threads.take()
        left: list[Callable[[], None]] = []
        try:
            async with ThreadSensitiveContext(executor=thread):
                try:
                    await super().__call__({**scope, _LEFT: left}, receive, send)
                finally:  # also where an answer breaks off
                    for do in left:
                        await sync_to_async(do)()
        finally:
            self._threads.give_back(thread)


def when_over(request: HttpRequest, do: Callable[[], None]) -> None:
    """Have `do` called on the request's own thread at the very end: a response whose caller has not waited for it is made and
    forgotten, and nobody closes it. (A server without ASGI writes and closes each.)
    """
    left = getattr(request, "scope", {}).get(_LEFT)
    if left is not None:
        left.append(do)
