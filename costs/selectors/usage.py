"""Daily usage of one or several bills by account and service, and by region and service: what anomalies are looked for in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from django.contrib.auth.models import AnonymousUser

from costs.models import CostSlice, CostSource
from costs.rules import usage
from costs.rules.cubes import Cube, Dimension
from costs.rules.usage import Bounds, DayCharges
from costs.rules.windows import DayRange
from costs.selectors import scope
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Question

_DAY = timedelta(days=1)
_BY_ACCOUNT = (Cube.ACCOUNT_SERVICE, Cube.SERVICE_RECORD_TYPE, Cube.ACCOUNT_RECORD_TYPE)
_BY_REGION = (Cube.REGION_SERVICE, Cube.SERVICE_RECORD_TYPE)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Whose usage of what: an account's, or a region's over all accounts."""

    account_number: str
    region: str
    service: str


@dataclass(frozen=True)
class Usage:
    """Amounts by series and day. On a complete day a series without an amount cost nothing; other days say nothing."""

    currency: str
    complete_by_account: Collection[date]
    complete_by_region: Collection[date]
    amounts: Mapping[Key, Mapping[date, Bounds]]

    def complete_for(self, key: Key) -> Collection[date]:
        return self.complete_by_region if key.region else self.complete_by_account


def of_source(source: CostSource, days: DayRange) -> list[Usage]:
    """What one bill tells, in each of its currencies; without accounts that count by themselves."""
    stored = _complete(source, days)
    if not stored:
        return []
    reader = Reader(AnonymousUser(), sources=[source])
    elsewhere = _counted_elsewhere(source)
    return [_usage(reader, days, currency, cubes, elsewhere) for currency, cubes in sorted(stored.items())]


def of_reader(reader: Reader, days: DayRange) -> list[Usage]:
    """The same of all that a person sees together, for days that are complete in every bill."""
    found = []
    for answer in reader.by_currency(Question(days)):
        if answer.currency is not None:
            complete = frozenset(period.start for period in answer.periods if period.complete)
            cubes: dict[int, Collection[date]] = dict.fromkeys({*_BY_ACCOUNT, *_BY_REGION}, complete)
            found.append(_usage(reader, days, answer.currency, cubes, frozenset()))
    return found


def _usage(
    reader: Reader, days: DayRange, currency: str, complete: Mapping[int, Collection[date]], elsewhere: Collection[str]
) -> Usage:
    by_account, by_region = _in_all(complete, _BY_ACCOUNT), _in_all(complete, _BY_REGION)
    has_regions = reader.tells({Dimension.SERVICE, Dimension.REGION})
    amounts: dict[Key, dict[date, Bounds]] = defaultdict(dict)
    for day, charges in _charges(reader, days, currency, has_regions=has_regions).items():
        if day in by_account:
            for (number, service), bounds in usage.by_account(charges).items():
                if number not in elsewhere:
                    amounts[Key(number, "", service)][day] = bounds
        if day in by_region:
            for (region, service), bounds in usage.by_region(charges).items():
                amounts[Key("", region, service)][day] = bounds
    return Usage(currency, by_account, by_region if has_regions else frozenset(), amounts)


def _charges(reader: Reader, days: DayRange, currency: str, *, has_regions: bool) -> dict[date, DayCharges]:
    reader.prepare(around=[Question(days, currency=currency)])
    by_account = _table(reader, days, currency, (Dimension.ACCOUNT, Dimension.SERVICE))
    by_type = _table(reader, days, currency, (Dimension.SERVICE, Dimension.RECORD_TYPE))
    by_account_type = _table(reader, days, currency, (Dimension.ACCOUNT, Dimension.RECORD_TYPE))
    by_region = _table(reader, days, currency, (Dimension.REGION, Dimension.SERVICE)) if has_regions else {}
    return {
        day: DayCharges(by_account.get(day, {}), by_type.get(day, {}), by_account_type.get(day, {}), by_region.get(day, {}))
        for day in (days.start + _DAY * number for number in range(days.days))
    }


Tables = dict[date, dict[tuple[str, str], Decimal]]


def _table(reader: Reader, days: DayRange, currency: str, group_by: tuple[Dimension, Dimension]) -> Tables:
    answer: Answer = reader.answer(Question(days, group_by=group_by, currency=currency))
    return {period.start: {(group.keys[0], group.keys[1]): group.amount for group in period.groups} for period in answer.periods}


def _in_all(complete: Mapping[int, Collection[date]], cubes: tuple[Cube, ...]) -> frozenset[date]:
    return frozenset.intersection(*(frozenset(complete.get(cube, ())) for cube in cubes))


def _complete(source: CostSource, days: DayRange) -> dict[str, dict[int, set[date]]]:
    """By currency and cube: the days that had settled when they were fetched."""
    slices = CostSlice.objects.filter(
        source=source, cube__in={*_BY_ACCOUNT, *_BY_REGION}, day__gte=days.start, day__lt=days.end, complete=True
    )
    found: dict[str, dict[int, set[date]]] = defaultdict(lambda: defaultdict(set))
    for currency, cube, day in slices.values_list("currency", "cube", "day"):
        found[currency][cube].add(day)
    return found


def _counted_elsewhere(source: CostSource) -> frozenset[str]:
    """Accounts that this bill names and that count by a bill of their own."""
    parts = scope.parts(list(CostSource.objects.counted().select_related("account", "covered_by__account")))
    return next((part.without for part in parts if part.source.pk == source.pk), frozenset())
