"""What Lambda takes as a function: its name, its role, its runtime, its limits.

Source: the API reference of CreateFunction.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MIN_MEMORY_MB, MAX_MEMORY_MB = 128, 10_240
MIN_TIMEOUT_S, MAX_TIMEOUT_S = 1, 900
LATEST = "$LATEST"
# Offered where one is chosen; AWS has the last word on what it still takes.
RUNTIMES = (
    "python3.14", "python3.13", "python3.12", "python3.11", "nodejs24.x", "nodejs22.x", "ruby3.4", "java21", "dotnet8",
    "provided.al2023",
)  # fmt: skip

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_ROLE = re.compile(r"arn:aws[a-zA-Z-]*:iam::\d{12}:role/?[A-Za-z0-9_+=,.@/-]{1,512}")
_RUNTIME = re.compile(r"[a-z]+[a-z0-9.]{0,40}")
_HANDLER = re.compile(r"[^\s]{1,128}")
_QUALIFIER = re.compile(r"\$LATEST|[A-Za-z0-9_-]{1,128}")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one part of a wish."""

    attr: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a function is to be run. Empty and None: as it is, or for a new one as AWS does by default."""

    runtime: str = ""
    handler: str = ""
    role_arn: str = ""
    memory_mb: int | None = None
    timeout_s: int | None = None

    def faults(self) -> list[Fault]:
        """What AWS would refuse of what is given."""
        checks = (
            ("runtime", not self.runtime or _RUNTIME.fullmatch(self.runtime), "A runtime reads like “python3.12”."),
            ("handler", not self.handler or _HANDLER.fullmatch(self.handler), "A handler reads like “main.handler”."),
            (
                "role_arn",
                not self.role_arn or _ROLE.fullmatch(self.role_arn),
                "A role reads “arn:aws:iam::<account>:role/<name>”.",
            ),
            ("memory_mb", _is_within(self.memory_mb, MIN_MEMORY_MB, MAX_MEMORY_MB), "128 to 10,240 MB."),
            ("timeout_s", _is_within(self.timeout_s, MIN_TIMEOUT_S, MAX_TIMEOUT_S), "1 to 900 seconds."),
        )
        return [Fault(attr, sentence) for attr, is_fine, sentence in checks if not is_fine]

    def missing_for_new(self) -> list[Fault]:
        """What a function that does not exist yet cannot do without."""
        needed = (("runtime", self.runtime), ("handler", self.handler), ("role_arn", self.role_arn))
        return [Fault(attr, "A new function needs it.") for attr, value in needed if not value]


def is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text))


def is_qualifier(text: str) -> bool:
    """A version, an alias or $LATEST."""
    return bool(_QUALIFIER.fullmatch(text))


def _is_within(number: int | None, least: int, most: int) -> bool:
    return number is None or least <= number <= most
