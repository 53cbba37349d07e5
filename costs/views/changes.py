"""What changed between two spans, and what made it so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.models import Environment
from accounts.requests import SignedInRequest
from cloudconsole.api.fields import ChoiceField
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import total
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.api.changes import ChangesParameters, pair
from costs.api.parameters import DayField
from costs.rules import spans, tags
from costs.rules.cubes import Dimension
from costs.rules.drivers import Driver, Kind
from costs.rules.spans import COMPARISONS, Comparison, Pair
from costs.rules.windows import DayRange
from costs.selectors import changes, explorer
from costs.selectors.changes import Changes
from costs.selectors.costs import Reader
from costs.selectors.questions import MixedCurrencies
from costs.selectors.reports import CUSTOM, Report
from costs.views import addresses, controls, names
from costs.views.controls import Option
from costs.views.explorer import Link, Trouble, words_of
from costs.views.names import Names

SHOWN = 25
_KINDS = {Kind.NEW: "New", Kind.GONE: "Vanished"}


class PageParameters(ChangesParameters):
    """The API's, in the words of the page's form: last days instead of the days after them."""

    span = ChoiceField(choices=[*(one.value for one in Comparison), CUSTOM], required=False)
    last = DayField(required=False)
    before_last = DayField(required=False)
    environment = serializers.ListField(child=ChoiceField(choices=Environment.choices), required=False, default=list)

    def validate(self, attrs: Any) -> Any:
        for name, inclusive in (("end", "last"), ("before_end", "before_last")):
            if inclusive in attrs:
                attrs[name] = attrs.pop(inclusive) + timedelta(days=1)
        if attrs.get("span", CUSTOM) != CUSTOM:
            return {name: value for name, value in attrs.items() if name not in _DAYS}
        return super().validate({name: value for name, value in attrs.items() if name != "span"})


_DAYS = frozenset({"start", "end", "before_start", "before_end"})


@dataclass(frozen=True, slots=True)
class Line:
    """One driver. `where` is its account or tag value and, where AWS tells it, its region; `why` are parts of the service that
    moved most, told beside the largest driver of each service.
    """

    driver: Driver
    where: str
    kind: str
    why: Sequence[tuple[str, Any]]
    url: str


@dataclass(frozen=True, slots=True)
class Shown:
    found: Changes
    lines: Sequence[Line]
    more: int
    more_change: Any
    before_title: str
    after_title: str


class WhatChanged(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        given = PageParameters(data=_filled(request.GET))
        context: dict[str, Any] = {"costs_url": reverse(addresses.EXPLORER)}
        try:
            given.is_valid(raise_exception=True)
            context |= _answered(request, given.validated_data)
        except (ValidationError, CloudconsoleError) as error:
            title = error.title if isinstance(error, CloudconsoleError) else "This cannot be asked"
            context["trouble"] = Trouble(title, words_of(error))
            context.setdefault("form", _form({}, spans.pair_of(Comparison.WEEKS, clock.today())))
            return render(request, "costs/changes.html", context, status=400)
        return render(request, "costs/changes.html", context)


def _filled(query: QueryDict) -> QueryDict:
    given = QueryDict(mutable=True)
    for name, values in query.lists():
        if filled := [value for value in values if value]:
            given.setlist(name, filled)
    return given


def _with(query: QueryDict, **changed: str) -> str:
    copy = query.copy()
    copy.update(changed)
    return copy.urlencode()


def _answered(request: SignedInRequest, given: Mapping[str, Any]) -> dict[str, Any]:
    asked = pair(given)
    scope = Report().with_values("account", given["account"]).with_values("environment", given["environment"])
    reader = explorer.reader_for(request.user, scope)
    kept = [*scope.filters, *([("currency", given["currency"])] if given["currency"] else [])]
    context: dict[str, Any] = {"form": _form(given, asked, reader.tag_keys), "kept": kept, "lost": reader.lost}
    if not reader.sources:
        return context | {"shown": None}
    try:
        found = changes.changes(
            reader, asked, clock.today(), metric=Metric(given["metric"]), currency=given["currency"], by=given["by"]
        )
    except MixedCurrencies as error:
        return context | {"trouble": _mixed(request.GET, error)}
    return context | {"shown": _shown(reader, found, scope), "as_of": reader.as_of}


def _mixed(query: QueryDict, error: MixedCurrencies) -> Trouble:
    links = [Link(f"Show {one}", f"?{_with(query, currency=one)}") for one in error.currencies]
    return Trouble("These costs are in several currencies", "Amounts of different currencies are never added.", links)


def _form(given: Mapping[str, Any], asked: Pair, tag_keys: Sequence[str] = ()) -> dict[str, Any]:
    is_custom = "start" in given
    chosen = given.get("span", Comparison.WEEKS.value)
    day = timedelta(days=1)
    return {
        "spans": [
            *(Option(one.value, label, not is_custom and one.value == chosen) for one, label in COMPARISONS.items()),
            Option(CUSTOM, "Choose days…", is_custom),
        ],
        "metrics": [
            Option(one.value, label, one.value == given.get("metric", Metric.UNBLENDED.value))
            for one, label in controls.METRICS.items()
        ],
        "by": list(_by(given.get("by", Dimension.ACCOUNT), tag_keys)),
        "start": asked.after.start,
        "last": asked.after.end - day,
        "before_start": asked.before.start,
        "before_last": asked.before.end - day,
    }


def _by(chosen: Dimension, tag_keys: Sequence[str]) -> Iterable[Option]:
    """Accounts, the tags that costs are stored by, and what was asked for even where they are not."""
    for one in dict.fromkeys((Dimension.ACCOUNT, *(Dimension.tag(key) for key in tag_keys), chosen)):
        yield Option(one.word, names.title_of(one), one == chosen)


def _shown(reader: Reader, found: Changes, scope: Report) -> Shown:
    called = Names.of(reader, found.labels)
    more = found.drivers[SHOWN:]
    return Shown(
        found=found,
        lines=list(_lines(found, called, scope)),
        more=len(more),
        more_change=total(driver.cell.change for driver in more),
        before_title=controls.title_of(found.compared.before),
        after_title=controls.title_of(found.compared.after),
    )


def _lines(found: Changes, called: Names, scope: Report) -> Iterable[Line]:
    told: set[str] = set()
    for driver in found.drivers[:SHOWN]:
        line = _line(driver, called, found.compared, scope)
        yield replace(line, why=()) if driver.service in told else line
        told.add(driver.service)


def _line(driver: Driver, called: Names, compared: Pair, scope: Report) -> Line:
    key = called.of_value(driver.by, driver.key) if driver.account else tags.label_of(driver.key)
    parts = driver.regions + driver.usage_types
    return Line(
        driver=driver,
        where=f"{key} · {driver.region}" if driver.region else key,
        kind=_KINDS.get(driver.cell.kind, ""),
        why=[(part.name, part.cell.change) for part in parts],
        url=addresses.of(_report(driver, compared, scope)),
    )


def _report(driver: Driver, compared: Pair, scope: Report) -> Report:
    """Both spans by day, of the driver's service."""
    first = min(compared.before.start, compared.after.start)
    days = DayRange(first, max(compared.before.end, compared.after.end))
    return replace(scope, days=days, group_by=(driver.by,)).with_values("service", [driver.service])
