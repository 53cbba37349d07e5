"""What stands between a right password and being signed in."""

from __future__ import annotations

from typing import Any

from allauth.account.stages import EmailVerificationStage

from accounts.models import User


class ProveEmailStage(EmailVerificationStage):  # type: ignore[misc]
    """Asks only those for a proof of their address who made their account themselves; admins vouch for the others."""

    def handle(self) -> tuple[Any, bool]:
        user = self.login.user
        if isinstance(user, User) and not user.awaits_verification:
            return None, True
        response, may_go_on = super().handle()
        return response, bool(may_go_on)
