"""How close are we, to what, since when? The list of quotas, and each with its history and what can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts import scope
from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from resources.forms.quotas import IncreaseForm, QuotaFilterForm, ThresholdsForm
from resources.models import Quota
from resources.rules import quotas as rules
from resources.rules.quotas import State
from resources.selectors import quotas as selectors
from resources.selectors.quotas import SPANS, Question
from resources.services import capabilities, quota_wishes
from resources.services import quotas as services
from resources.views import quota_charts

PAGE_SIZE = 50
INCREASES_SHOWN = 50
ASK = "quotas.operate"


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the list."""

    quota: Quota
    spark: list[Decimal | None]

    @property
    def bar(self) -> quota_charts.Bar | None:
        return quota_charts.bar(self.quota)


class QuotaList(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        shown = scope.of(request.user, request.GET, self.permission)
        user, accounts = request.user, shown.accounts
        regions, offered = selectors.regions(user, accounts), selectors.services(user, accounts)
        form = QuotaFilterForm(request.GET, regions=regions, services=offered)
        form.full_clean()
        found = selectors.found(user, _question(form, accounts))
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        sparks = selectors.sparklines(list(page.object_list))
        context = {
            "form": form,
            "page": page,
            "lines": [Line(quota, sparks[quota.pk]) for quota in page.object_list],
            "counts": _counts(selectors.counts(user, accounts)),
            "filtered": any(form.cleaned_data.values()),
            "narrowed": shown.narrowed,
            "coverage": selectors.coverage(user, accounts),
            "has_accounts": bool(accounts),
            "has_quotas": bool(offered),
            "summary": f"{page.paginator.count:,} quota{'' if page.paginator.count == 1 else 's'}",
        }
        return render(request, "resources/quotas.html", context)


def _question(form: QuotaFilterForm, accounts: Sequence[object]) -> Question:
    """What means nothing is left out, so that an old link still shows a list."""
    given = form.cleaned_data
    return Question(
        accounts=accounts,  # type: ignore[arg-type]
        region=given.get("region", ""),
        service=given.get("service", ""),
        state=given.get("state", ""),
        search=given.get("search", "").replace("\x00", ""),
    )


def _counts(counts: dict[str, int]) -> list[tuple[str, int]]:
    """Of the states that ask for a look, and of the quiet one: the gravest first."""
    order = (State.CRITICAL, State.WARNING, State.NOT_ENABLED, State.OK)
    return [(state.value, counts.get(state.value, 0)) for state in order]


class QuotaDetail(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        quota = selectors.get_for(request.user, pk)
        return _detail(request, quota)


class SetThresholds(Page):
    permission = Perm.RESOURCES_OPERATE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        quota, form = selectors.get_for(request.user, pk), ThresholdsForm(request.POST)
        if not form.is_valid():
            return _detail(request, quota, thresholds=form, status=HTTPStatus.BAD_REQUEST)
        given = form.cleaned_data
        try:
            services.set_thresholds(
                quota=quota, warning=given["warning_percent"], critical=given["critical_percent"], by=request.user
            )
        except services.InvalidThresholds as error:
            form.refuse(error)
            return _detail(request, quota, thresholds=form, status=STATUS_OF[error.kind])
        messages.success(request, f"It warns from {given['warning_percent']} % on.")
        return redirect(reverse("quotas:detail", args=[pk]) + _kept(request))


class AskForMore(Page):
    permission = Perm.RESOURCES_OPERATE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        quota, form = selectors.get_for(request.user, pk), IncreaseForm(request.POST)
        if not form.is_valid():
            return _detail(request, quota, increase=form, status=HTTPStatus.BAD_REQUEST)
        given = form.cleaned_data
        try:
            operation = quota_wishes.ask_for_more(quota=quota, desired=given["desired"], by=request.user, reason=given["reason"])
        except CloudconsoleError as error:
            form.refuse(error)
            return _detail(request, quota, increase=form, status=STATUS_OF[error.kind])
        messages.success(request, "Asked for. AWS's answer appears at the quota.")
        return redirect(reverse("operations:detail", args=[operation.pk]))


def _detail(
    request: SignedInRequest,
    quota: Quota,
    *,
    thresholds: ThresholdsForm | None = None,
    increase: IncreaseForm | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    span = SPANS.get(request.GET.get("range", ""), SPANS["24h"])
    initial = {"warning_percent": quota.warning_percent, "critical_percent": quota.critical_percent}
    context = {
        "quota": quota,
        "bar": quota_charts.bar(quota),
        "span": span,
        "spans": SPANS.values(),
        "chart": quota_charts.chart(quota, span, selectors.history(quota, span)),
        "percent": rules.percent(quota.usage, quota.limit),
        "method": selectors.method_words(quota),
        "related": selectors.related(request.user, quota),
        "increases": selectors.increases(quota)[:INCREASES_SHOWN],
        "place": selectors.place_of(quota),
        "thresholds": thresholds or ThresholdsForm(initial=initial),
        "increase": increase or IncreaseForm(initial=_proposed(quota)),
        "may_operate": selectors.may_operate(request.user, quota),
        "may_ask": capabilities.is_on(quota.account, ASK),
        "console_url": _console_url(quota),
    }
    return render(request, "resources/quota.html", context, status=status)


def _proposed(quota: Quota) -> dict[str, str]:
    """Half as much again, as a start."""
    if quota.limit is None or quota.limit <= 0:
        return {}
    return {"desired": f"{(quota.limit * 3 / 2).to_integral_value():f}"}


def _console_url(quota: Quota) -> str:
    """The quota's page in the AWS console."""
    if not quota.is_listed:
        return ""
    place = f"https://{quota.region}.console.aws.amazon.com/servicequotas/home/services"
    return f"{place}/{quota.service_code}/quotas/{quota.code}"


def _kept(request: SignedInRequest) -> str:
    return f"?{request.GET.urlencode()}" if request.GET else ""
