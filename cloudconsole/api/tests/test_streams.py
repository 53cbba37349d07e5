from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, StreamingHttpResponse
from django.test import AsyncRequestFactory

from cloudconsole.api import streams
from cloudconsole.core.threads import Handler


@pytest.mark.parametrize("formula", ["=1", "+1", "-1", "@x", "\t=1", "  =1", "＝1"])
def test_no_text_reaches_a_spreadsheet_as_a_formula(formula: str) -> None:
    _, line = streams.csv_lines(["a"], [[formula]])

    assert line.strip('"').startswith("'")


def test_numbers_stay_numbers() -> None:
    assert list(streams.csv_lines(["a"], [[-1]])) == ["a\r\n", "-1\r\n"]


def test_under_asgi_lines_are_sent_as_they_are_made() -> None:
    made: list[str] = []

    def lines() -> Iterator[str]:
        for text in ("a", "b"):
            made.append(text)
            yield text

    async def read_one() -> bytes:
        request = AsyncRequestFactory().get("/")
        response = streams.streamed(request, lines(), content_type="text/csv", filename="x.csv")
        return await anext(aiter(response))

    assert asyncio.run(read_one()) == b"a"
    assert made == ["a"]


class Talking(Handler):
    """Answers everybody with parts, and notes on which thread the making of them ended."""

    def __init__(self) -> None:
        super().__init__()
        self.ended_on: list[int] = []

    async def get_response_async(self, request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(streams.body_for(request, self.parts()))

    def parts(self) -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            self.ended_on.append(threading.get_ident())


def test_who_leaves_between_two_parts_has_them_end_on_their_own_thread(db: None) -> None:
    """In the event loop, where they would be forgotten, nobody may ask the database: a row of a log, or a cursor."""
    handler = Talking()
    scope = {"type": "http", "http_version": "1.1", "method": "GET", "path": "/", "query_string": b"", "headers": []}

    async def ask() -> None:
        received: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        received.put_nowait({"type": "http.request", "body": b"", "more_body": False})

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                received.put_nowait({"type": "http.disconnect"})
                await asyncio.Event().wait()  # as for a reader who takes nothing more

        await handler(scope, received.get, send)

    asyncio.run(ask())
    assert len(handler.ended_on) == 1
    assert handler.ended_on[0] != threading.get_ident()
