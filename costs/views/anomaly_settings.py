"""What is not announced, and from where on costs are unusual."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.forms.anomalies import LimitsForm, MuteForm
from costs.rules.baselines import Limits
from costs.selectors import anomalies as selectors
from costs.selectors import anomaly_rules
from costs.selectors.anomaly_rules import ALL
from costs.selectors.costs import Reader
from costs.services import anomaly_mutes
from costs.services import anomaly_rules as services
from costs.services.anomaly_mutes import About
from costs.views.anomaly_names import AnomalyNames


class Mute(Page):
    permission = Perm.ANOMALIES_MANAGE

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = MuteForm(request.POST)
        if not form.is_valid():
            messages.error(request, "That cannot be muted: check the day and the length of the note.")
            return redirect("anomalies:list")
        given = form.cleaned_data
        about = About(given["service"], given["account"], given["region"])
        try:
            anomaly_mutes.mute(about=about, until=given["until"], note=given["note"], by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, f"Muted: {about.words}. Episodes are still found and listed.")
        return redirect("anomalies:list")


class LiftMute(Page):
    permission = Perm.ANOMALIES_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        found = selectors.mute_for(request.user, pk)
        anomaly_mutes.lift(mute=found, by=request.user)
        messages.success(request, "Announced again from now on.")
        return redirect("anomalies:list")


class AnomalySettings(Page):
    """GET with limits in the address tells what they would have found; POST decides."""

    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        if "floor" not in request.GET:
            return _page(request, _form(request, None))
        form = _form(request, request.GET)
        if not form.is_valid():
            return _page(request, form, status=400)
        preview = selectors.preview(Reader(request.user), form.limits(), form.cleaned_data["currency"], clock.today())
        return _page(request, form, preview=preview)

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = _form(request, request.POST)
        if not form.is_valid():
            return _page(request, form, status=400)
        given = form.cleaned_data
        try:
            services.decide(account_number=given["account"], currency=given["currency"], limits=form.limits(), by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return _page(request, form, status=400 if isinstance(error, services.InvalidLimits) else 403)
        messages.success(request, "Decided. The last days are judged again with it.")
        return redirect("anomalies:settings")


class ResetLimits(Page):
    permission = Perm.ANOMALIES_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        services.reset(rule=anomaly_rules.get_for(request.user, pk), by=request.user)
        messages.success(request, "Taken back. What holds for all accounts holds again.")
        return redirect("anomalies:settings")


def _form(request: SignedInRequest, data: Any) -> LimitsForm:
    own = [(number, name) for number, name in selectors.manageable(request.user).items() if number]
    everywhere = [(ALL, "All accounts without limits of their own")] if request.user.may(Perm.ACCOUNTS_MANAGE) else []
    accounts = [*everywhere, *own] or [(ALL, "All accounts")]
    return LimitsForm(data, accounts=accounts, initial=_initial(request))


def _initial(request: SignedInRequest) -> dict[str, Any]:
    currency = next(iter(selectors.currencies(request.user)), "USD")
    limits: Limits = selectors.limits_for(currency)
    return {
        "currency": currency,
        "floor": limits.floor.quantize(limits.floor.__class__("0.01")),
        "percent": int(limits.percent),
        "sensitivity": limits.sensitivity.value,
    }


def _page(request: SignedInRequest, form: LimitsForm, *, preview: Any = None, status: int = 200) -> HttpResponse:
    called = AnomalyNames(
        selectors.account_names(request.user, {one.account_number for one in anomaly_rules.visible(request.user)})
    )
    rules = [
        (rule, called.of_account(rule.account_number) if rule.account_number else "")
        for rule in anomaly_rules.visible(request.user)
    ]
    context = {
        "form": form,
        "preview": preview,
        "rules": rules,
        "standards": [(currency, anomaly_rules.standard(currency)) for currency in selectors.currencies(request.user)],
        "may_decide": bool(selectors.manageable(request.user)) or request.user.may(Perm.ACCOUNTS_MANAGE),
    }
    return render(request, "anomalies/settings.html", context, status=status)
