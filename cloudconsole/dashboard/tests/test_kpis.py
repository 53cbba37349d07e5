"""The words beside the figures at the top of the overview."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from cloudconsole.dashboard import kpis
from costs.rules.windows import DayRange
from costs.selectors.summary import Span

SETTLED = Span(DayRange(date(2026, 11, 1), date(2026, 11, 20)), Decimal(11))
BEFORE = Span(DayRange(date(2026, 10, 1), date(2026, 10, 20)), Decimal(10))


def test_a_comparison_names_both_spans_because_the_figure_above_it_is_of_more_days() -> None:
    assert kpis.compared(SETTLED, BEFORE) == "in 1–19 November than in 1–19 October"


def test_what_cannot_be_compared_says_why() -> None:
    assert kpis.compared(None, None) == "Too early in the month to compare"
    assert kpis.compared(SETTLED, Span(BEFORE.days, None)) == "Nothing known of 1–19 October to compare with"
