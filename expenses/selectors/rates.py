"""Rates of currencies as they are stored."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from django.db.models import QuerySet

from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses.models import MonthlyRate, RateRelease, RateSource
from expenses.rules.rates import EURO, Rates


class RateNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "rate_not_found"
    title = "Not found"


def between(currencies: Collection[str], start: date, end: date) -> Rates:
    """The rates of the currencies for the months from `start` to before `end`; what was set here counts more."""
    wanted = set(currencies) - {EURO}
    if not wanted:
        return Rates({})
    found = MonthlyRate.objects.filter(currency__in=wanted, month__gte=start.replace(day=1), month__lt=end)
    # "ecb" comes before "manual": the later one overwrites.
    return Rates({(row.currency, row.month): row.per_euro for row in found.order_by("source")})


def listed(month: date) -> list[MonthlyRate]:
    """Every currency's rate of a month that counts, by its code."""
    found = MonthlyRate.objects.filter(month=month.replace(day=1)).order_by("source")
    return sorted({row.currency: row for row in found}.values(), key=lambda row: row.currency)


def all_of(*, currency: str = "", month: date | None = None, source: str = "") -> QuerySet[MonthlyRate]:
    """Newest first; empty parameters let everything through."""
    found = MonthlyRate.objects.order_by("-month", "currency", "-source")
    found = found.filter(currency=currency) if currency else found
    found = found.filter(month=month.replace(day=1)) if month else found
    return found.filter(source=source) if source else found


def own(pk: int) -> MonthlyRate:
    """A rate that was set here. Raises RateNotFound."""
    found = MonthlyRate.objects.filter(pk=pk, source=RateSource.MANUAL).first()
    if found is None:
        raise RateNotFound("There is no own rate with this number.")
    return found


def before(currency: str, month: date) -> MonthlyRate | None:
    """The last known one, to start from where somebody sets the month's."""
    return MonthlyRate.objects.filter(currency=currency, month__lt=month).order_by("-month", "-source").first()


def through() -> date | None:
    """The last month that the central bank's stored history tells in whole."""
    release = RateRelease.objects.order_by("-through").first()
    return release.through if release else None


def known_currencies() -> list[str]:
    """Those into which something could be converted."""
    found = MonthlyRate.objects.order_by().values_list("currency", flat=True).distinct()
    return sorted({EURO, *found})
