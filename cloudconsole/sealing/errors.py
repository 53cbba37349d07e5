"""What stands between a stored secret and its use."""

from __future__ import annotations

from cloudconsole.core.errors import CloudconsoleError, Kind


class SealingError(CloudconsoleError):
    """A secret cannot be sealed or opened; `remedy` is one sentence about what to do."""

    kind = Kind.UNAVAILABLE
    code = "encryption_unavailable"
    title = "Stored secrets cannot be used"

    def __init__(self, detail: str, *, remedy: str = "") -> None:
        super().__init__(detail)
        self.remedy = remedy


class Unreadable(SealingError):
    """No key of this installation opens it, or it was sealed for something else. Trying again does not help."""

    code = "secret_unreadable"
    title = "The stored secret cannot be read"
