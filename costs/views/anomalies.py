"""What was unusual, what drove it, was it right?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts import scope
from accounts.requests import SignedInRequest
from cloudconsole.api import streams
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import EXACT, ZERO
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.forms.anomalies import AnomalyFilterForm, FeedbackForm, MuteForm
from costs.models import Assessment, CostAnomaly, CostAnomalyDay
from costs.models.anomalies import CostAnomalyQuerySet
from costs.rules.amounts import plain
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange
from costs.selectors import anomalies as selectors
from costs.selectors.costs import Reader
from costs.selectors.reports import Report
from costs.services import anomaly_feedback, aws_anomalies
from costs.views import addresses, anomaly_pictures
from costs.views.anomaly_names import AnomalyNames

PAGE_SIZE = 25
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list."""

    anomaly: CostAnomaly
    where: str
    trend: list[Decimal | None]


class AnomalyList(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        everything = _in_scope(request)
        found, form = _filtered(request, everything)
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        days = selectors.days_of(page.object_list)
        called = AnomalyNames.of(request.user, page.object_list)
        count = page.paginator.count
        context = {
            "form": form,
            "page": page,
            "summary": f"{count} episode{'' if count == 1 else 's'}",
            "rows": [Row(one, called.where(one), [day.actual for day in days[one.pk]]) for one in page.object_list],
            "at_stake": selectors.at_stake(everything),
            "filtered": any(form.data.get(name) for name in form.fields),
            "csv_query": request.GET.urlencode(),
            "mutes": [(mute, called.about(mute)) for mute in selectors.mutes(request.user)],
            "watched": selectors.watched(request.user),
        }
        return render(request, "anomalies/list.html", context)


class AnomalyCsv(Page):
    """What is listed, every row, with every digit."""

    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponseBase:
        found, _ = _filtered(request, _in_scope(request))
        lines = streams.csv_lines(_HEAD, _csv_rows(found))
        return streams.streamed(request, lines, content_type="text/csv; charset=utf-8", filename=f"anomalies-{clock.today()}.csv")


class AnomalyDetail(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        found = selectors.get_for(request.user, pk, self.permission)
        return render(request, "anomalies/detail.html", _detail(request, found))


class GiveFeedback(Page):
    permission = Perm.ANOMALIES_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        found = selectors.get_for(request.user, pk, self.permission)
        form = FeedbackForm(request.POST)
        if not form.is_valid():
            return render(request, "anomalies/detail.html", _detail(request, found) | {"feedback_form": form}, status=400)
        given = form.cleaned_data
        try:
            said = anomaly_feedback.give(
                anomaly=found, assessment=Assessment(given["assessment"]), note=given["note"], by=request.user
            )
        except anomaly_feedback.AnomalyWithdrawn as error:
            messages.warning(request, error.detail)
        else:
            messages.success(request, f"Noted: {said.get_assessment_display().lower()}.")
            if given["tell_aws"]:
                _tell_aws(request, found, Assessment(said.assessment))
        return redirect("anomalies:detail", pk)


def _tell_aws(request: SignedInRequest, anomaly: CostAnomaly, assessment: Assessment) -> None:
    """What was noted here stays noted, whether or not AWS takes it."""
    try:
        aws_anomalies.tell(anomaly=anomaly, assessment=assessment, by=request.user)
    except CloudconsoleError as error:
        messages.error(request, f"AWS was not told: {error.detail}")
    else:
        messages.success(request, "AWS was told as well.")


def _in_scope(request: SignedInRequest) -> CostAnomalyQuerySet:
    shown = scope.of(request.user, request.GET, Perm.COSTS_VIEW)
    found = selectors.visible(request.user)
    return selectors.of_accounts(found, shown.accounts) if shown.narrowed else found


def _filtered(request: SignedInRequest, found: CostAnomalyQuerySet) -> tuple[CostAnomalyQuerySet, AnomalyFilterForm]:
    """What the address narrows the list to; of what is no choice nothing is listed, and the form says so."""
    form = AnomalyFilterForm(request.GET)
    if not form.is_valid():
        return found.none(), form
    given = form.cleaned_data
    wanted = {name: given[name] for name in ("status", "kind", "found_by") if given[name]}
    if given["muted"]:
        found = found.muted(clock.today()) if given["muted"] == "yes" else found.unmuted(clock.today())
    if given["service"]:
        wanted["service__icontains"] = given["service"]
    return found.filter(**wanted), form


def _detail(request: SignedInRequest, anomaly: CostAnomaly) -> dict[str, Any]:
    days = selectors.days_of([anomaly])[anomaly.pk]
    called = AnomalyNames.of(request.user, [anomaly])
    may_manage = selectors.may(request.user, anomaly, Perm.ANOMALIES_MANAGE)
    return {
        "anomaly": anomaly,
        "is_muted": vars(anomaly)["is_muted"],
        "where": called.where(anomaly),
        "chart": anomaly_pictures.chart(anomaly, days),
        "peak": max((day for day in days if day.is_unusual), key=_impact, default=None),
        "drivers": _drivers(request, anomaly),
        "feedback": selectors.feedback_on(anomaly),
        "feedback_form": FeedbackForm(initial={"assessment": anomaly.assessment}),
        "mute_form": MuteForm(),
        "mute_choices": called.choices(anomaly),
        "may_manage": may_manage,
        "found_by_aws": selectors.aws_of(anomaly),
        "may_tell_aws": aws_anomalies.may_tell(anomaly),
        "explorer_url": addresses.of(_report(anomaly, days)),
    }


def _impact(day: CostAnomalyDay) -> Decimal:
    return EXACT.subtract(day.actual, day.expected or ZERO)


def _drivers(request: SignedInRequest, anomaly: CostAnomaly) -> Mapping[str, Any]:
    """What moved; or why that cannot be told. What moved within the service is that of all accounts, so it is told once."""
    try:
        found = selectors.drivers_of(Reader(request.user), anomaly)
    except CloudconsoleError as error:
        return {"why": error.detail}
    called = AnomalyNames.of_drivers(request.user, found.found)
    lines = [
        (driver, called.of_driver(driver), [*driver.regions, *driver.usage_types] if at == 0 else ())
        for at, driver in enumerate(found.found)
    ]
    return {"lines": lines, "compared": found.compared}


def _report(anomaly: CostAnomaly, days: Sequence[CostAnomalyDay]) -> Report:
    """The same costs in the explorer, all charges included: the days that are shown, and those of the episode."""
    first = min([anomaly.started_on, *(day.day for day in days)])
    last = max([anomaly.last_day, *(day.day for day in days)])
    report = Report(days=DayRange(first, last + _DAY), compare=False).with_values("service", [anomaly.service])
    if anomaly.region:
        return replace(report, group_by=(Dimension.REGION,)).with_values("region", [anomaly.region])
    return replace(report, group_by=(Dimension.ACCOUNT,)).with_values("account", [anomaly.account_number])


_HEAD = [
    "Id", "Status", "Kind", "Found by", "Bill of", "Account", "Region", "Service", "First day", "Last day", "Days", "Actual",
    "Expected", "Impact", "Currency", "Exact", "Feedback", "Muted",
]  # fmt: skip


def _csv_rows(found: CostAnomalyQuerySet) -> Iterator[list[object]]:
    for one in found.iterator(chunk_size=500):
        amounts = [one.actual, one.expected, one.impact]
        yield [
            one.pk, one.status, one.kind, one.found_by, one.source.account.alias, one.account_number, one.region, one.service,
            one.started_on, one.last_day, one.days, *("" if amount is None else Decimal(plain(amount)) for amount in amounts),
            one.currency, "yes" if one.is_exact else "at least", one.assessment, "yes" if vars(one)["is_muted"] else "no",
        ]  # fmt: skip
