"""The truth of the simulated costs: every line item of every day, and what Cost Explorer shows of it at a given moment.

Pure functions of (seed, origin, day). Amounts are whole numbers of 1e-10 USD inside, so every sum is exact; `Amounts`
gives them as Decimals with ten places. `origin` is the day around which the story is told: sizes in the catalogue are
those of that day, the Bedrock burst happened nine days before it, the savings plan was bought seven months before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from cloudconsole.simulator import catalogue
from cloudconsole.simulator.charges import TICK, Story, lines_of
from cloudconsole.simulator.line_items import NOTHING, PLACES, Costs, Line, View, start_of
from cloudconsole.simulator.organization import MANAGEMENT

CURRENCY = "USD"

# Thousandths of a day that have reached Cost Explorer after so many thirds of a day since its start.
SETTLING = (0, 150, 300, 520, 667, 780, 930, 950, 985)
_LATE_UNTIL = 4


@dataclass(frozen=True, slots=True)
class Amounts:
    """The five cost metrics in USD, exact to ten places."""

    unblended: Decimal
    blended: Decimal
    amortized: Decimal
    net_unblended: Decimal
    net_amortized: Decimal


@dataclass(frozen=True, slots=True)
class Ledger:
    seed: int
    origin: date

    def lines(self, day: date) -> tuple[Line, ...]:
        """Everything that will ever be charged for `day`."""
        return lines_of(Story(self.seed, self.origin), day)

    def shown(self, day: date, as_of: datetime) -> Sequence[Line]:
        """What Cost Explorer shows for `day` at the moment `as_of`."""
        ticks = max(0, (as_of - start_of(day)) // TICK)
        lines = self.lines(day)
        if ticks >= len(SETTLING):
            return [line for line in lines if line.arrives is None or line.arrives <= as_of]
        found = (_settled(line, ticks, as_of) for line in lines)
        return [line for line in found if line is not None]

    def totals(
        self, day: date, as_of: datetime, *, group_by: tuple[str, ...] = (), account: str = MANAGEMENT
    ) -> dict[tuple[str, ...], Amounts]:
        """One day as `account` would see it, by SERVICE, LINKED_ACCOUNT, REGION or RECORD_TYPE (at most two, or none).

        The payer sees every member; a member itself only. Keys are in the order of `group_by`; `()` is the total.
        """
        return {keys: amounts(costs) for keys, costs in self.sums([day], as_of, group_by, account).items()}

    def sums(
        self, days: Iterable[date], as_of: datetime, group_by: tuple[str, ...], account: str
    ) -> dict[tuple[str, ...], Costs]:
        """As `totals`, over several days and in whole numbers of 1e-10 USD."""
        key_of = _key_function(group_by)
        view = view_for(account, group_by)
        found: dict[tuple[str, ...], Costs] = {}
        for day in days:
            for line in visible_to(self.shown(day, as_of), account, view):
                keys = key_of(line)
                found[keys] = added(found.get(keys, NOTHING), line.costs)
        return found


def view_for(account: str, dimensions: Iterable[str]) -> View:
    """A question about linked accounts, or by one, sees support prorated."""
    return View.PRORATED if account != MANAGEMENT or "LINKED_ACCOUNT" in dimensions else View.CONSOLIDATED


def visible_to(lines: Iterable[Line], account: str, view: View) -> Iterable[Line]:
    everything = account == MANAGEMENT
    return (line for line in lines if (everything or line.account == account) and (line.view is None or line.view is view))


def amounts(costs: Costs) -> Amounts:
    return Amounts(*(usd(value) for value in costs))


def usd(value: int) -> Decimal:
    """Whole 1e-10 USD as a Decimal."""
    return Decimal(value).scaleb(-PLACES)


def added(first: Costs, second: Costs) -> Costs:
    return Costs(first[0] + second[0], first[1] + second[1], first[2] + second[2], first[3] + second[3], first[4] + second[4])


_FIELDS: dict[str, Callable[[Line], str]] = {
    "SERVICE": lambda line: line.service,
    "LINKED_ACCOUNT": lambda line: line.account,
    "REGION": lambda line: line.region,
    "RECORD_TYPE": lambda line: line.record_type,
    "USAGE_TYPE": lambda line: line.usage_type,
}


def _key_function(group_by: tuple[str, ...]) -> Callable[[Line], tuple[str, ...]]:
    fields = [_FIELDS[name] for name in group_by]
    return lambda line: tuple(field(line) for field in fields)


# --- how a day grows into Cost Explorer


def _settled(line: Line, ticks: int, as_of: datetime) -> Line | None:
    if line.arrives is not None:
        return line if line.arrives <= as_of else None
    if ticks == 0 or (line.service in catalogue.LATE and ticks < _LATE_UNTIL):
        return None
    share = SETTLING[ticks]
    costs = Costs(*(_part(value, share) for value in line.costs))
    return line._replace(costs=costs, quantity=_part(line.quantity, share))


def _part(value: int, thousandths: int) -> int:
    return value * thousandths // 1000


def is_open(day: date, as_of: datetime) -> bool:
    """Whether the month of `day` is still open, which is what `Estimated` says."""
    return (day.year, day.month) >= (as_of.year, as_of.month)
