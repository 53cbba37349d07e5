"""Addresses of the pages about a report: everything it asks is in them."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import urlencode

from costs.selectors.reports import Report

EXPLORER = "explorer:costs"


def of(report: Report, page: str = EXPLORER, **besides: str) -> str:
    """`besides`: parameters of the page that are none of the report's."""
    pairs = [*report.pairs(), *besides.items()]
    return reverse(page) + (f"?{urlencode(pairs)}" if pairs else "")


def of_scope(report: Report, page: str) -> str:
    """A page about what the report counts, whatever its days and groups."""
    return of(
        Report(metric=report.metric, charge_types=report.charge_types, filters=report.filters, currency=report.currency), page
    )
