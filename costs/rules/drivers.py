"""What made costs differ between two spans: service by account by region, as exactly as AWS's two-way answers tell.

Where a service has costs in one account only, its regions are that account's; where it has costs in one region only, that is the
region of each account. Everything else is told by account, without a region. Drivers and residual add up to the whole change.
The same goes for the values of a tag in the place of accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from cloudconsole.core.money import EXACT, ZERO, total
from costs.rules.cubes import Dimension

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
    """`key`: the account's number, or the tag's value, as `by` says. `region` is None where AWS does not tell it for this one;
    `regions` then are those of the service that moved most.
    """

    service: str
    key: str
    region: str | None
    cell: Cell
    regions: tuple[Part, ...] = ()
    usage_types: tuple[Part, ...] = ()
    by: Dimension = Dimension.ACCOUNT

    @property
    def account(self) -> str | None:
        return self.key if self.by == Dimension.ACCOUNT else None

    @property
    def tag_value(self) -> str | None:
        return None if self.by == Dimension.ACCOUNT else self.key


@dataclass(frozen=True, slots=True)
class Told:
    """Both spans by service and one more dimension."""

    before: Amounts
    after: Amounts
    by: Dimension = Dimension.ACCOUNT

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


def drivers(told: Told, by_region: Told | None, by_usage_type: Told | None) -> list[Driver]:
    """Everything that moved, the largest change first. `told`: by service and account, or by service and value of a tag."""
    found = [driver for service in told.services for driver in _of_service(service, told, by_region, by_usage_type)]
    moved = (driver for driver in found if driver.cell.change)
    return sorted(moved, key=lambda one: (-abs(one.cell.change), one.service, one.key, one.region or ""))


def _of_service(service: str, told: Told, by_region: Told | None, by_usage_type: Told | None) -> Iterable[Driver]:
    cells = told.of(service)
    regions = _agreeing(by_region, service, cells)
    usage_types = _largest(_agreeing(by_usage_type, service, cells))
    if len(cells) == 1 and regions:
        key = next(iter(cells))
        return [Driver(service, key, region, cell, (), usage_types, told.by) for region, cell in regions.items()]
    only = next(iter(regions)) if len(regions) == 1 else None
    evidence = () if only else _largest(regions)
    return [Driver(service, key, only, cell, evidence, usage_types, told.by) for key, cell in cells.items()]


def _agreeing(told: Told | None, service: str, cells: Mapping[str, Cell]) -> dict[str, Cell]:
    """The service's other dimension, where it adds up to what `cells` add up to; else it would mislead."""
    found = told.of(service) if told else {}
    return found if _sums(found.values()) == _sums(cells.values()) else {}


def _sums(cells: Iterable[Cell]) -> tuple[Decimal, Decimal]:
    told = list(cells)
    return total(cell.before or ZERO for cell in told), total(cell.after or ZERO for cell in told)


def _largest(cells: Mapping[str, Cell]) -> tuple[Part, ...]:
    parts = [Part(name, cell) for name, cell in cells.items() if cell.change]
    return tuple(sorted(parts, key=lambda part: (-abs(part.cell.change), part.name))[:EVIDENCE])


def rest(whole: Cell, told: Sequence[Driver]) -> Decimal:
    """The change that no driver tells."""
    return EXACT.subtract(whole.change, total(driver.cell.change for driver in told))
