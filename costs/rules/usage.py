"""What was charged for usage alone, by account and service, although AWS tells record types beside only one of the two.

Of each record type that is no usage, three sums are known for a day: what the service was charged over all accounts, what the
account was charged over all services, and the whole. They leave a lowest and a highest amount for the account's share in the
service (the Fréchet bounds of a table whose margins are known), which meet wherever one account or one service stands alone.
Nothing is guessed between them: whoever compares two days takes the bound that makes the difference smaller.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudconsole.core.money import EXACT, ZERO, total
from costs.rules import charge_types
from costs.rules.charge_types import ChargeType

Table = Mapping[tuple[str, str], Decimal]


@dataclass(frozen=True, slots=True)
class Bounds:
    """The amount lies between them, both included; where they meet it is exact."""

    low: Decimal
    high: Decimal

    @property
    def is_exact(self) -> bool:
        return self.low == self.high


NOTHING = Bounds(ZERO, ZERO)


@dataclass(frozen=True, slots=True)
class DayCharges:
    """One day as its cubes tell it; AWS charges each record type in one direction, so the amounts of one have one sign."""

    by_account: Table  # (account, service)
    by_type: Table  # (service, record type)
    by_account_type: Table  # (account, record type)
    by_region: Table  # (region, service)


def by_account(day: DayCharges) -> dict[tuple[str, str], Bounds]:
    """Usage by (account, service), of services that were used that day."""
    others, wholes = _other_charges(day), _wholes(day)
    found = {}
    for (account, service), amount in day.by_account.items():
        if service not in others:
            continue
        shares = [
            share(column, day.by_account_type.get((account, kind), ZERO), wholes[kind])
            for kind, column in others[service].items()
        ]
        found[account, service] = _without(amount, shares)
    return found


def by_region(day: DayCharges) -> dict[tuple[str, str], Bounds]:
    """Usage by (region, service). AWS tells no record types by region: a share is anything up to the service's whole."""
    others = _other_charges(day)
    regions: dict[str, int] = defaultdict(int)
    for _, service in day.by_region:
        regions[service] += 1
    found = {}
    for (region, service), amount in day.by_region.items():
        if service not in others:
            continue
        columns = others[service].values()
        alone = regions[service] == 1
        shares = [Bounds(column, column) if alone else Bounds(min(ZERO, column), max(ZERO, column)) for column in columns]
        found[region, service] = _without(amount, shares)
    return found


def share(column: Decimal, row: Decimal, whole: Decimal) -> Bounds:
    """What lies in both `column` and `row`, parts of the same `whole` in which all amounts have one sign."""
    if whole < ZERO:
        mirrored = share(-column, -row, -whole)
        return Bounds(-mirrored.high, -mirrored.low)
    if min(column, row) < ZERO:  # against the rule; then all that is known is that it is no more than either
        return Bounds(min(ZERO, column, row), max(ZERO, column, row))
    overlap = EXACT.subtract(EXACT.add(column, row), whole)
    return Bounds(max(ZERO, overlap), min(column, row))


def _other_charges(day: DayCharges) -> dict[str, dict[str, Decimal]]:
    """By service that was used: what it was charged that is no usage, by record type."""
    used = {service for service, kind in day.by_type if charge_types.classify(kind) is ChargeType.USAGE}
    found: dict[str, dict[str, Decimal]] = {service: {} for service in used}
    for (service, kind), amount in day.by_type.items():
        if service in used and amount and charge_types.classify(kind) is not ChargeType.USAGE:
            found[service][kind] = amount
    return found


def _wholes(day: DayCharges) -> dict[str, Decimal]:
    """Each record type's whole; where the two groupings disagree, the one that leaves more open."""
    first, second = _sums(day.by_type), _sums(day.by_account_type)
    kinds = {**first, **second}
    return {kind: max(first.get(kind, ZERO), second.get(kind, ZERO), key=abs) for kind in kinds}


def _sums(table: Table) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for (_, kind), amount in table.items():
        found[kind] = EXACT.add(found.get(kind, ZERO), amount)
    return found


def _without(amount: Decimal, shares: Iterable[Bounds]) -> Bounds:
    told = list(shares)
    return Bounds(EXACT.subtract(amount, total(one.high for one in told)), EXACT.subtract(amount, total(one.low for one in told)))
