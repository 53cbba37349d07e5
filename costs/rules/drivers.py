"""What made costs differ between two spans: service by account by region, as exactly as AWS's two-way answers tell.

Where a service has costs in one account only, its regions are that account's; where it has costs in one region only, that is the
region of each account. Everything else is told by account, without a region. Drivers and residual add up to the whole change.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from cloudconsole.core.money import EXACT, ZERO, total

Amounts = Mapping[tuple[str, str], Decimal]
EVIDENCE = 3


class Kind(StrEnum):
    """What became of it."""

    NEW = "new"
    GONE = "gone"
    MORE = "more"
    LESS = "less"


@dataclass(frozen=True, slots=True)
class Cell:
    """What something cost in both spans; None where it did not occur at all."""

    before: Decimal | None
    after: Decimal | None

    @property
    def change(self) -> Decimal:
        return EXACT.subtract(self.after or ZERO, self.before or ZERO)

    @property
    def kind(self) -> Kind:
        if not self.before:
            return Kind.NEW
        if not self.after:
            return Kind.GONE
        return Kind.MORE if self.change > 0 else Kind.LESS


@dataclass(frozen=True, slots=True)
class Part:
    """A region or a usage type within a driver's service, over all accounts."""

    name: str
    cell: Cell


@dataclass(frozen=True, slots=True)
class Driver:
    """`region` is None where AWS does not tell it for this account; `regions` then are those of the service that moved most."""

    service: str
    account: str
    region: str | None
    cell: Cell
    regions: tuple[Part, ...] = ()
    usage_types: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """Both spans by service and one more dimension."""

    before: Amounts
    after: Amounts

    def of(self, service: str) -> dict[str, Cell]:
        return self._by_service.get(service, {})

    @property
    def services(self) -> Iterable[str]:
        return self._by_service

    _by_service: dict[str, dict[str, Cell]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found: dict[str, dict[str, Cell]] = {}
        for service, key in dict.fromkeys([*self.after, *self.before]):
            cell = Cell(self.before.get((service, key)), self.after.get((service, key)))
            found.setdefault(service, {})[key] = cell
        object.__setattr__(self, "_by_service", found)


def drivers(by_account: Told, by_region: Told | None, by_usage_type: Told | None) -> list[Driver]:
    """Everything that moved, the largest change first."""
    found = [driver for service in by_account.services for driver in _of_service(service, by_account, by_region, by_usage_type)]
    moved = (driver for driver in found if driver.cell.change)
    return sorted(moved, key=lambda one: (-abs(one.cell.change), one.service, one.account, one.region or ""))


def _of_service(service: str, by_account: Told, by_region: Told | None, by_usage_type: Told | None) -> Iterable[Driver]:
    accounts = by_account.of(service)
    regions = _agreeing(by_region, service, accounts)
    usage_types = _largest(_agreeing(by_usage_type, service, accounts))
    if len(accounts) == 1 and regions:
        account = next(iter(accounts))
        return [Driver(service, account, region, cell, (), usage_types) for region, cell in regions.items()]
    only = next(iter(regions)) if len(regions) == 1 else None
    evidence = () if only else _largest(regions)
    return [Driver(service, account, only, cell, evidence, usage_types) for account, cell in accounts.items()]


def _agreeing(told: Told | None, service: str, accounts: Mapping[str, Cell]) -> dict[str, Cell]:
    """The service's other dimension, where it adds up to what the accounts add up to; else it would mislead."""
    found = told.of(service) if told else {}
    return found if _sums(found.values()) == _sums(accounts.values()) else {}


def _sums(cells: Iterable[Cell]) -> tuple[Decimal, Decimal]:
    told = list(cells)
    return total(cell.before or ZERO for cell in told), total(cell.after or ZERO for cell in told)


def _largest(cells: Mapping[str, Cell]) -> tuple[Part, ...]:
    parts = [Part(name, cell) for name, cell in cells.items() if cell.change]
    return tuple(sorted(parts, key=lambda part: (-abs(part.cell.change), part.name))[:EVIDENCE])


def rest(whole: Cell, told: Sequence[Driver]) -> Decimal:
    """The change that no driver tells."""
    return EXACT.subtract(whole.change, total(driver.cell.change for driver in told))
