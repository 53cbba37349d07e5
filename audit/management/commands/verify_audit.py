from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from audit.services import verification
from audit.services.verification import Harm

EXIT_CODES = {Harm.EDITED: 2, Harm.DELETED: 3, Harm.REORDERED: 4, Harm.CUT: 5, Harm.HEAD: 6, Harm.CHECKPOINTS: 7}


class Command(BaseCommand):
    help = (
        "Check the audit trail from its first event. Exit codes: 0 intact, 2 edited, 3 deleted, 4 reordered, 5 the end cut off, "
        "6 the head changed, 7 a line of the checkpoint file is not genuine; with several, that of the first one printed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--checkpoints", type=Path, help="A checkpoint file kept elsewhere; default: the one in VAR_DIR.")

    def handle(self, *, checkpoints: Path | None, **_: Any) -> None:
        report = verification.verify(checkpoints)
        for finding in report.findings:
            self.stdout.write(self.style.ERROR(finding.words))
        if report.checkpoints is None:
            self.stdout.write("There is no checkpoint file, so only the head in the database tells whether the end was cut off.")
        self.stdout.write(f"{report.events} events read, {report.checkpoints or 0} checkpoints compared.")
        if report.findings:
            sys.exit(EXIT_CODES[report.findings[0].harm])
        self.stdout.write(self.style.SUCCESS("The audit trail is intact."))
