"""Failures that people and programs are told about. Every expected failure of the product derives from here."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a failure means to the caller. The HTTP layer maps each kind to one status code."""

    INVALID = "invalid"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    AWS_ACCOUNT = "aws_account"  # the AWS account's own credentials or permissions stopped it
    UPSTREAM = "upstream"  # AWS or another upstream answered nonsense or not at all
    LIMITED = "limited"  # a limit that somebody set here is reached; worth trying again later
    BUSY = "busy"  # throttled or overloaded; worth trying again
    UNAVAILABLE = "unavailable"  # a part of this installation is not able to work


class CloudconsoleError(Exception):
    """An expected failure: `code` is stable and documented, `detail` is one plain sentence for a person."""

    kind: Kind = Kind.INVALID
    code: str = "invalid"
    title: str = "The request cannot be carried out"
    # Something may have been changed before it failed: the same request sent again might change it twice.
    may_have_acted: bool = False

    def __init__(self, detail: str, *, attr: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.attr = attr  # the input field at fault, where there is one
