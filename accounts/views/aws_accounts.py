"""The pages about AWS accounts."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import scope, snippets
from accounts.forms.aws_accounts import AccountFilterForm, AddAccountForm
from accounts.models import AuthMethod, AwsAccount, Status
from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts as selectors
from accounts.selectors import expiry, hubs
from accounts.services import aws_accounts as services
from accounts.services import verification
from cloudconsole.aws.errors import AwsError
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm

PAGE_SIZE = 50

_VERDICTS = {
    Status.OK: (messages.success, "{alias} works, with every right that is switched on."),
    Status.DEGRADED: (messages.warning, "{alias} can be reached, but something is missing; see below."),
    Status.ERROR: (messages.error, "{alias} cannot be reached; see below why and what to do."),
    Status.PENDING: (messages.warning, "{alias} is not verified yet."),
}


class AccountList(Page):
    permission = Perm.ACCOUNTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        shown = scope.of(request.user, request.GET, self.permission)
        filters = AccountFilterForm(request.GET)
        filters.full_clean()
        text, status = filters.cleaned_data.get("search", ""), filters.cleaned_data.get("status", "")
        found = selectors.visible(request.user).filter(pk__in=[account.pk for account in shown.accounts])
        if text:
            found = found.filter(Q(alias__icontains=text) | Q(account_id__icontains=text.replace(" ", "")))
        if status in Status.values:
            found = found.filter(status=status)
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "rows": _with_warnings(page.object_list),
            "filters": filters.cleaned_data,
            "filtered": bool(text or status or shown.narrowed),
            "statuses": Status.choices,
            "summary": f"{page.paginator.count} account{'' if page.paginator.count == 1 else 's'}",
            "may_add": request.user.may(Perm.ACCOUNTS_MANAGE),
        }
        return render(request, "accounts/list.html", context)


class AccountDetail(Page):
    permission = Perm.ACCOUNTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        manages = request.user.may(Perm.ACCOUNTS_MANAGE)
        reaches_others = account.spokes.filter(deleted_at=None).exists()
        by_role = manages and account.auth_method == AuthMethod.ASSUME_ROLE
        context = {
            "account": account,
            "checks": selectors.checks_of(account),
            "warning": expiry.warning_for(account),
            "closed_regions": account.closed_regions(),
            "may_verify": selectors.may(request.user, account, Perm.ACCOUNTS_VERIFY),
            "may_manage": manages,
            "policy": snippets.permissions(account, request.user) if manages else "",
            "assume_policy": snippets.assuming_role(account.role_arn) if manages and not reaches_others else "",
            "trust_policy": snippets.trust(account, request.user) if by_role else "",
            "external_id": account.external_id if by_role else "",
        }
        return render(request, "accounts/detail.html", context)


class VerifyAccount(Page):
    permission = Perm.ACCOUNTS_VERIFY

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = selectors.get_for(request.user, pk, self.permission)
        result = verification.verify(account=account, actor=request.user)
        tell, text = _VERDICTS[result.status]
        tell(request, text.format(alias=account.alias))
        return redirect(_address(request, account.pk))


class AddAccount(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest) -> HttpResponse:
        reserved = services.reserve_external_id()
        given = {"reservation": reserved.note, "external_id": reserved.external_id}
        if (way := request.GET.get("way")) in AuthMethod.values:
            given["auth_method"] = way
        return self._show(request, AddAccountForm(initial=given, hubs=hubs.hubs_for(request.user)))

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = AddAccountForm(request.POST, hubs=hubs.hubs_for(request.user))
        if not form.is_valid():
            return self._show(request, form, status=400)
        create = services.create_unproven if "later" in request.POST else services.create
        try:
            account = create(new=form.new_account, by=request.user)
        except AwsError as error:
            return self._show(request, form, refusal=error, status=STATUS_OF[error.kind])
        except CloudconsoleError as error:
            form.refuse(error)
            return self._show(request, form, status=STATUS_OF[error.kind])
        done = "is connected" if account.verified_at else "is saved, but not verified yet"
        messages.success(request, f"{account.alias} {done}.")
        return redirect("accounts:detail", pk=account.pk)

    def _show(
        self, request: SignedInRequest, form: AddAccountForm, *, status: int = 200, refusal: AwsError | None = None
    ) -> HttpResponse:
        context = {
            "form": form,
            "refusal": refusal,
            "trust_policies": snippets.for_new_role(form.hubs, form["external_id"].value() or ""),
            "policy": snippets.every_permission(),
            "assume_policy": snippets.assuming_role(form["role_arn"].value() or ""),
        }
        return render(request, "accounts/add.html", context, status=status)


def _with_warnings(accounts: Iterable[AwsAccount]) -> list[tuple[AwsAccount, expiry.CredentialWarning | None]]:
    shown = list(accounts)
    warnings = expiry.warnings_for(shown)
    return [(account, warnings.get(account.pk)) for account in shown]


def _address(request: SignedInRequest, pk: int) -> str:
    """The account's page, with the scope that the form was sent with."""
    query = f"?{request.GET.urlencode()}" if request.GET else ""
    return reverse("accounts:detail", args=[pk]) + query
