"""The page that says what is about to happen to which instances, and asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from resources.forms.operations import INSTANCE_ACTIONS, WishForm
from resources.models import Instance, Operation
from resources.rules.actions import Action
from resources.rules.instance_operations import may_offer
from resources.rules.operations import needs_approval
from resources.selectors import instances as selectors
from resources.services import capabilities
from resources.services import operations as services
from resources.views.operations import page_of_target

_MOST = 1000  # ids of one page that are looked at, to say that they are too many


@dataclass(frozen=True, slots=True)
class Row:
    """An instance that was chosen, and what stands against it as far as is known here."""

    instance: Instance
    waits: bool
    against: str
    mend_url: str  # where an admin can change that, if so


class OperateInstances(Page):
    permission = Perm.RESOURCES_OPERATE

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except PermissionDenied:
            if request.method == "POST" and not request.user.is_anonymous:
                _note_refusal(request)
            raise

    def get(self, request: SignedInRequest) -> HttpResponse:
        if not request.GET.getlist("target"):
            return _nothing_chosen(request)
        return self._show(request, _wish(request, request.GET))

    def post(self, request: SignedInRequest) -> HttpResponse:
        if not request.POST.getlist("target"):
            return _nothing_chosen(request)
        wish = _wish(request, request.POST)
        try:
            return self._ask(request, wish)
        except CloudconsoleError as error:
            return self._show(request, wish, error)

    def _ask(self, request: SignedInRequest, wish: WishForm) -> HttpResponse:
        given = wish.cleaned_data
        words = {"confirm": given["confirm"], "reason": given["reason"], "dry_run": given["dry_run"], "by": request.user}
        action = INSTANCE_ACTIONS[given["action"]]
        if len(wish.instances) == 1:
            operation = services.request(action=action.name, target=services.instance_target(wish.instances[0]), **words)
            messages.success(request, _asked(operation))
            to_operation = operation.dry_run or operation.status == "awaiting_approval"
            return redirect(reverse("operations:detail", args=[operation.pk]) if to_operation else page_of_target(operation))
        bulk = services.request_many(
            action=action.name, targets=[services.instance_target(row) for row in wish.instances], **words
        )
        for refused in bulk.refused:
            messages.warning(request, f"{refused.target.name or refused.target.id}: {refused.error.detail}")
        if bulk.operations:
            what = "dry runs are on their way. Nothing is changed." if given["dry_run"] else "operations are on their way."
            messages.success(request, f"{len(bulk.operations)} {what}")
        return redirect(f"{reverse('operations:list')}?batch={bulk.batch}")

    def _show(self, request: SignedInRequest, wish: WishForm, refusal: CloudconsoleError | None = None) -> HttpResponse:
        action = INSTANCE_ACTIONS[wish.cleaned_data["action"]]
        rows = [_row(request, action, row) for row in wish.instances]
        context = {
            "action": action,
            "rows": rows,
            "one": wish.instances[0] if len(rows) == 1 else None,
            "needed": wish.needed,
            "given": wish.cleaned_data,
            "waits": any(row.waits for row in rows),
            "possible": any(not row.against for row in rows) and len(rows) <= settings.OPERATION_MAX_TARGETS,
            "too_many": len(rows) > settings.OPERATION_MAX_TARGETS,
            "limit": settings.OPERATION_MAX_TARGETS,
            "refusal": refusal,
            "back": _back(wish.instances),
        }
        status = STATUS_OF[refusal.kind] if refusal else HTTPStatus.OK
        return render(request, "operations/confirm.html", context, status=status)


def _wish(request: SignedInRequest, given: QueryDict) -> WishForm:
    """The valid form. Raises Http404 where it names no instance that the reader may see, or no action that there is."""
    chosen = [
        int(value) for value in given.getlist("target")[:_MOST] if value.isascii() and value.isdecimal() and len(value) < 19
    ]
    seen = Instance.objects.visible_to(request.user, Perm.RESOURCES_VIEW).filter(pk__in=chosen)
    instances = list(seen.select_related("account").order_by("account__alias", "name", "pk"))
    wish = WishForm(_without_unknown(given, instances), instances=instances)
    if not instances or not wish.is_valid():
        raise Http404("There is no such instance, or none that you may see.")
    return wish


def _nothing_chosen(request: SignedInRequest) -> HttpResponse:
    messages.warning(request, "Choose at least one instance first.")
    return redirect("resources:instances")


def _without_unknown(given: QueryDict, instances: list[Instance]) -> QueryDict:
    kept = given.copy()
    kept.setlist("target", [str(row.pk) for row in instances])
    return kept


def _row(request: SignedInRequest, action: Action, row: Instance) -> Row:
    waits = needs_approval(action, environment=row.account.environment, policy=row.account.approval)
    return Row(row, waits, _against(request, action, row), _mend_url(request, action, row))


def _against(request: SignedInRequest, action: Action, row: Instance) -> str:
    if row.gone_at is not None:
        return "It is gone."
    try:
        selectors.allowed(request.user, row, Perm.RESOURCES_OPERATE)
        capabilities.require(row.account, action.capability)
    except CloudconsoleError as error:
        return error.detail
    return "" if may_offer(action.name, row.state) else f"It is {row.state}."


def _mend_url(request: SignedInRequest, action: Action, row: Instance) -> str:
    if capabilities.is_on(row.account, action.capability) or not request.user.may(Perm.ACCOUNTS_MANAGE):
        return ""
    return reverse("accounts:edit", args=[row.account_id])


def _asked(operation: Operation) -> str:
    address = reverse("operations:detail", args=[operation.pk])
    if operation.status == "awaiting_approval":
        return format_html('<a href="{}">{}</a> waits for a second person to approve it.', address, operation.title)
    if operation.dry_run:
        said = 'Dry run of <a href="{}">{} {}</a>: AWS is asked whether it would do it. Nothing is changed.'
        return format_html(said, address, operation.title.lower(), operation.label)
    return format_html('<a href="{}">{} {}</a> is on its way.', address, operation.title, operation.label)


def _back(instances: list[Instance]) -> str:
    if len(instances) != 1:
        return reverse("resources:instances")
    row = instances[0]
    return reverse("resources:instance", args=[row.account_id, row.region, row.instance_id])


def _note_refusal(request: HttpRequest) -> None:
    """A role that may not act tried to: the trail says so, as it does where an account's grant is too small."""
    action = INSTANCE_ACTIONS.get(request.POST.get("action", ""))
    if action is None or request.user.is_anonymous:
        return
    chosen = [int(value) for value in request.POST.getlist("target") if value.isascii() and value.isdecimal() and len(value) < 19]
    seen = Instance.objects.visible_to(request.user, Perm.RESOURCES_VIEW).filter(pk__in=chosen[: settings.OPERATION_MAX_TARGETS])
    for row in seen.select_related("account"):
        services.note_refusal(action.name, services.instance_target(row), by=request.user, code="permission_denied")
