"""What stands above a report: the choices of its form, its switches, and a chip for each of its filters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import groupby

from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import figures
from costs.rules import spans
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import DIMENSIONS, Dimension
from costs.rules.windows import DayRange
from costs.selectors.questions import Granularity
from costs.selectors.reports import CUSTOM, ENVIRONMENT, TOPS, Report
from costs.views import addresses, names
from costs.views.names import Names

METRICS: dict[Metric, str] = {
    Metric.UNBLENDED: "Unblended",
    Metric.AMORTIZED: "Amortized",
    Metric.NET_UNBLENDED: "Net unblended",
    Metric.NET_AMORTIZED: "Net amortized",
}


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Chip:
    """The values of one filter. `url` is the address without it."""

    label: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Controls:
    ranges: Sequence[Option]
    start: date
    last: date
    granularities: Sequence[Option]
    first_groups: Sequence[Option]
    second_groups: Sequence[Option]
    metrics: Sequence[Option]
    charge_types: Sequence[Option]
    compare: Sequence[Option]
    tops: Sequence[Option]
    chips: Sequence[Chip]
    kept: Sequence[tuple[str, str]]


def controls(report: Report, today: date, called: Names, tag_keys: Sequence[str] = ()) -> Controls:
    """`tag_keys`: the tags that can be grouped by."""
    days = report.range(today)
    return Controls(
        ranges=[*_presets(report), Option(CUSTOM, "Choose days…", report.days is not None)],
        start=days.start,
        last=days.end - timedelta(days=1),
        granularities=[Option(one.value, label, one is report.granularity) for one, label in _GRANULARITIES.items()],
        first_groups=_groups(report.group_by[:1], tag_keys, "No grouping"),
        second_groups=_groups(report.group_by[1:2], tag_keys, "Nothing else", nothing=""),
        metrics=[Option(one.value, label, one is report.metric) for one, label in METRICS.items()],
        charge_types=[
            Option(one.value, label, not report.charge_types or one in report.charge_types)
            for one, label in names.CHARGE_TYPES.items()
        ],
        compare=[Option("previous", "Span before", report.compare), Option("none", "Nothing", not report.compare)],
        tops=[Option(str(top), f"{top} rows", top == report.top) for top in TOPS],
        chips=list(_chips(report, called)),
        kept=[*report.filters, *([("currency", report.currency)] if report.currency else [])],
    )


_GRANULARITIES = {Granularity.DAILY: "By day", Granularity.MONTHLY: "By month"}


def _presets(report: Report) -> Iterable[Option]:
    return (Option(one.value, label, not report.days and one is report.preset) for one, label in spans.TITLES.items())


def _groups(chosen: tuple[Dimension, ...], tag_keys: Sequence[str], none: str, *, nothing: str = "none") -> list[Option]:
    known = (*DIMENSIONS, *(Dimension.tag(key) for key in tag_keys))
    options = [Option(one.word, names.title_of(one), one in chosen) for one in dict.fromkeys((*known, *chosen))]
    return [*options, Option(nothing, none, not chosen)] if nothing else [Option(nothing, none, not chosen), *options]


def _chips(report: Report, called: Names) -> Iterable[Chip]:
    for name, pairs in groupby(report.filters, key=lambda pair: pair[0]):
        values = [value for _, value in pairs]
        label = "Environment" if name == ENVIRONMENT else names.title_of(Dimension.called(name))
        shown = [called.of_filter(name, value) for value in values]
        text = ", ".join(shown[:2]) + (f" and {len(shown) - 2} more" if len(shown) > 2 else "")
        yield Chip(label, text, addresses.of(report.with_values(name, ())))
    if report.currency:
        yield Chip("Currency", report.currency, addresses.of(replace(report, currency=None)))


def title_of(days: DayRange) -> str:
    """The days in words, the last one included."""
    first, last = days.start, days.end - timedelta(days=1)
    if first.day == 1 and days.end.day == 1 and (last.year, last.month) == (first.year, first.month):
        return f"{first:%B %Y}"
    return figures.days(first, last)


def charges_of(report: Report) -> str:
    """Which kinds of charges are counted, in a few words."""
    if not report.charge_types:
        return "all charge types"
    left_out = [one for one in ChargeType if one not in report.charge_types]
    told, words = (left_out, "without") if len(left_out) < len(report.charge_types) else (report.charge_types, "only")
    return f"{words} {', '.join(names.CHARGE_TYPES[one].lower() for one in told)}"
