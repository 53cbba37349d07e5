"""What a store of first answers is, for `cloudconsole.api.idempotency` above and the app that owns the table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """A finished answer as it is kept."""

    status: int
    headers: Mapping[str, str]
    body: str = field(repr=False)


class Verdict(Enum):
    """What becomes of a request that has no answer yet."""

    CLAIMED = auto()  # it acts
    AT_WORK = auto()  # an earlier one is acting
    OTHER_REQUEST = auto()  # the key was used for something else
    ANSWER_LOST = auto()  # an earlier one has acted, and its answer cannot be shown again


class AnswerStore(Protocol):
    """Keeps answers by person and key. IDEMPOTENCY_STORE names the class; this package owns no tables."""

    def claim(self, user_id: int, key: str, fingerprint: str) -> Answer | Verdict:
        """Let exactly one request act under the key; to the same request later, the answer that was kept."""

    def keep(self, user_id: int, key: str, answer: Answer) -> None:
        """What the claimed key was answered with."""

    def release(self, user_id: int, key: str) -> None:
        """Nothing was done under the claimed key; it may be used again."""
