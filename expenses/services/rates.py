"""Rates of currencies: the central bank's, stored once for each release, and those that an admin sets."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib.metadata import version
from typing import Final

from currency_converter import CURRENCY_FILE
from django.db import transaction

import audit.services
from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError
from expenses import verbs
from expenses.models import MonthlyRate, RateRelease, RateSource
from expenses.rules import currencies, rates

_PACKAGE: Final = "CurrencyConverter"
_LARGEST: Final = Decimal(10) ** 12


class RateRefused(CloudconsoleError):
    code = "rate_refused"
    title = "This cannot be a rate"


def load() -> int:
    """Store the central bank's history that came with the installed release, once; how many rates it has.

    Averages that are there already stay as they are: what was reported with them stays true.
    """
    installed = version(_PACKAGE)
    if RateRelease.objects.filter(version=installed).exists():
        return 0
    now = clock.now()
    found = list(rates.averages(_lines()))
    rows = [
        MonthlyRate(
            currency=one.currency, month=one.month, source=RateSource.ECB, per_euro=one.per_euro, days=one.days, set_at=now
        )
        for one in found
        if one.currency in currencies.EXPONENTS
    ]
    with transaction.atomic():
        MonthlyRate.objects.bulk_create(rows, batch_size=1000, ignore_conflicts=True)
        through = max(one.month for one in found)
        RateRelease.objects.get_or_create(version=installed, defaults={"through": through, "loaded_at": now})
    return len(rows)


def _lines() -> Iterator[str]:
    with zipfile.ZipFile(CURRENCY_FILE) as archive, archive.open(archive.namelist()[0]) as file:
        yield from io.TextIOWrapper(file, "utf-8")


def set_own(*, currency: str, month: date, per_euro: Decimal, by: User) -> MonthlyRate:
    """Let `per_euro` count for the month instead of the central bank's average. Raises RateRefused."""
    if currency not in currencies.EXPONENTS or currency == rates.EURO:
        raise RateRefused(f"“{currency[:10]}” is no currency of ISO 4217 other than the euro.", attr="currency")
    if not 0 < per_euro < _LARGEST or per_euro != per_euro.quantize(rates.PLACES):
        raise RateRefused("A rate is above zero and has at most ten decimal places.", attr="per_euro")
    values = {"per_euro": per_euro, "set_by": by, "set_by_name": by.get_username(), "set_at": clock.now(), "days": 0}
    with transaction.atomic():
        rate, _ = MonthlyRate.objects.update_or_create(
            currency=currency, month=month.replace(day=1), source=RateSource.MANUAL, defaults=values
        )
        detail = {"currency": currency, "month": f"{month:%Y-%m}", "rate": f"{per_euro:f}"}
        audit.services.record(verbs.RATE_SET, actor=by, subject=f"{currency} {month:%Y-%m}", detail=detail)
    return rate


def remove_own(*, rate: MonthlyRate, by: User) -> None:
    """Let the central bank's average count again, if there is one."""
    with transaction.atomic():
        MonthlyRate.objects.filter(pk=rate.pk, source=RateSource.MANUAL).delete()
        detail = {"currency": rate.currency, "month": f"{rate.month:%Y-%m}"}
        audit.services.record(verbs.RATE_REMOVED, actor=by, subject=f"{rate.currency} {rate.month:%Y-%m}", detail=detail)
