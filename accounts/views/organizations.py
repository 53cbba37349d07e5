"""The pages about an organization: its accounts, and adopting many of them at once."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts import snippets
from accounts.forms.aws_accounts import AdoptForm
from accounts.models import AwsAccount
from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts, organizations
from accounts.services import adoptions, discovery
from accounts.views.stacks import download
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm


class Organization(Page):
    """What the organization looked like from this account, and the form that adopts."""

    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = aws_accounts.get_for(request.user, pk, self.permission)
        return show(request, account, AdoptForm())


class Discover(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = aws_accounts.get_for(request.user, pk, self.permission)
        try:
            discovery.discover(account=account, by=request.user)
        except CloudconsoleError as error:
            return show(request, account, AdoptForm(), refusal=error, status=STATUS_OF[error.kind])
        return redirect("accounts:organization", pk=pk)


class Adopt(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = aws_accounts.get_for(request.user, pk, self.permission)
        form = AdoptForm(request.POST)
        if not form.is_valid():
            return show(request, account, form, status=400)
        everything = form.cleaned_data["everything"]
        numbers = organizations.adoptable_numbers(account) if everything else request.POST.getlist("accounts")
        wish = adoptions.Wish(numbers, form.cleaned_data["role_name"], form.cleaned_data["environment"])
        try:
            batch = adoptions.request(hub=account, wish=wish, by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return show(request, account, form, status=STATUS_OF[error.kind])
        return redirect("accounts:adoption", pk=batch.pk)


class StackSetTemplate(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = aws_accounts.get_for(request.user, pk, self.permission)
        role_name = request.GET.get("role_name") or adoptions.DEFAULT_ROLE
        template = adoptions.stack_set(hub=account, role_name=role_name, by=request.user)
        return download(template, f"cloudconsole-stack-set-{account.alias}.json")


class AdoptionDetail(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = organizations.batch_for(request.user, pk)
        return render(request, "accounts/adoption.html", {"batch": batch, "adoptions": organizations.adoptions_of(batch)})


class RetryAdoption(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        count = adoptions.retry(batch=organizations.batch_for(request.user, pk), by=request.user)
        messages.success(request, f"Trying {count} again." if count else "None of them has failed.")
        return redirect("accounts:adoption", pk=pk)


def show(
    request: SignedInRequest,
    account: AwsAccount,
    form: AdoptForm,
    *,
    refusal: CloudconsoleError | None = None,
    status: int = 200,
) -> HttpResponse:
    """The organization's page."""
    found = organizations.discovery_of(account)
    members = organizations.members_of(found) if found else []
    context = {
        "account": account,
        "discovery": found,
        "members": members,
        "adoptable": sum(member.is_adoptable for member in members),
        "chosen": request.POST.getlist("accounts"),
        "form": form,
        "refusal": refusal,
        "assume_policy": snippets.assuming(form["role_name"].value() or adoptions.DEFAULT_ROLE),
        "batches": organizations.batches(request.user).filter(hub=account)[:5],
    }
    return render(request, "accounts/organization.html", context, status=status)
