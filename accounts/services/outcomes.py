"""How sending one message went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from accounts.rules.retries import Verdict


@dataclass(frozen=True)
class Outcome:
    """`status` and `answer` as the receiver gave them; `code` and `detail` say what went wrong, in plain words."""

    verdict: Verdict
    status: int | None = None
    answer: str = ""
    code: str = ""
    detail: str = ""
    wait: timedelta | None = None
