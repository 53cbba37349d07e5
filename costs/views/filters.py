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
from costs.selectors.questions import Granularity, NotStored, Question
from costs.selectors.reports import ENVIRONMENT, Report
from costs.views import addresses, controls, names
from costs.views.names import Names

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """`amounts`: what it cost in each currency; none where that is not known."""

    value: str
    name: str
    amounts: Sequence[tuple[Decimal, str]]
    chosen: bool


@dataclass(frozen=True, slots=True)
class Choices:
    """The values of one dimension, largest first; `reason` says why there are none."""

    name: str
    title: str
    choices: Sequence[Choice]
    reason: str


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
            reason = "For these accounts AWS does not tell costs apart by this."
            yield Choices(name, names.title_of(dimension), (), reason)
        except CloudconsoleError as error:
            yield Choices(name, names.title_of(dimension), (), error.detail)


def _choices(reader: Reader, report: Report, name: str, question: Question) -> Choices:
    groups = _groups(reader, question)
    called = Names.of(reader, {key: label for key, (label, _) in groups.items()})
    chosen = report.values_of(name)
    found = [_choice(key, amounts, called, name, chosen) for key, (_, amounts) in groups.items()]
    known = {choice.value for choice in found if choice.chosen}
    kept = [Choice(value, called.of_filter(name, value), (), chosen=True) for value in chosen if value not in known]
    shown = [*kept, *(one for one in found if one.chosen), *(one for one in found if not one.chosen)][: max(_SHOWN, len(chosen))]
    reason = "" if shown else "Nothing in these days."
    return Choices(name, names.title_of(Dimension.called(name)), shown, reason)


def _groups(reader: Reader, question: Question) -> dict[str, tuple[str, list[tuple[Decimal, str]]]]:
    """Label and amounts of each value, the largest first."""
    answers = (reader.answer(question),) if question.currency else reader.by_currency(question)
    told = [(group, one.currency or "") for one in answers for period in one.periods for group in period.groups]
    groups: dict[str, tuple[str, list[tuple[Decimal, str]]]] = {}
    for group, currency in sorted(told, key=lambda one: -abs(one[0].amount)):
        groups.setdefault(group.keys[0], (group.labels[0], []))[1].append((group.amount, currency))
    return groups


def _choice(key: str, amounts: Sequence[tuple[Decimal, str]], called: Names, name: str, chosen: Sequence[str]) -> Choice:
    alias = called.aliases.get(key, "") if name == "account" else ""
    return Choice(
        alias or key, called.in_full(Dimension.called(name), key), amounts, key in chosen or bool(alias and alias in chosen)
    )
