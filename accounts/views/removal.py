"""The pages that disconnect an account, and that purge what was kept of it, after saying what goes."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from accounts.models import AwsAccount
from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts as selectors
from accounts.selectors import hanging
from accounts.services import aws_accounts as services
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm


class RemoveAccount(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        return self._show(request, selectors.get_for(request.user, pk, self.permission))

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        try:
            services.delete(account=account, confirm=request.POST.get("confirm", "").strip(), by=request.user)
        except CloudconsoleError as error:
            return self._show(request, account, refusal=error, status=STATUS_OF[error.kind])
        messages.success(request, f"{account.alias} is disconnected; its credentials are destroyed.")
        return redirect("accounts:list")

    def _show(
        self, request: SignedInRequest, account: AwsAccount, *, refusal: CloudconsoleError | None = None, status: int = 200
    ) -> HttpResponse:
        context = {
            "account": account,
            "refusal": refusal,
            "hanging": hanging.hanging_on(account),
            "spokes": account.spokes.filter(deleted_at=None).order_by("alias"),
        }
        return render(request, "accounts/remove.html", context, status=status)


class Disconnected(Page):
    """Accounts whose history is still here."""

    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest) -> HttpResponse:
        return render(request, "accounts/disconnected.html", {"accounts": hanging.disconnected(request.user)})


class PurgeAccount(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        return self._show(request, _gone(request, pk))

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = _gone(request, pk)
        try:
            services.purge(account=account, confirm=request.POST.get("confirm", "").strip(), by=request.user)
        except CloudconsoleError as error:
            return self._show(request, account, refusal=error, status=STATUS_OF[error.kind])
        messages.success(request, f"Everything kept of {account.alias} is deleted. The audit trail stays.")
        return redirect("accounts:disconnected")

    def _show(
        self, request: SignedInRequest, account: AwsAccount, *, refusal: CloudconsoleError | None = None, status: int = 200
    ) -> HttpResponse:
        context = {"account": account, "refusal": refusal, "hanging": hanging.hanging_on(account)}
        return render(request, "accounts/purge.html", context, status=status)


def _gone(request: SignedInRequest, pk: int) -> AwsAccount:
    return get_object_or_404(hanging.disconnected(request.user), pk=pk)
