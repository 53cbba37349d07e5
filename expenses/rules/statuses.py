"""How far an expense has come on its way to being paid back, and what members of a workspace may do."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """DRAFT → SUBMITTED → APPROVED or REJECTED → REIMBURSED. Where nothing is approved, an expense is APPROVED from its start."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    REIMBURSED = "reimbursed"


class MemberRole(StrEnum):
    """VIEWER reads; CONTRIBUTOR adds and changes their own; APPROVER decides and changes all; MANAGER also says who is in."""

    VIEWER = "viewer"
    CONTRIBUTOR = "contributor"
    APPROVER = "approver"
    MANAGER = "manager"


_RANK = {role: rank for rank, role in enumerate(MemberRole)}


def at_least(role: MemberRole, needed: MemberRole) -> bool:
    return _RANK[role] >= _RANK[needed]


# What was handed in stands as it is: whoever wants to change it takes it back first.
CHANGEABLE = frozenset({Status.DRAFT, Status.REJECTED})


class MethodKind(StrEnum):
    CARD = "card"
    CASH = "cash"
    BANK = "bank"
    WALLET = "wallet"
    OTHER = "other"
