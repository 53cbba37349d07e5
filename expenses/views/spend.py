"""What is spent in total, the rates that this takes, and expenses on their way out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.contrib import messages
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.requests import SignedInRequest
from cloudconsole.core import charts, clock
from cloudconsole.core.charts import StackedChart
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.rules.windows import DayRange, first_of_month
from expenses.forms.downloads import FORMATS, exported
from expenses.forms.rates import RateForm
from expenses.rules.total_spend import Course, Month
from expenses.selectors import expenses, rates, total_spend
from expenses.services import rates as rate_services
from expenses.services.inputs import EARLIEST, LATEST
from expenses.views.lists import wanted_of
from expenses.views.place import place_of

SPANS: Final = {"6": "6 months", "12": "12 months", "24": "24 months", "60": "5 years"}
CLOUD, EXPENSES = "Cloud", "Expenses"
_COLOURS: Final = {CLOUD: 1, EXPENSES: 4}
RATES: Final = "spend:rates"


class TotalSpend(Page):
    """What do we spend in total?"""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        span = request.GET.get("months", "12")
        span = span if span in SPANS else "12"
        currency = request.GET.get("currency", "").upper()[:3]
        known = rates.known_currencies()
        found = total_spend.total(request.user, months_until_now(int(span)), currency if currency in known else "")
        context = {
            "place": place_of(request),
            "tab": "total",
            "found": found,
            "course": found.course,
            "chart": chart(found.course) if any(_is_drawn(one) for one in found.course.months) else None,
            "is_empty": not any(_is_drawn(one) or one.missing for one in found.course.months),
            "months": found.course.months[::-1],
            "spans": SPANS,
            "span": span,
            "choices": sorted({*known, *found.currencies}),
            "missing": _missing(found.course),
        }
        return render(request, "expenses/total.html", context)


def months_until_now(count: int) -> DayRange:
    today = clock.today()
    return DayRange(first_of_month(today, months=1 - count), first_of_month(today, months=1))


def _is_drawn(month: Month) -> bool:
    return bool(month.cloud or month.expenses)


@dataclass(frozen=True)
class Missing:
    """A rate that is missing."""

    currency: str
    month: date


def _missing(course: Course) -> list[Missing]:
    return [Missing(currency, month) for currency, month in course.missing]


def chart(course: Course, *, name: str = "total", title: str = "Cloud and expenses by month") -> StackedChart:
    """Both stacked, month by month."""
    return charts.stacked(
        name=name,
        title=title,
        currency=course.currency,
        periods=[_bar(month) for month in course.months],
        amounts={
            CLOUD: [month.cloud for month in course.months],
            EXPENSES: [month.expenses for month in course.months],
        },
        colours=_COLOURS,
    )


def _bar(month: Month) -> charts.Period:
    state, note = "complete", ""
    if month.missing:
        state, note = "incomplete", f"No rate of {', '.join(code for code, _ in month.missing)} for this month"
    elif not month.is_known:
        state, note = "unknown", "The cloud's costs of this month are not known"
    elif not month.is_settled:
        state, note = "estimated", "The cloud's costs of this month may still change"
    return charts.Period(f"{month.start:%b ’%y}", f"{month.start:%B %Y}", state, note, month.whole)


class ExchangeRates(Page):
    """What is one currency worth in another, month by month?"""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        month = _month_of(request.GET.get("month", "")) or rates.through() or clock.today().replace(day=1)
        currency = request.GET.get("currency", "")[:3]
        before = rates.before(currency, month) if currency else None
        given = {"currency": currency, "month": f"{month:%Y-%m}", "per_euro": before.per_euro.normalize() if before else None}
        return render(request, "expenses/rates.html", _rates(request, month, RateForm(initial=given)))


class SetRate(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = RateForm(request.POST)
        if form.is_valid():
            try:
                rate = rate_services.set_own(**form.cleaned_data, by=request.user)
            except CloudconsoleError as error:
                form.add_error(error.attr, error.detail)
            else:
                messages.success(request, f"The rate of {rate.currency} for {rate.month:%B %Y} counts from now on.")
                return redirect(f"{redirect(RATES).url}?month={rate.month:%Y-%m}")
        return render(request, "expenses/rates.html", _rates(request, clock.today().replace(day=1), form), status=400)


class RemoveRate(Page):
    permission = Perm.ACCOUNTS_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        rate = rates.own(pk)
        rate_services.remove_own(rate=rate, by=request.user)
        messages.success(request, f"The own rate of {rate.currency} for {rate.month:%B %Y} was removed.")
        return redirect(f"{redirect(RATES).url}?month={rate.month:%Y-%m}")


def _rates(request: SignedInRequest, month: date, form: RateForm) -> dict[str, object]:
    return {
        "month": month,
        "earlier": first_of_month(month, months=-1),
        "later": first_of_month(month, months=1),
        "rates": rates.listed(month),
        "through": rates.through(),
        "form": form,
        "may_set": request.user.may(Perm.ACCOUNTS_MANAGE),
    }


def _month_of(text: str) -> date | None:
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return month if EARLIEST <= month <= LATEST else None


class ExportExpenses(Page):
    """Exactly what the list shows."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponseBase:
        place = place_of(request)
        wanted, refused = wanted_of(request, place)
        if refused is not None:
            raise refused
        chosen = request.GET.get("format", "csv")
        return exported(request, expenses.listed(request.user, wanted), chosen if chosen in FORMATS else "csv")
