"""The page that guides through replacing an access key."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.models import KeyRotation, RotationStatus
from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts as selectors
from accounts.selectors import expiry
from accounts.services import key_rotation
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm

# What each step is about, and what its button says.
_STEPS = (
    (RotationStatus.CREATED, "Make a second key in AWS", "Make the new key"),
    (RotationStatus.PROVEN, "Prove that AWS knows the new key", "Prove the new key"),
    (RotationStatus.SWAPPED, "Use the new key here", "Use the new key"),
    (RotationStatus.DEACTIVATED, "Switch the old key off in AWS; it can be switched on again", "Switch the old key off"),
    (RotationStatus.DONE, "Delete the old key in AWS, for good", "Delete the old key"),
)
_ORDER = [RotationStatus.CREATING, *(reached for reached, _, _ in _STEPS)]


class RotateKey(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        rotation = KeyRotation.objects.filter(account=account).defer("sealed").first()
        done = _ORDER.index(RotationStatus(rotation.status)) if rotation and rotation.is_open else 0
        context = {
            "account": account,
            "rotation": rotation,
            "is_open": rotation is not None and rotation.is_open,
            "steps": [(words, at < done, at == done) for at, (_, words, _) in enumerate(_STEPS)],
            "button": _STEPS[done][2],
            "warning": expiry.warning_for(account),
            "is_allowed": "key_rotation" in account.capabilities,
        }
        return render(request, "accounts/rotation.html", context)

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        """`step`: start, next or undo."""
        account = selectors.get_for(request.user, pk, self.permission)
        step = request.POST.get("step")
        try:
            if step == "start":
                rotation = key_rotation.start(account=account, by=request.user)
            else:
                act = key_rotation.undo if step == "undo" else key_rotation.advance
                rotation = act(rotation=key_rotation.open_rotation(account), by=request.user)
            messages.success(request, f"{rotation.get_status_display()}.")
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return redirect("accounts:rotation", pk=pk)
