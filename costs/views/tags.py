"""Tags: how much of the money carries them, and which of them are fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from accounts import scope
from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.api import report_parameters
from costs.models import REQUEST_PRICE, CostSource, SourceTag
from costs.rules import tag_requests
from costs.rules.cubes import Dimension
from costs.rules.tag_coverage import Covered
from costs.selectors import explorer, tag_choices, tag_coverage
from costs.selectors.costs import Reader
from costs.selectors.questions import MixedCurrencies
from costs.selectors.reports import Report
from costs.selectors.tag_choices import Choices
from costs.selectors.tag_coverage import Coverage
from costs.services import snapshots, tag_windows, tags
from costs.services.tags import Wanted
from costs.views import addresses, controls
from costs.views.controls import Option
from costs.views.explorer import Link, Trouble, words_of
from costs.views.names import Names

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Line:
    """One service or account. `url`: what is untagged in it."""

    name: str
    covered: Covered
    url: str

    @property
    def percent(self) -> str:
        return "—" if self.covered.share is None else f"{self.covered.share * 100:.1f} %"

    @property
    def done(self) -> int:
        """Of 100, for the bar."""
        return 0 if self.covered.share is None else int(self.covered.share * 100)


@dataclass(frozen=True, slots=True)
class Shown:
    found: Coverage
    whole: Line
    services: Sequence[Line]
    more_services: int
    accounts: Sequence[Line] | None
    rows: Sequence[SourceTag]

    @property
    def currency(self) -> str:
        return self.found.currency or ""


class TagCoverage(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        today = clock.today()
        try:
            report = report_parameters.read(request.GET, besides=("key",))
        except (ValidationError, CloudconsoleError) as error:
            context = {
                "trouble": Trouble("This cannot be asked", words_of(error)),
                "controls": controls.controls(Report(), today, Names({}, {})),
            }
            return render(request, "costs/tags.html", context, status=400)
        reader = explorer.reader_for(request.user, report)
        return render(request, "costs/tags.html", _context(request, reader, report))


def _context(request: SignedInRequest, reader: Reader, report: Report) -> dict[str, Any]:
    keys = reader.tag_keys
    key = request.GET.get("key") or next(iter(keys), "")
    context: dict[str, Any] = {
        "controls": controls.controls(report, clock.today(), Names.of(reader, {})),
        "keys": [Option(one, one, one == key) for one in keys],
        "key": key,
        "title": controls.title_of(report.range(clock.today())),
        "basis": controls.METRICS[report.metric],
        "as_of": reader.as_of if reader.sources else None,
        "has_sources": bool(reader.sources),
        "may_choose": request.user.may(Perm.COSTS_REFRESH),
    }
    if not keys:
        return context
    try:
        context["shown"] = _shown(reader, key, report)
    except MixedCurrencies as error:
        links = [Link(f"Show {one}", f"?{_with(request, one)}") for one in error.currencies]
        context["trouble"] = Trouble(
            "These costs are in several currencies", "Amounts of different currencies are never added.", links
        )
    except CloudconsoleError as error:
        context["trouble"] = Trouble(error.title, error.detail)
    return context


def _with(request: SignedInRequest, currency: str) -> str:
    copy = request.GET.copy()
    copy["currency"] = currency
    return copy.urlencode()


def _shown(reader: Reader, key: str, report: Report) -> Shown:
    found = tag_coverage.coverage(reader, key, report.range(clock.today()), metric=report.metric, currency=report.currency)
    called = Names.of(reader, found.labels)
    accounts = found.by_account
    return Shown(
        found=found,
        whole=Line("All", found.whole, _without_value(report, key, found.whole)),
        services=list(_lines(found.by_service[:SHOWN], called, report, key, Dimension.SERVICE)),
        more_services=max(0, len(found.by_service) - SHOWN),
        accounts=None if accounts is None else list(_lines(accounts, called, report, key, Dimension.ACCOUNT)),
        rows=tag_coverage.rows_of(reader, key),
    )


def _lines(found: Iterable[Covered], called: Names, report: Report, key: str, dimension: Dimension) -> Iterable[Line]:
    for one in found:
        yield Line(called.of_value(dimension, one.key), one, _values(report, key, dimension, one.key))


def _values(report: Report, key: str, dimension: Dimension, value: str) -> str:
    """The explorer: values of the tag within the service or account."""
    return addresses.of(replace(report, group_by=(Dimension.tag(key),)).with_values(dimension.word, [value]))


def _without_value(report: Report, key: str, whole: Covered) -> str:
    """The explorer: the services of what has no value."""
    by_service = replace(report, group_by=(Dimension.SERVICE,))
    return addresses.of(by_service.with_values(Dimension.tag(key).word, whole.without_value))


# --- choosing


class TagKeys(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        accounts = scope.of(request.user, request.GET, self.permission).accounts
        return render(
            request, "costs/tag_keys.html", {"sources": tag_choices.choices(request.user, accounts), "price": REQUEST_PRICE}
        )


class ListTags(Page):
    """Ask AWS which tags there are, once somebody agrees to pay for it."""

    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, source_id: int) -> HttpResponse:
        source = _source(request, source_id)
        try:
            count = tags.refresh_list(source=source, by=request.user)
        except CloudconsoleError as error:
            remedy = getattr(error, "remedy", "")
            messages.error(request, f"{source.account.alias}: {error.detail} {remedy}".strip())
        else:
            messages.success(request, f"AWS names {count} tag{'' if count == 1 else 's'} in {source.account.alias}.")
        return redirect(reverse("explorer:tag-keys") + _query(request))


@dataclass(frozen=True, slots=True)
class Order:
    """What choosing these keys would ask: for the history of what is new at once, and for all of them each month."""

    wanted: Sequence[Wanted]
    history_requests: int
    monthly_requests: int

    @property
    def history_price(self) -> Decimal:
        return self.history_requests * REQUEST_PRICE

    @property
    def monthly_price(self) -> Decimal:
        return self.monthly_requests * REQUEST_PRICE


class ChooseTags(Page):
    """Says first what the chosen tags cost, and fetches them once somebody agrees."""

    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, source_id: int) -> HttpResponse:
        source = _source(request, source_id)
        choices = tag_choices.one(request.user, source.pk)
        if choices is None:
            raise Http404("There is no such source of costs.")
        wanted = _wanted(request, choices)
        if "confirmed" not in request.POST and not source.is_imported:
            order = _order(source, choices, wanted)
            return render(request, "costs/tag_order.html", {"choices": choices, "order": order})
        try:
            run = tags.choose(source=source, wanted=wanted, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, f"{source.account.alias}: {error.detail}")
            return redirect(reverse("explorer:tag-keys") + _query(request))
        messages.success(request, _SAID_OF_FILES if source.is_imported else _said(run is not None, wanted))
        address = reverse("costs:snapshot", args=[run.snapshot.pk]) if run else reverse("explorer:tag-keys")
        return redirect(address + _query(request))


def _wanted(request: SignedInRequest, choices: Choices) -> list[Wanted]:
    by_account = set(request.POST.getlist("by_account"))
    return [Wanted(key, key in by_account and not choices.is_single) for key in dict.fromkeys(request.POST.getlist("tag"))]


def _order(source: CostSource, choices: Choices, wanted: Sequence[Wanted]) -> Order:
    questions = sum(tag_requests.questions_of(by_account=one.by_account, single=choices.is_single) for one in wanted)
    return Order(
        wanted,
        tag_windows.history_requests(source=source, wanted={one.key: one.by_account for one in wanted}, today=clock.today()),
        tag_requests.monthly(questions, single=choices.is_single),
    )


_SAID_OF_FILES = "Chosen. Its billing files are being read by these tags; those that come from now on are as well."


def _said(fetches: bool, wanted: Sequence[Wanted]) -> str:
    if fetches:
        return "Chosen. Their costs of the last thirteen months are being fetched."
    return "Chosen. Nothing new is to be fetched." if wanted else "No tags are fetched any more. What was fetched stays readable."


def _source(request: SignedInRequest, source_id: int) -> CostSource:
    """Raises Http404 for one that the reader may not see, PermissionDenied for one that they may only see."""
    account = CostSource.objects.visible_to(request.user, Perm.COSTS_VIEW).filter(pk=source_id).values_list("account", flat=True)
    if not account:
        raise Http404("There is no such source of costs.")
    return snapshots.source_called(account=str(account[0]), by=request.user)


def _query(request: SignedInRequest) -> str:
    return f"?{request.GET.urlencode()}" if request.GET else ""
