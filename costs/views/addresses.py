"""Addresses of the pages about a report: everything it asks is in them."""

from __future__ import annotations

from django.urls import reverse
from django.utils.http import urlencode

from costs.selectors.reports import Report

EXPLORER = "explorer:costs"


def of(report: Report, page: str = EXPLORER) -> str:
    pairs = report.pairs()
    return reverse(page) + (f"?{urlencode(pairs)}" if pairs else "")
