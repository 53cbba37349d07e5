"""Bills of a hundred complete days with unusual ones among them, told straight to the services that store costs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.test import Client

from accounts.models import User
from costs.models import CostAnomaly, CostSource
from costs.rules.cubes import Cube
from costs.services import anomalies
from costs.tests import books

LAST = date(2026, 11, 15)  # the newest complete day of books.TODAY
FIRST = LAST - timedelta(days=100)
NUMBER = "111111111111"
EC2, LAMBDA = "Amazon Elastic Compute Cloud - Compute", "AWS Lambda"
DAYS = [FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1)]

Costs = Mapping[tuple[str, str, str, str], Decimal | int]  # (account, service, region, record type) → amount

_KEYS: dict[Cube, Callable[[tuple[str, str, str, str]], tuple[str, ...]]] = {
    Cube.TOTAL: lambda key: (),
    Cube.SERVICE_RECORD_TYPE: lambda key: (key[1], key[3]),
    Cube.ACCOUNT_SERVICE: lambda key: (key[0], key[1]),
    Cube.REGION_SERVICE: lambda key: (key[2], key[1]),
    Cube.ACCOUNT_RECORD_TYPE: lambda key: (key[0], key[3]),
}


def tell(source: CostSource, days: Mapping[date, Costs], currency: str = "USD") -> None:
    """Store these costs in every cube that is judged."""
    for cube, key_of in _KEYS.items():
        told: dict[date, dict[tuple[str, ...], Any]] = {}
        for day, costs in days.items():
            sums: dict[tuple[str, ...], Decimal] = {}
            for key, amount in costs.items():
                sums[key_of(key)] = sums.get(key_of(key), Decimal(0)) + amount
            told[day] = {keys: books.amounts(amount) for keys, amount in sums.items()}
        books.store(source, cube, books.answer(told, currency=currency))


def usage(amount: Decimal | int, service: str = EC2, account: str = NUMBER, region: str = "us-east-1") -> dict[Any, Any]:
    return {(account, service, region, "Usage"): amount}


def usual(**spikes: int) -> dict[date, Costs]:
    """A hundred a day; `spikes` by days before the last."""
    days: dict[date, Costs] = {day: usage(100) for day in DAYS}
    for name, amount in spikes.items():
        days[LAST - timedelta(days=int(name[1:]))] = usage(amount)
    return days


def judged(source: CostSource) -> list[CostAnomaly]:
    anomalies.judge(source_id=source.pk)
    return list(CostAnomaly.objects.order_by("pk"))


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def lasting(days: int) -> dict[date, Costs]:
    return {day: usage(300 if day > LAST - timedelta(days=days) else 100) for day in DAYS}
