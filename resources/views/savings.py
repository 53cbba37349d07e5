"""The page that says what is about to happen to a volume, an address or a log group, and asks for it."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.requests import SignedInRequest
from accounts.services.inputs import InvalidInput
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from resources.forms.savings import SAVING_ACTIONS, SavingForm
from resources.rules.actions import needed_confirmation
from resources.rules.operations import needs_approval
from resources.selectors import billed_things
from resources.selectors.billed_things import Thing
from resources.services import capabilities
from resources.services import operations as services
from resources.services.operations import Target


class OperateSaving(Page):
    permission = Perm.RESOURCES_OPERATE

    def get(self, request: SignedInRequest) -> HttpResponse:
        wish, thing = _wish(request, request.GET)
        return self._show(request, wish, thing)

    def post(self, request: SignedInRequest) -> HttpResponse:
        wish, thing = _wish(request, request.POST)
        given = wish.cleaned_data
        try:
            operation = services.request(
                action=given["action"],
                target=Target(thing.row.account, thing.row.region, thing.target, thing.row.name),
                by=request.user,
                confirm=given["confirm"],
                dry_run=given["dry_run"],
                parameters=wish.parameters(),
                reason=given["reason"],
            )
        except CloudconsoleError as error:
            return self._show(request, wish, thing, error)
        messages.success(request, f"{operation.title} {operation.label}: asked for.")
        return redirect(reverse("operations:detail", args=[operation.pk]))

    def _show(
        self, request: SignedInRequest, wish: SavingForm, thing: Thing, refusal: CloudconsoleError | None = None
    ) -> HttpResponse:
        action, account = SAVING_ACTIONS[wish.cleaned_data["action"]], thing.row.account
        context = {
            "action": action,
            "thing": thing,
            "row": thing.row,
            "wish": wish,
            "given": wish.cleaned_data,
            "needed": needed_confirmation(action, [thing.target]),
            "waits": needs_approval(action, environment=account.environment, policy=account.approval),
            "is_on": capabilities.is_on(account, action.capability),
            "mend_url": reverse("accounts:edit", args=[account.pk]) if request.user.may(Perm.ACCOUNTS_MANAGE) else "",
            "refusal": refusal,
        }
        status = STATUS_OF[refusal.kind] if refusal else HTTPStatus.OK
        return render(request, "operations/confirm_saving.html", context, status=status)


def _wish(request: SignedInRequest, given: QueryDict) -> tuple[SavingForm, Thing]:
    """Raises InvalidInput for an address that names no action or settings that AWS refuses; not found is what nobody may see."""
    wish = SavingForm(given)
    if not wish.is_valid():
        raise InvalidInput("The address of this form is not whole.", attr="action")
    chosen = wish.cleaned_data
    action = SAVING_ACTIONS[chosen["action"]]
    return wish, billed_things.thing(request.user, action, chosen["account"], chosen["region"], chosen["target"])
