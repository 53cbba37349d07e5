"""The truth of the simulated costs: every line item of every day, and what Cost Explorer shows of it at a given moment.

Pure functions of (seed, origin, day). Amounts are whole numbers of 1e-10 USD inside, so every sum is exact; `Amounts`
gives them as Decimals with ten places. `origin` is the day around which the story is told: sizes in the catalogue are
those of that day, the Bedrock burst happened nine days before it, the savings plan was bought seven months before it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from random import Random
from typing import NamedTuple

from cloudconsole.simulator import catalogue
from cloudconsole.simulator.catalogue import BEDROCK, EC2, EC2_OTHER, RDS, US
from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING

CURRENCY = "USD"
PLACES = 10
UNIT = 10_000_000_000  # one USD

GROWTH_PER_MONTH = 0.022
DISCOUNT_PERCENT = 6  # the enterprise discount
PLAN_HOURLY = 120 * UNIT // 100  # savings plan commitment, USD 1.20 an hour, half of it paid upfront
PLAN_DAILY = 24 * PLAN_HOURLY
RESERVED_DAILY = 1440 * UNIT // 100  # the reserved database, no upfront
CREDIT_DAILY = 2133 * UNIT // 100
SUPPORT_PERCENT = 7
TAX_PERCENT = 7

# The Bedrock burst: days after origin - 10, and USD on top of the usual.
BURST = {0: 190, 1: 165, 2: 95, 3: 60}

# How the support fee is shown per linked account. The shares leave 2 % to nobody: grouped by account, Cost Explorer
# shows less than the total (boto/boto3#2140).
SUPPORT_SHARES = {PRODUCTION: 62, STAGING: 21, DEVELOPMENT: 11, SANDBOX: 1, MANAGEMENT: 3}

# Thousandths of a day that have reached Cost Explorer after so many thirds of a day since its start.
SETTLING = (0, 150, 300, 520, 667, 780, 930, 950, 985)
_TICK = timedelta(hours=8)
_LATE_UNTIL = 4


class View(StrEnum):
    """Support is one charge to the payer, or prorated over the accounts; every other line is in both views."""

    CONSOLIDATED = "consolidated"
    PRORATED = "prorated"


class Costs(NamedTuple):
    """The five cost metrics in 1e-10 USD."""

    unblended: int
    blended: int
    amortized: int
    net_unblended: int
    net_amortized: int


NOTHING = Costs(0, 0, 0, 0, 0)


class Line(NamedTuple):
    """One line item of a day. `arrives` is when it is first seen; None means that it grows in like usage."""

    account: str
    service: str
    region: str
    record_type: str
    usage_type: str
    costs: Costs
    quantity: int = 0
    arrives: datetime | None = None
    view: View | None = None  # None: in both


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
        return _lines(self, day)

    def shown(self, day: date, as_of: datetime) -> Sequence[Line]:
        """What Cost Explorer shows for `day` at the moment `as_of`."""
        ticks = max(0, (as_of - _start_of(day)) // _TICK)
        lines = _lines(self, day)
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
        key_of = _KEYS[group_by] if group_by in _KEYS else _key_function(group_by)
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
}


def _key_function(group_by: tuple[str, ...]) -> Callable[[Line], tuple[str, ...]]:
    fields = [_FIELDS[name] for name in group_by]
    return lambda line: tuple(field(line) for field in fields)


_KEYS: dict[tuple[str, ...], Callable[[Line], tuple[str, ...]]] = {(): lambda line: ()}


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


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


# --- the lines of a day


@lru_cache(maxsize=1500)
def _lines(ledger: Ledger, day: date) -> tuple[Line, ...]:
    random = Random(f"{ledger.seed}/{day.isoformat()}")  # noqa: S311 - a story, not a secret
    usage = _blended(_usage(ledger, day, random))
    return (
        *usage,
        *_enterprise_discount(usage),
        *_savings_plan(ledger, day, random),
        *_reserved_database(ledger, day),
        *_credits(ledger, day),
        *_tax(ledger, day),
        *_support(ledger, day),
        *_refund(day),
    )


def _usage(ledger: Ledger, day: date, random: Random) -> list[Line]:
    growth = _growth(ledger, day)
    weekend = day.weekday() >= 5
    lines = []
    for use in catalogue.USAGE:
        factor, chance = 1 + use.noise * (2 * random.random() - 1), random.random()
        if day.weekday() not in use.days or chance > use.presence:
            continue
        dollars = use.daily * growth * factor * (use.weekend if weekend else 1) + _burst(ledger, day, use)
        price = round(dollars * UNIT)
        lines.append(_used(use, price, round(dollars / use.unit_price * UNIT)))
    return lines


def _used(use: catalogue.Usage, price: int, quantity: int) -> Line:
    net = price - _discount(price)
    costs = Costs(price, price, price, net, net)
    return Line(use.account, use.service, use.region, "Usage", use.usage_type, costs, quantity)


def _growth(ledger: Ledger, day: date) -> float:
    return max(0.4, 1 + GROWTH_PER_MONTH * (day - ledger.origin).days / 30)


def _burst(ledger: Ledger, day: date, use: catalogue.Usage) -> float:
    if (use.account, use.service) != (PRODUCTION, BEDROCK):
        return 0
    return BURST.get((day - ledger.origin).days + 10, 0)


def _blended(lines: list[Line]) -> list[Line]:
    """Blended rates: accounts that use the same thing in the same region pay its average price per unit."""
    groups: dict[tuple[str, str], list[int]] = {}
    for index, line in enumerate(lines):
        if line.service in catalogue.BLENDED:
            groups.setdefault((line.service, line.region), []).append(index)
    for members in groups.values():
        _average(lines, members)
    return lines


def _average(lines: list[Line], members: list[int]) -> None:
    cost = sum(lines[index].costs.unblended for index in members)
    quantity = sum(lines[index].quantity for index in members)
    left = cost
    for index in members[:-1]:
        share = cost * lines[index].quantity // quantity
        left -= share
        lines[index] = lines[index]._replace(costs=lines[index].costs._replace(blended=share))
    last = lines[members[-1]]
    lines[members[-1]] = last._replace(costs=last.costs._replace(blended=left))


def _enterprise_discount(usage: list[Line]) -> list[Line]:
    """The discount is a line of its own on two services; on the others only the net metrics know it."""
    return [
        Line(
            line.account, line.service, line.region, "Enterprise Discount Program Discount", line.usage_type,
            Costs(*(-_discount(line.costs.unblended),) * 3, 0, 0),
        )
        for line in usage
        if line.service in (EC2, RDS) and line.account in (PRODUCTION, STAGING)
    ]  # fmt: skip


def _discount(price: int) -> int:
    return price * DISCOUNT_PERCENT // 100


def plan_start(origin: date) -> date:
    """The day the savings plan was bought: the first of the month, seven months before the origin's month."""
    return _months_before(origin, 7)


def _savings_plan(ledger: Ledger, day: date, random: Random) -> list[Line]:
    """Covered usage at its on-demand price, its negation, and the fee; amortized, the commitment that was used.

    AWS cost management guide, "Understanding your Savings Plans in Cost and Usage Reports".
    """
    wanted = round(28.4 * (0.9 if day.weekday() >= 5 else 1) * (1 + 0.05 * random.random()) * UNIT)
    effective = min(PLAN_DAILY, wanted)
    on_demand = effective * 100 // 72
    net, net_effective = on_demand - _discount(on_demand), effective - _discount(effective)
    place = (PRODUCTION, EC2, US)
    if day < plan_start(ledger.origin):
        costs = Costs(on_demand, on_demand, on_demand, net, net)
        return [Line(*place, "Usage", "BoxUsage:m6i.4xlarge", costs, on_demand * 10)]
    covered = Costs(on_demand, on_demand, effective, net, net_effective)
    negated = Costs(-on_demand, -on_demand, 0, -net, 0)
    lines = [
        Line(*place, "SavingsPlanCoveredUsage", "BoxUsage:m6i.4xlarge", covered, on_demand * 10),
        Line(*place, "SavingsPlanNegation", "BoxUsage:m6i.4xlarge", negated),
        _plan_fee(day, "SavingsPlanRecurringFee", PLAN_DAILY // 2, PLAN_DAILY - effective),
    ]
    if (day.month, day.day) == (plan_start(ledger.origin).month, 1):
        lines.append(_plan_fee(day, "SavingsPlanUpfrontFee", PLAN_DAILY // 2 * 365, 0))
    return lines


def _plan_fee(day: date, record_type: str, paid: int, amortized: int) -> Line:
    net, net_amortized = paid - _discount(paid), amortized - _discount(amortized)
    return Line(
        MANAGEMENT, catalogue.SAVINGS_PLANS, catalogue.NO_REGION, record_type, "ComputeSP:1yrPartialUpfront",
        Costs(paid, paid, amortized, net, net_amortized), arrives=_start_of(day) + _TICK,
    )  # fmt: skip


def _reserved_database(ledger: Ledger, day: date) -> list[Line]:
    """A reserved instance: its usage costs nothing in cash and its share amortized; the fee comes on the 1st."""
    if day < _months_before(ledger.origin, 11):
        return []
    net = RESERVED_DAILY - _discount(RESERVED_DAILY)
    place = (PRODUCTION, RDS, US)
    lines = [Line(*place, "DiscountedUsage", "InstanceUsage:db.r6g.2xlarge", Costs(0, 0, RESERVED_DAILY, 0, net), 24 * UNIT)]
    if day.day == 1:
        fee = RESERVED_DAILY * (_next_month(day) - day).days
        net_fee = fee - _discount(fee)
        costs = Costs(fee, fee, 0, net_fee, 0)
        lines.append(Line(*place, "Recurring", "HeavyUsage:db.r6g.2xlarge", costs, arrives=_start_of(day) + _TICK))
    return lines


def _credits(ledger: Ledger, day: date) -> list[Line]:
    if day < _months_before(ledger.origin, 5):
        return []
    costs = Costs(*(-CREDIT_DAILY,) * 5)
    return [Line(PRODUCTION, EC2_OTHER, US, "Credit", "Activate-Credits", costs)]


def _tax(ledger: Ledger, day: date) -> list[Line]:
    """All of a month's tax lands on its 1st, estimated from the size of the account."""
    if day.day != 1:
        return []
    arrives = _start_of(day) + _TICK
    return [
        Line(account, catalogue.TAX, catalogue.NO_REGION, "Tax", "Tax", Costs(*(tax,) * 5), arrives=arrives)
        for account in SUPPORT_SHARES
        if (tax := _monthly_size(ledger, day, account) * TAX_PERCENT // 100)
    ]


def _monthly_size(ledger: Ledger, day: date, account: str) -> int:
    daily = sum(use.daily for use in catalogue.USAGE if use.account == account and len(use.days) == 7)
    return round(daily * 29 * _growth(ledger, day) * 10_000) * (UNIT // 10_000)


def support_arrives(month: date) -> datetime:
    """The fee of a month reaches the bill on the 7th of the next."""
    return _start_of(_next_month(month).replace(day=7)) + timedelta(hours=6)


def _support(ledger: Ledger, day: date) -> list[Line]:
    """One charge to the payer, dated on the month's last day; or its shares per account, which lose a little."""
    if (day + timedelta(days=1)).day != 1:
        return []
    fee = sum(_monthly_size(ledger, day, account) for account in SUPPORT_SHARES) * SUPPORT_PERCENT // 100
    whole = _support_line(day, MANAGEMENT, fee, View.CONSOLIDATED)
    shares = (_support_line(day, account, fee * share // 100, View.PRORATED) for account, share in SUPPORT_SHARES.items())
    return [whole, *shares]


def _support_line(day: date, account: str, fee: int, view: View) -> Line:
    return Line(
        account, catalogue.SUPPORT, catalogue.NO_REGION, "Support", "Dollar",
        Costs(*(fee,) * 5), arrives=support_arrives(day), view=view,
    )  # fmt: skip


def _refund(day: date) -> list[Line]:
    """Once a quarter, on the 9th, and seen only in the middle of the next month: after the bill was final."""
    if day.month % 3 or day.day != 9:
        return []
    arrives = _start_of(_next_month(day).replace(day=14))
    costs = Costs(*(-1840 * UNIT // 100,) * 5)
    place = (DEVELOPMENT, catalogue.CLOUDWATCH, catalogue.EU)
    return [Line(*place, "Refund", "EUC1-DataProcessing-Bytes", costs, arrives=arrives)]


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _next_month(day: date) -> date:
    return _months_before(day, -1)


def is_open(day: date, as_of: datetime) -> bool:
    """Whether the month of `day` is still open, which is what `Estimated` says."""
    return (day.year, day.month) >= (as_of.year, as_of.month)
