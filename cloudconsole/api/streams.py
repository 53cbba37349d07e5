"""Long answers that are written while they are read."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from io import StringIO

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse

from cloudconsole.core import threads

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")  # and their full-width forms


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """CSV line by line. Text that a spreadsheet would take for a formula gets an apostrophe in front."""
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow([harmless(cell) for cell in header])
    yield buffer.getvalue()
    for row in rows:
        buffer.seek(0)
        buffer.truncate()
        writer.writerow([harmless(cell) for cell in row])
        yield buffer.getvalue()


def harmless(cell: object) -> object:
    """Text that a spreadsheet would take for a formula, with an apostrophe in front."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(_FORMULA_STARTS) else cell


def streamed(
    request: HttpRequest, lines: Iterator[str] | Iterator[bytes], *, content_type: str, filename: str
) -> StreamingHttpResponse:
    """A download of `lines`, in constant memory under ASGI and WSGI alike."""
    response = StreamingHttpResponse(body_for(request, lines), content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def body_for(
    request: HttpRequest, parts: Iterator[str] | Iterator[bytes], on_gone: Callable[[], None] = lambda: None
) -> AsyncIterator[str | bytes] | Iterator[str] | Iterator[bytes]:
    """`parts` as the server that runs reads them. Under ASGI Django would gather a plain iterator in memory before it
    sends the first byte. `on_gone` is called, outside of the thread that makes the parts, when the reader has gone away.
    What makes the parts ends on its own thread: forgotten between two of them, it would end in the event loop, which may not
    ask the database.
    """
    if not isinstance(request, ASGIRequest):
        return parts
    threads.when_over(request, getattr(parts, "close", lambda: None))
    return _asynchronously(parts, on_gone)


async def _asynchronously(parts: Iterator[str] | Iterator[bytes], on_gone: Callable[[], None]) -> AsyncIterator[str | bytes]:
    following = sync_to_async(lambda: next(parts, None))
    try:
        while (part := await following()) is not None:
            yield part
    except (asyncio.CancelledError, GeneratorExit):
        on_gone()
        raise
