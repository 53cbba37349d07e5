"""Who hears what in these tests: a viewer hears account 7, admins everything."""

from __future__ import annotations

from typing import Any

from cloudconsole.realtime import groups


def by_role(user: Any) -> frozenset[str]:
    return frozenset({groups.ADMINS}) if user.role == "admin" else frozenset({groups.account(7)})
