"""The pages that change an account: its name and capabilities, and the credentials that reach it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import snippets
from accounts.forms.aws_accounts import EditAccountForm, ReplaceCredentialsForm
from accounts.models import AwsAccount
from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts as selectors
from accounts.selectors import hubs
from accounts.services import aws_accounts as services
from accounts.services import inputs, policies
from accounts.services.inputs import AccountChanges
from accounts.services.policies import PolicyChange
from cloudconsole.aws.errors import AwsError
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm


class EditAccount(Page):
    """Changed capabilities are saved only by a form that has shown what happens to the policy."""

    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        return self._show(request, account, EditAccountForm.of(account))

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        form = EditAccountForm(request.POST)
        if not form.is_valid():
            return self._show(request, account, form, status=400)
        change = policies.policy_change(account=account, capabilities=form.cleaned_data["capabilities"])
        if "preview" in request.POST or (_differs(change) and request.POST.get("shown") != _mark(form)):
            return self._show(request, account, form, change=change)
        try:
            services.change(account=account, changes=form.changes, by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return self._show(request, account, form, status=STATUS_OF[error.kind])
        messages.success(request, _saved(account, change))
        return redirect("accounts:detail", pk=pk)

    def _show(
        self,
        request: SignedInRequest,
        account: AwsAccount,
        form: EditAccountForm,
        *,
        change: PolicyChange | None = None,
        status: int = 200,
    ) -> HttpResponse:
        context = {
            "account": account,
            "form": form,
            "change": change if change and _differs(change) else None,
            "is_unchanged": change is not None and not _differs(change),
            "shown": _mark(form) if change else "",
        }
        return render(request, "accounts/edit.html", context, status=status)


class ReplaceCredentials(Page):
    """New credentials are proven by AWS, and must be of the same account, before they replace the old ones."""

    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        given = {"auth_method": account.auth_method, "role_arn": account.role_arn, "hub": account.hub_id or ""}
        form = ReplaceCredentialsForm(initial=given, hubs=_hubs(request, account))
        return self._show(request, account, form)

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        form = ReplaceCredentialsForm(request.POST, hubs=_hubs(request, account))
        if not form.is_valid():
            return self._show(request, account, form, status=400)
        try:
            services.change(account=account, changes=AccountChanges(credentials=form.credentials), by=request.user)
        except AwsError as error:
            return self._show(request, account, form, refusal=error, status=STATUS_OF[error.kind])
        except CloudconsoleError as error:
            form.refuse(error)
            return self._show(request, account, form, status=STATUS_OF[error.kind])
        messages.success(request, f"AWS accepted the new credentials of {account.alias}; the old ones are forgotten.")
        return redirect("accounts:detail", pk=pk)

    def _show(
        self,
        request: SignedInRequest,
        account: AwsAccount,
        form: ReplaceCredentialsForm,
        *,
        refusal: AwsError | None = None,
        status: int = 200,
    ) -> HttpResponse:
        context = {
            "account": account,
            "form": form,
            "refusal": refusal,
            "external_id": account.external_id,
            "trust_policies": snippets.for_new_role(form.hubs, account.external_id),
            "policy": snippets.permissions(account, request.user),
            "assume_policy": snippets.assuming_role(form["role_arn"].value() or ""),
        }
        return render(request, "accounts/credentials.html", context, status=status)


def _hubs(request: SignedInRequest, account: AwsAccount) -> list[AwsAccount]:
    return [hub for hub in hubs.hubs_for(request.user) if hub != account]


def _differs(change: PolicyChange) -> bool:
    return any(line.change != "kept" for line in change.lines)


def _mark(form: EditAccountForm) -> str:
    """Which capabilities a shown change was about."""
    return ",".join(inputs.capability_names(form["capabilities"].value() or []))


def _saved(account: AwsAccount, change: PolicyChange) -> str:
    if change.added:
        return f"Saved. Attach the new policy to {account.alias} in AWS, then verify it."
    return "Saved. What the policy no longer needs can be taken out of it in AWS." if change.removed else "Saved."
