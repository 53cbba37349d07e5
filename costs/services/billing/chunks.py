"""Files in the database, piece by piece: what one process received any other can read, on whatever machine it runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO

from costs.models import CostImport, ImportChunk, Part

PIECE = 4 << 20


def store(*, of: CostImport, part: Part, pieces: Iterator[bytes]) -> int:
    """Store the pieces in their order, each by itself; the bytes that they are."""
    size = 0
    for position, data in enumerate(pieces):
        ImportChunk.objects.create(cost_import=of, part=part, position=position, data=data)
        size += len(data)
    return size


def pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece


def pieces(*, of: CostImport, part: Part) -> Iterator[bytes]:
    """One piece in memory at a time."""
    positions = ImportChunk.objects.filter(cost_import=of, part=part).order_by("position").values_list("pk", flat=True)
    for pk in list(positions):
        yield bytes(ImportChunk.objects.values_list("data", flat=True).get(pk=pk))


def written(*, of: CostImport, part: Part, to: Path) -> Path:
    with to.open("wb") as file:
        for piece in pieces(of=of, part=part):
            file.write(piece)
    return to


def remove(*, of: CostImport, part: Part | None = None) -> None:
    rows = ImportChunk.objects.filter(cost_import=of)
    (rows if part is None else rows.filter(part=part)).delete()
