"""The pages that run a function, give it code, and go back to an earlier version."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import BinaryIO, cast

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from accounts.models import AwsAccount
from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts
from cloudconsole.aws.lambda_ import FunctionFacts
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from resources.forms.functions import DeployForm, InvokeForm, NewFunctionForm, RollBackForm
from resources.models import Function
from resources.rules import payloads
from resources.rules.functions import RUNTIMES
from resources.selectors import functions as selectors
from resources.selectors.deployments import FunctionPlace
from resources.services import capabilities, invocations
from resources.services import deployments as services
from resources.services.deployments import Deployed, History
from resources.services.invocations import Answer
from resources.views.messages import asked_for, told_at_field


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A published version: the aliases that mean it, and whether going back to it would change anything."""

    facts: FunctionFacts
    aliases: list[str]
    is_same: bool
    leads_back: bool


class InvokeFunction(Page):
    """What a function answers is shown once and kept nowhere."""

    permission = Perm.RESOURCES_OPERATE

    def get(self, request: SignedInRequest, account_id: int, region: str, name: str) -> HttpResponse:
        function = selectors.at(request.user, account_id, region, name, self.permission)
        return self._show(request, function, InvokeForm(initial={"qualifier": request.GET.get("qualifier", "")}))

    def post(self, request: SignedInRequest, account_id: int, region: str, name: str) -> HttpResponse:
        function = selectors.at(request.user, account_id, region, name, self.permission)
        form = InvokeForm(request.POST)
        if not form.is_valid():
            return self._show(request, function, form, status=HTTPStatus.BAD_REQUEST)
        try:
            answer = invocations.invoke(function=_place(function), by=request.user, **form.wish)
        except CloudconsoleError as error:
            return self._show(request, function, form, trouble=told_at_field(form, error), status=STATUS_OF[error.kind])
        return self._show(request, function, form, answer=answer)

    def _show(
        self,
        request: SignedInRequest,
        function: Function,
        form: InvokeForm,
        *,
        answer: Answer | None = None,
        trouble: CloudconsoleError | None = None,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        is_part = bool(request.headers.get("HX-Request"))
        context = {
            "function": function,
            "form": form,
            "answer": answer,
            "shown": payloads.shown(answer.payload) if answer else "",
            "trouble": trouble,
            "qualifiers": [] if is_part else _qualifiers(request, function),
            "may_operate": True,
        }
        # htmx puts nothing into the page for a failure; the part says itself what failed.
        return render(request, "resources/invoke.html", context, status=HTTPStatus.OK if is_part else status)


class Versions(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest, account_id: int, region: str, name: str) -> HttpResponse:
        function = selectors.at(request.user, account_id, region, name, self.permission)
        history, trouble = _history(request, function)
        context = {
            "function": function,
            "latest": history.latest if history else None,
            "rows": _rows(history) if history else [],
            "trouble": trouble,
            "may_operate": aws_accounts.may(request.user, function.account, Perm.RESOURCES_OPERATE),
        }
        status = STATUS_OF[trouble.kind] if trouble else HTTPStatus.OK
        return render(request, "resources/versions.html", context, status=status)


class RollBack(Page):
    """Shows what would change, side by side, and asks for it."""

    permission = Perm.RESOURCES_OPERATE

    def get(self, request: SignedInRequest, account_id: int, region: str, name: str) -> HttpResponse:
        function = selectors.at(request.user, account_id, region, name, self.permission)
        return self._show(request, function, RollBackForm(initial={"version": request.GET.get("version", "")}))

    def post(self, request: SignedInRequest, account_id: int, region: str, name: str) -> HttpResponse:
        function = selectors.at(request.user, account_id, region, name, self.permission)
        form = RollBackForm(request.POST)
        if not form.is_valid():
            return self._show(request, function, form, status=HTTPStatus.BAD_REQUEST)
        try:
            operation = services.roll_back(function=_place(function), by=request.user, **form.cleaned_data)
        except CloudconsoleError as error:
            return self._show(request, function, form, told_at_field(form, error), status=STATUS_OF[error.kind])
        return asked_for(request, operation)

    def _show(
        self,
        request: SignedInRequest,
        function: Function,
        form: RollBackForm,
        trouble: CloudconsoleError | None = None,
        *,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        history = services.history(function=_place(function), by=request.user)
        wanted = next((one for one in history.versions if one.version == form["version"].value()), None)
        if wanted is None:
            messages.warning(request, "Choose one of the published versions.")
            return redirect(_address("versions", function))
        context = {
            "function": function,
            "form": form,
            "trouble": trouble,
            "latest": history.latest,
            "wanted": wanted,
            "aliases": history.aliases,
            "may_operate": True,
        }
        return render(request, "resources/roll_back.html", context, status=status)


class DeployFunction(Page):
    """New code for a function that is there."""

    permission = Perm.RESOURCES_OPERATE

    def get(self, request: SignedInRequest, account_id: int, region: str, name: str) -> HttpResponse:
        function = selectors.at(request.user, account_id, region, name, self.permission)
        return self._show(request, function, DeployForm(initial={"publish": True}))

    def post(self, request: SignedInRequest, account_id: int, region: str, name: str) -> HttpResponse:
        function = selectors.at(request.user, account_id, region, name, self.permission)
        form = DeployForm(request.POST, request.FILES)
        if not form.is_valid():
            return self._show(request, function, form, status=HTTPStatus.BAD_REQUEST)
        try:
            deployed = _deploy(request, function.account, function.region, function.name, form)
        except CloudconsoleError as error:
            return self._show(request, function, form, told_at_field(form, error), status=STATUS_OF[error.kind])
        return _told(request, function.account, function.region, deployed)

    def _show(
        self,
        request: SignedInRequest,
        function: Function,
        form: DeployForm,
        trouble: CloudconsoleError | None = None,
        *,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        form.show_present(function)
        context = {"function": function, "form": form, "trouble": trouble, "runtimes": RUNTIMES, "may_operate": True}
        return render(request, "resources/deploy.html", context, status=status)


class CreateFunction(Page):
    permission = Perm.RESOURCES_OPERATE

    def get(self, request: SignedInRequest) -> HttpResponse:
        initial = {"publish": True, "memory_mb": 128, "timeout_s": 3}
        return self._show(
            request, NewFunctionForm(accounts=capabilities.operable(request.user, "lambda.operate"), initial=initial)
        )

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = NewFunctionForm(request.POST, request.FILES, accounts=capabilities.operable(request.user, "lambda.operate"))
        if not form.is_valid():
            return self._show(request, form, status=HTTPStatus.BAD_REQUEST)
        account, given = form.chosen_account, form.cleaned_data
        try:
            deployed = _deploy(request, account, given["region"], given["name"], form)
        except CloudconsoleError as error:
            return self._show(request, form, told_at_field(form, error), status=STATUS_OF[error.kind])
        return _told(request, account, given["region"], deployed)

    def _show(
        self,
        request: SignedInRequest,
        form: NewFunctionForm,
        trouble: CloudconsoleError | None = None,
        *,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        context = {"form": form, "trouble": trouble, "runtimes": RUNTIMES}
        return render(request, "resources/create_function.html", context, status=status)


def _deploy(request: SignedInRequest, account: AwsAccount, region: str, name: str, form: DeployForm) -> Deployed:
    return services.deploy(
        account=account,
        region=region,
        name=name,
        stream=cast("BinaryIO", form.cleaned_data["zip"].file),
        wish=form.configuration,
        publish=form.cleaned_data["publish"],
        handler_elsewhere=form.cleaned_data["handler_elsewhere"],
        by=request.user,
    )


def _told(request: SignedInRequest, account: AwsAccount, region: str, deployed: Deployed) -> HttpResponse:
    address = reverse("operations:detail", args=[deployed.operation_id])
    what = "created" if deployed.created else "deployed"
    messages.success(request, format_html('{} is <a href="{}">{}</a> and active.', deployed.name, address, what))
    if deployed.warning:
        messages.warning(request, deployed.warning)
    for alias in deployed.aliases_behind:
        said = f"The alias {alias.name} still means version {alias.version}: whoever calls it does not get the new code."
        messages.warning(request, said)
    return redirect(reverse("resources:versions", args=[account.pk, region, deployed.name]))


def _history(request: SignedInRequest, function: Function) -> tuple[History | None, CloudconsoleError | None]:
    try:
        return services.history(function=_place(function), by=request.user), None
    except CloudconsoleError as error:
        if error.kind is Kind.FORBIDDEN:
            raise
        return None, error


def _rows(history: History) -> list[VersionRow]:
    rows = []
    for version in history.versions:
        names = [alias.name for alias in history.aliases if alias.version == version.version]
        is_same = version.code_sha256 == history.latest.code_sha256
        rows.append(VersionRow(version, names, is_same, not is_same or len(names) < len(history.aliases)))
    return rows


def _qualifiers(request: SignedInRequest, function: Function) -> list[str]:
    """What can be invoked beside the newest code; nothing where AWS does not tell."""
    history, _ = _history(request, function)
    if history is None:
        return []
    return [*(alias.name for alias in history.aliases), *(version.version for version in history.versions)]


def _place(function: Function) -> FunctionPlace:
    return FunctionPlace(function.account, function.region, function.name)


def _address(page: str, function: Function) -> str:
    return reverse(f"resources:{page}", args=[function.account_id, function.region, function.name])
