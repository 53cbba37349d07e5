from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from django.test import AsyncRequestFactory

from cloudconsole.api import streams


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
