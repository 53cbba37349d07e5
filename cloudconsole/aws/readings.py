"""How an AWS error code is read."""

from __future__ import annotations

from dataclasses import dataclass

from cloudconsole.aws.errors import AwsErrorKind


@dataclass(frozen=True, slots=True)
class Reading:
    """What a code means: its cause, one sentence of meaning, one sentence of remedy."""

    cause: AwsErrorKind
    meaning: str
    remedy: str
