"""Everything that is charged on a day: usage and its habits, discounts, commitments, credits, tax, support, refunds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from random import Random

from cloudconsole.simulator import catalogue, cost_tags
from cloudconsole.simulator.catalogue import BEDROCK, EC2, EC2_OTHER, RDS, US
from cloudconsole.simulator.line_items import UNIT, Costs, Line, View, start_of
from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT, PRODUCTION, SANDBOX, STAGING

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


TICK = timedelta(hours=8)  # Cost Explorer is brought up to date three times a day


@dataclass(frozen=True, slots=True)
class Story:
    """What all figures follow from."""

    seed: int
    origin: date


@lru_cache(maxsize=1500)
def lines_of(story: Story, day: date) -> tuple[Line, ...]:
    random = Random(f"{story.seed}/{day.isoformat()}")  # noqa: S311 - a story, not a secret
    usage = _blended(_usage(story, day, random))
    lines = (
        *usage,
        *_enterprise_discount(usage),
        *_savings_plan(story, day, random),
        *_reserved_database(story, day),
        *_credits(story, day),
        *_tax(story, day),
        *_support(story, day),
        *_refund(day),
    )
    return tuple(line._replace(tags=cost_tags.carried(story.origin, line, day)) for line in lines)


def _usage(story: Story, day: date, random: Random) -> list[Line]:
    growth = _growth(story, day)
    weekend = day.weekday() >= 5
    lines = []
    for use in catalogue.USAGE:
        factor, chance = 1 + use.noise * (2 * random.random() - 1), random.random()
        if day.weekday() not in use.days or chance > use.presence:
            continue
        dollars = use.daily * growth * factor * (use.weekend if weekend else 1) + _burst(story, day, use)
        price = round(dollars * UNIT)
        lines.append(_used(use, price, round(dollars / use.unit_price * UNIT)))
    return lines


def _used(use: catalogue.Usage, price: int, quantity: int) -> Line:
    net = price - _discount(price)
    costs = Costs(price, price, price, net, net)
    return Line(use.account, use.service, use.region, "Usage", use.usage_type, costs, quantity)


def _growth(story: Story, day: date) -> float:
    return max(0.4, 1 + GROWTH_PER_MONTH * (day - story.origin).days / 30)


def _burst(story: Story, day: date, use: catalogue.Usage) -> float:
    if (use.account, use.service) != (PRODUCTION, BEDROCK):
        return 0
    return BURST.get((day - story.origin).days + 10, 0)


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


def _savings_plan(story: Story, day: date, random: Random) -> list[Line]:
    """Covered usage at its on-demand price, its negation, and the fee; amortized, the commitment that was used.

    AWS cost management guide, "Understanding your Savings Plans in Cost and Usage Reports".
    """
    wanted = round(28.4 * (0.9 if day.weekday() >= 5 else 1) * (1 + 0.05 * random.random()) * UNIT)
    effective = min(PLAN_DAILY, wanted)
    on_demand = effective * 100 // 72
    net, net_effective = on_demand - _discount(on_demand), effective - _discount(effective)
    place = (PRODUCTION, EC2, US)
    if day < plan_start(story.origin):
        costs = Costs(on_demand, on_demand, on_demand, net, net)
        return [Line(*place, "Usage", "BoxUsage:m6i.4xlarge", costs, on_demand * 10)]
    covered = Costs(on_demand, on_demand, effective, net, net_effective)
    negated = Costs(-on_demand, -on_demand, 0, -net, 0)
    lines = [
        Line(*place, "SavingsPlanCoveredUsage", "BoxUsage:m6i.4xlarge", covered, on_demand * 10),
        Line(*place, "SavingsPlanNegation", "BoxUsage:m6i.4xlarge", negated),
        _plan_fee(day, "SavingsPlanRecurringFee", PLAN_DAILY // 2, PLAN_DAILY - effective),
    ]
    if (day.month, day.day) == (plan_start(story.origin).month, 1):
        lines.append(_plan_fee(day, "SavingsPlanUpfrontFee", PLAN_DAILY // 2 * 365, 0))
    return lines


def _plan_fee(day: date, record_type: str, paid: int, amortized: int) -> Line:
    net, net_amortized = paid - _discount(paid), amortized - _discount(amortized)
    return Line(
        MANAGEMENT, catalogue.SAVINGS_PLANS, catalogue.NO_REGION, record_type, "ComputeSP:1yrPartialUpfront",
        Costs(paid, paid, amortized, net, net_amortized), arrives=start_of(day) + TICK,
    )  # fmt: skip


def _reserved_database(story: Story, day: date) -> list[Line]:
    """A reserved instance: its usage costs nothing in cash and its share amortized; the fee comes on the 1st."""
    if day < _months_before(story.origin, 11):
        return []
    net = RESERVED_DAILY - _discount(RESERVED_DAILY)
    place = (PRODUCTION, RDS, US)
    lines = [Line(*place, "DiscountedUsage", "InstanceUsage:db.r6g.2xlarge", Costs(0, 0, RESERVED_DAILY, 0, net), 24 * UNIT)]
    if day.day == 1:
        fee = RESERVED_DAILY * (_next_month(day) - day).days
        net_fee = fee - _discount(fee)
        costs = Costs(fee, fee, 0, net_fee, 0)
        lines.append(Line(*place, "Recurring", "HeavyUsage:db.r6g.2xlarge", costs, arrives=start_of(day) + TICK))
    return lines


def _credits(story: Story, day: date) -> list[Line]:
    if day < _months_before(story.origin, 5):
        return []
    costs = Costs(*(-CREDIT_DAILY,) * 5)
    return [Line(PRODUCTION, EC2_OTHER, US, "Credit", "Activate-Credits", costs)]


def _tax(story: Story, day: date) -> list[Line]:
    """All of a month's tax lands on its 1st, estimated from the size of the account."""
    if day.day != 1:
        return []
    arrives = start_of(day) + TICK
    return [
        Line(account, catalogue.TAX, catalogue.NO_REGION, "Tax", "Tax", Costs(*(tax,) * 5), arrives=arrives)
        for account in SUPPORT_SHARES
        if (tax := _monthly_size(story, day, account) * TAX_PERCENT // 100)
    ]


def _monthly_size(story: Story, day: date, account: str) -> int:
    daily = sum(use.daily for use in catalogue.USAGE if use.account == account and len(use.days) == 7)
    return round(daily * 29 * _growth(story, day) * 10_000) * (UNIT // 10_000)


def support_arrives(month: date) -> datetime:
    """The fee of a month reaches the bill on the 7th of the next."""
    return start_of(_next_month(month).replace(day=7)) + timedelta(hours=6)


def _support(story: Story, day: date) -> list[Line]:
    """One charge to the payer, dated on the month's last day; or its shares per account, which lose a little."""
    if (day + timedelta(days=1)).day != 1:
        return []
    fee = sum(_monthly_size(story, day, account) for account in SUPPORT_SHARES) * SUPPORT_PERCENT // 100
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
    arrives = start_of(_next_month(day).replace(day=14))
    costs = Costs(*(-1840 * UNIT // 100,) * 5)
    place = (DEVELOPMENT, catalogue.CLOUDWATCH, catalogue.EU)
    return [Line(*place, "Refund", "EUC1-DataProcessing-Bytes", costs, arrives=arrives)]


def _months_before(day: date, months: int) -> date:
    number = day.year * 12 + day.month - 1 - months
    return date(number // 12, number % 12 + 1, 1)


def _next_month(day: date) -> date:
    return _months_before(day, -1)
