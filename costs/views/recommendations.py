"""The pages that say where money could be saved, and take decisions about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode

from accounts import scope
from accounts.models import AwsAccount
from accounts.requests import SignedInRequest
from accounts.scope import Scope
from cloudconsole.api.streams import csv_lines, streamed
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.forms.recommendations import DismissForm, RecommendationFilterForm
from costs.models import Recommendation
from costs.models.recommendations import STATUSES
from costs.rules.recommendation_life import Status
from costs.selectors import recommendations as selectors
from costs.selectors.recommendations import Question
from costs.services import recommendations as services
from resources.services import fixes
from resources.services.fixes import Fix
from resources.services.operations import Target

PAGE_SIZE = 50
_MOST = 500  # dismissed at once
_ALL = "all"
HEADER = (
    "id", "kind", "account", "account_number", "environment", "region", "resource_id", "name", "status", "amount_a_month",
    "currency", "why_unknown", "aws_amount", "aws_currency", "confidence", "sources", "first_seen_at", "last_seen_at",
    "observed_at", "dismissed_reason", "dismissed_until",
)  # fmt: skip


class RecommendationList(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        shown = scope.of(request.user, request.GET, self.permission)
        form = _form(request, shown)
        rows = selectors.found(request.user, _question(form, shown))
        query = request.GET
        part = selectors.slice_of(rows, size=PAGE_SIZE, before=query.get("before", ""), after=query.get("after", ""))
        status = form.cleaned_data.get("status") or Status.OPEN.value
        context = {
            "form": form,
            "rows": part.rows,
            "totals": selectors.totals(rows),
            "newer": _place(query, before=part.before) if part.before else "",
            "older": _place(query, after=part.after) if part.after else "",
            "status": status,
            "status_word": dict(STATUSES).get(status, "All"),
            "filtered": bool(any(form.cleaned_data.values())),
            "narrowed": shown.narrowed,
            "gaps": selectors.gaps(request.user, shown.accounts),
            "has_accounts": bool(shown.accounts),
            "may_decide": status == Status.OPEN and AwsAccount.objects.visible_to(request.user, Perm.SAVINGS_DECIDE).exists(),
            "export_url": f"{reverse('recommendations:export')}?{query.urlencode()}",
        }
        return render(request, "recommendations/list.html", context)


class RecommendationExport(Page):
    """What is shown, all pages of it, as CSV."""

    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponseBase:
        shown = scope.of(request.user, request.GET, self.permission)
        rows = selectors.found(request.user, _question(_form(request, shown), shown))
        name = f"recommendations-{clock.today():%Y-%m-%d}.csv"
        lines = csv_lines(HEADER, _cells(rows.iterator(chunk_size=selectors.EXPORT_CHUNK)))
        return streamed(request, lines, content_type="text/csv; charset=utf-8", filename=name)


class RecommendationDetail(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        return _detail(request, selectors.get_for(request.user, pk), DismissForm())


class Dismiss(Page):
    permission = Perm.SAVINGS_DECIDE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        row, form = selectors.get_for(request.user, pk), DismissForm(request.POST)
        if not form.is_valid():
            return _detail(request, row, form, status=400)
        try:
            services.dismiss(recommendation=row, by=request.user, reason=form.cleaned_data["reason"], until=form.end)
        except CloudconsoleError as error:
            messages.warning(request, error.detail)
        else:
            messages.success(request, f"Dismissed: {row.title.lower()} {row.label}.")
        return redirect(reverse("recommendations:detail", args=[pk]) + _kept(request))


class DismissMany(Page):
    permission = Perm.SAVINGS_DECIDE

    def post(self, request: SignedInRequest) -> HttpResponse:
        chosen = [
            int(text) for text in request.POST.getlist("target")[:500] if text.isascii() and text.isdecimal() and len(text) < 19
        ]
        form, back = DismissForm(request.POST), reverse("recommendations:list") + _kept(request)
        if not chosen or not form.is_valid():
            messages.warning(request, "Choose at least one recommendation, and say why it stays as it is.")
            return redirect(back)
        rows = selectors.chosen(request.user, chosen)
        try:
            count = services.dismiss_many(
                recommendations=rows, by=request.user, reason=form.cleaned_data["reason"], until=form.end
            )
        except CloudconsoleError as error:
            messages.warning(request, error.detail)
            return redirect(back)
        if count:
            messages.success(request, f"Dismissed {count} recommendation{'' if count == 1 else 's'}.")
        if count < len(rows):
            messages.warning(request, f"{len(rows) - count} were not open any more, or not yours to decide.")
        return redirect(back)


class Restore(Page):
    permission = Perm.SAVINGS_DECIDE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        row = selectors.get_for(request.user, pk)
        try:
            services.restore(recommendation=row, by=request.user)
        except CloudconsoleError as error:
            messages.warning(request, error.detail)
        else:
            messages.success(request, "It is open again.")
        return redirect(reverse("recommendations:detail", args=[pk]) + _kept(request))


def _detail(request: SignedInRequest, row: Recommendation, form: DismissForm, status: int = 200) -> HttpResponse:
    kind = row.described
    target = Target(row.account, row.region, row.resource_id, row.name)
    offered = fixes.offered(request.user, target, kind.operation if kind else "", row.parameters)
    context = {
        "row": row,
        "kind": kind,
        "form": form,
        "fixes": [(fix, _address(fix)) for fix in offered] if row.status in (Status.OPEN, Status.DISMISSED) else [],
        "may_decide": selectors.may_decide(request.user, row),
        "is_over": row.status in (Status.FIXED, Status.GONE),
    }
    return render(request, "recommendations/detail.html", context, status=status)


def _address(fix: Fix) -> str:
    """Of the form that asks for it."""
    name = "operations:instances" if fix.is_of_instance else "operations:saving"
    return f"{reverse(name)}?{urlencode(fix.wish)}"


def _numbers(texts: Sequence[str]) -> list[int]:
    return [int(text) for text in texts[:_MOST] if text.isascii() and text.isdecimal() and len(text) < 19]


def _form(request: SignedInRequest, shown: Scope) -> RecommendationFilterForm:
    form = RecommendationFilterForm(request.GET, regions=selectors.regions(request.user, shown.accounts))
    form.full_clean()
    return form


def _question(form: RecommendationFilterForm, shown: Scope) -> Question:
    """What means nothing is left out, so that an old link still shows a list."""
    given: dict[str, Any] = form.cleaned_data
    status = given.get("status") or Status.OPEN.value
    return Question(
        accounts=shown.accounts,
        statuses=() if status == _ALL else (status,),
        kinds=_one(given.get("kind")),
        regions=_one(given.get("region")),
        confidences=_one(given.get("confidence")),
    )


def _one(value: str | None) -> Sequence[str]:
    return (value,) if value else ()


def _cells(rows: Iterator[Recommendation]) -> Iterator[Sequence[object]]:
    for row in rows:
        yield (
            row.pk, row.kind, row.account.alias, row.account.account_id, row.account.environment, row.region, row.resource_id,
            row.name, row.status, _plain(row.amount), row.currency, row.unpriced, _plain(row.aws_amount), row.aws_currency,
            row.confidence, " ".join(row.sources), row.first_seen_at.isoformat(), row.last_seen_at.isoformat(),
            row.observed_at.isoformat(), row.dismissed_reason,
            row.dismissed_until.isoformat() if row.dismissed_until else "",
        )  # fmt: skip


def _plain(amount: Any) -> str:
    return "" if amount is None else f"{amount.normalize():f}"


def _place(query: QueryDict, **changes: str) -> str:
    changed = query.copy()
    for name in ("before", "after"):
        changed.pop(name, None)
    for name, value in changes.items():
        changed[name] = value
    return f"?{changed.urlencode()}"


def _kept(request: SignedInRequest) -> str:
    return f"?{request.GET.urlencode()}" if request.GET else ""
