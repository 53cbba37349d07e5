"""Choosing what a report is narrowed to: every value that has costs in its days, with what it cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from django.http import HttpResponse
from django.shortcuts import redirect, render
from rest_framework.exceptions import ValidationError

from accounts.models import User
from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.api import report_parameters
from costs.rules.cubes import DIMENSIONS, Dimension
from costs.selectors import explorer
from costs.selectors.costs import Reader
from costs.selectors.questions import Granularity, Group, NotStored, Question
from costs.selectors.reports import ENVIRONMENT, Report
from costs.views import addresses, controls, names
from costs.views.names import Names

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    name: str
    amount: Decimal | None
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """The values of one dimension, largest first; `reason` says why there are none."""

    name: str
    title: str
    choices: Sequence[Choice]
    reason: str
    currency: str


class Filters(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        try:
            report = report_parameters.read(request.GET, besides=("apply",))
        except ValidationError:
            return redirect(addresses.EXPLORER)
        if "apply" in request.GET:
            return redirect(addresses.of(report))
        today = clock.today()
        context = {
            "report": report,
            "title": controls.title_of(report.range(today)),
            "fields": list(fields(request.user, report, today)),
            "kept": [pair for pair in report.pairs() if pair not in report.filters or pair[0] == ENVIRONMENT],
            "back_url": addresses.of(report),
        }
        return render(request, "costs/filters.html", context)


def fields(user: User, report: Report, today: date) -> Iterable[Choices]:
    """Each dimension as if nothing else were filtered: what is not stored together can still be chosen."""
    wide = replace(report, filters=tuple(pair for pair in report.filters if pair[0] == ENVIRONMENT))
    reader = explorer.reader_for(user, wide)
    asked = replace(wide.question(today), granularity=Granularity.WHOLE, charge_types=frozenset())
    for dimension in (*DIMENSIONS, *(Dimension.tag(key) for key in reader.tag_keys)):
        name = dimension.word
        try:
            yield _choices(reader, report, name, replace(asked, group_by=(dimension,)))
        except NotStored:
            reason = "Of these accounts AWS's answers are not stored by this."
            yield Choices(name, names.title_of(dimension), (), reason, "")
        except CloudconsoleError as error:
            yield Choices(name, names.title_of(dimension), (), error.detail, "")


def _choices(reader: Reader, report: Report, name: str, question: Question) -> Choices:
    answer = reader.answer(question)
    groups = [group for period in answer.periods for group in period.groups]
    called = Names.of(reader, {group.keys[0]: group.labels[0] for group in groups})
    chosen = report.values_of(name)
    found = [_choice(group, called, name, chosen) for group in sorted(groups, key=lambda one: -abs(one.amount))]
    known = {choice.value for choice in found if choice.chosen}
    kept = [Choice(value, called.of_filter(name, value), None, chosen=True) for value in chosen if value not in known]
    shown = [*kept, *(one for one in found if one.chosen), *(one for one in found if not one.chosen)][: max(_SHOWN, len(chosen))]
    reason = "" if shown else "Nothing in these days."
    return Choices(name, names.title_of(Dimension.called(name)), shown, reason, answer.currency or "")


def _choice(group: Group, called: Names, name: str, chosen: Sequence[str]) -> Choice:
    key = group.keys[0]
    alias = called.aliases.get(key, "") if name == "account" else ""
    return Choice(
        alias or key, called.in_full(Dimension.called(name), key), group.amount, key in chosen or bool(alias and alias in chosen)
    )
