"""Reports to try: any that can be written as an address, and any that the stored days can be asked; and what the ledger says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.money import total
from cloudconsole.simulator import ledger
from cloudconsole.simulator.line_items import Line
from cloudconsole.simulator.organization import MANAGEMENT
from costs.rules import charge_types
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import DIMENSIONS, Dimension
from costs.rules.spans import Preset
from costs.rules.windows import DayRange
from costs.selectors.questions import Granularity
from costs.selectors.reports import FILTERS, TOPS, Report
from costs.tests import books

RANGE = DayRange(date(2026, 10, 24), date(2026, 11, 19))
ADDRESS = {"range": "custom", "start": "2026-10-24", "end": "2026-11-19"}
LINES = [line for day in books.days_of(RANGE) for line in books.LEDGER.shown(day, books.NOW)]
# Keys as people write them: with spaces, colons, other letters.
TAGS = (Dimension.tag("team"), Dimension.tag("aws:createdBy"), Dimension.tag("Kosten stelle ä"))
FIELDS: dict[str, Callable[[Line], str]] = {
    "service": lambda line: line.service,
    "account": lambda line: line.account,
    "region": lambda line: line.region,
    "record_type": lambda line: line.record_type,
    "usage_type": lambda line: line.usage_type,
}


def filters() -> st.SearchStrategy[dict[str, list[str]]]:
    values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).filter(
        lambda text: text == text.strip()
    )
    return st.dictionaries(
        st.sampled_from([*FILTERS, "tag:team", "tag:cost center: a/b"]),
        st.lists(values, min_size=1, max_size=3, unique=True),
        max_size=4,
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    start = draw(st.dates(date(2024, 1, 1), date(2027, 1, 1)))
    custom = DayRange(start, start + timedelta(days=draw(st.integers(1, 1000))))
    types = draw(st.sets(st.sampled_from(ChargeType), max_size=len(ChargeType) - 1))
    report = Report(
        preset=draw(st.sampled_from(Preset)),
        granularity=draw(st.sampled_from([Granularity.DAILY, Granularity.MONTHLY])),
        group_by=tuple(draw(st.lists(st.sampled_from([*DIMENSIONS, *TAGS]), max_size=2, unique=True))),
        metric=draw(st.sampled_from([metric for metric in Metric if metric is not Metric.BLENDED])),
        charge_types=tuple(one for one in ChargeType if one in types),
        currency=draw(st.sampled_from([None, "USD", "EUR"])),
        compare=draw(st.booleans()),
        top=draw(st.sampled_from(TOPS)),
    )
    if draw(st.booleans()):
        report = Report(**{**_fields(report), "preset": Preset.DAYS_30, "days": custom})
    for name, values in draw(filters()).items():
        report = report.with_values(name, values)
    return report


def _fields(report: Report) -> dict[str, Any]:
    return {name: getattr(report, name) for name in Report.__dataclass_fields__}


@st.composite
def questions(draw: st.DrawFn) -> Report:
    start = draw(st.integers(0, RANGE.days - 1))
    length = draw(st.integers(1, RANGE.days - start))
    first = RANGE.start + timedelta(days=start)
    types = draw(st.sets(st.sampled_from(ChargeType), max_size=3))
    report = Report(
        days=DayRange(first, first + timedelta(days=length)),
        granularity=draw(st.sampled_from([Granularity.DAILY, Granularity.MONTHLY])),
        group_by=tuple(draw(st.lists(st.sampled_from(DIMENSIONS), max_size=2, unique=True))),
        metric=draw(st.sampled_from([metric for metric in Metric if metric is not Metric.BLENDED])),
        charge_types=tuple(sorted(types)) if draw(st.booleans()) else (),
        top=draw(st.sampled_from(TOPS)),
    )
    name = draw(st.sampled_from(["", "", *FIELDS]))
    if name:
        known = sorted({FIELDS[name](line) for line in LINES})
        report = report.with_values(name, draw(st.lists(st.sampled_from(known), min_size=1, max_size=3, unique=True)))
    return report


def of_ledger(report: Report) -> Decimal:
    """What the ledger says the report's days cost, through its filters."""
    # What AWS shares out among accounts is told of these alone; grouped by accounts, what it loses on the way is a residual.
    view = ledger.view_for(MANAGEMENT, [dimension.value for dimension in report.filtered])
    days = report.days or RANGE
    return total(
        ledger.usd(getattr(line.costs, report.metric.value))
        for day in books.days_of(days)
        for line in ledger.visible_to(books.LEDGER.shown(day, books.NOW), MANAGEMENT, view)
        if all(FIELDS[name](line) in report.values_of(name) for name in FIELDS if report.values_of(name))
        and (not report.charge_types or charge_types.classify(line.record_type) in report.charge_types)
    )
