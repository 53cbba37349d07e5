"""Costs in several currencies: a total for each, never one over all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.models import AwsAccount
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange, first_of_month
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Question


@dataclass(frozen=True)
class CurrencyTotal:
    """What was billed in one currency, this month so far and in the whole month before, and to which accounts."""

    currency: str
    month_to_date: Decimal | None
    last_month: Decimal | None
    accounts: tuple[str, ...]


def totals(reader: Reader, accounts: Sequence[AwsAccount], days: DayRange, today: date) -> list[CurrencyTotal]:
    """One for each currency of `days`; `accounts` are called by their aliases, others by AWS's name."""
    this_month, last_month = first_of_month(today), first_of_month(today, months=-1)
    aliases = {account.account_id: account.alias for account in accounts}
    answers = reader.by_currency(Question(days, Granularity.MONTHLY, (Dimension.ACCOUNT,)))
    return [_total(answer, this_month, last_month, aliases) for answer in answers if answer.currency]


def _total(answer: Answer, this_month: date, last_month: date, aliases: Mapping[str, str]) -> CurrencyTotal:
    amounts = {period.start: period.total for period in answer.periods}
    groups = (group for period in answer.periods for group in period.groups)
    names = dict.fromkeys(aliases.get(group.keys[0], group.labels[0]) for group in groups)
    return CurrencyTotal(answer.currency or "", amounts.get(this_month), amounts.get(last_month), tuple(sorted(names)))
