from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.services import checkpoints


class Command(BaseCommand):
    help = "Write a signed checkpoint of the audit trail, for example to a disk that the database's owner cannot write."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--to", type=Path, help="The file to append to; default: the one in VAR_DIR.")

    def handle(self, *, to: Path | None, **_: Any) -> None:
        checkpoint = checkpoints.write(to)
        self.stdout.write(f"Checkpoint at event {checkpoint.seq}." if checkpoint else "Nothing new since the last checkpoint.")
