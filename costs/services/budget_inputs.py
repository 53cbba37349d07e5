"""What a budget may be: everything a person or program says of one, checked before it is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from accounts.alerts import Severity
from accounts.models import AwsAccount, User
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.money import DECIMAL_PLACES, MAX_DIGITS
from cloudconsole.core.permissions import Perm
from costs.rules import budget_periods
from costs.rules.budget_periods import Every
from costs.rules.budgets import Limit, Unit
from costs.rules.charge_types import ChargeType
from costs.selectors import budget_figures, explorer
from costs.selectors.budget_figures import Readers
from costs.selectors.budgets import NotAllowed
from costs.selectors.costs import Reader
from costs.selectors.reports import Report

NAME_LENGTH = 80
THRESHOLDS = 20
PLANNED = 60
DEFAULT_CURRENCY = "USD"
_LARGEST = Decimal(10) ** (MAX_DIGITS - DECIMAL_PLACES)


class InvalidBudget(CloudconsoleError):
    """`attr` names the field it is about."""

    code = "invalid_budget"
    title = "This is no budget"


class NotStoredApart(InvalidBudget):
    """Stored costs cannot tell what the budget is narrowed to. `offers`: what they can tell, and is nearest to it."""

    code = "not_stored"
    title = "This combination has no exact answer"

    def __init__(self, offers: Sequence[Report]) -> None:
        self.offers = tuple(offers)
        words = "; ".join(_words(one) for one in offers)
        nearest = f" What can be told exactly: {words}." if words else ""
        super().__init__(
            f"AWS tells costs apart by at most two things at a time, and these are not stored together.{nearest}", attr="filters"
        )


@dataclass(frozen=True, slots=True)
class Threshold:
    limit: Limit
    severity: Severity = Severity.WARNING


@dataclass(frozen=True, slots=True)
class BudgetInput:
    """`report`: its filters, metric, charge types and currency are what is counted. `planned`: amounts of single periods, by
    their first day. `start` and `end` are half-open; empty: from the period of today on, without an end.
    """

    name: str
    report: Report
    amount: Decimal
    every: Every = Every.MONTHLY
    planned: tuple[tuple[date, Decimal], ...] = ()
    thresholds: tuple[Threshold, ...] = ()
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """An input without a fault, and what it covers."""

    given: BudgetInput
    start: date
    accounts: tuple[AwsAccount, ...]

    @property
    def counted(self) -> dict[str, object]:
        """The fields that say what is counted."""
        report = self.given.report
        return {
            "filters": [list(pair) for pair in report.filters],
            "charge_types": [one.value for one in report.charge_types],
            "metric": report.metric.value,
            "currency": report.currency,
        }


def check(given: BudgetInput, *, by: User, owner: User, today: date) -> Checked:
    """As `owner` counts it, who has to be somebody whose accounts `by` may make budgets for.

    Raises InvalidBudget, NotStoredApart, NotAllowed, and what a question about costs raises."""
    name = " ".join(given.name.split())
    if not name or len(name) > NAME_LENGTH:
        raise InvalidBudget(f"Give it a name of at most {NAME_LENGTH} characters.", attr="name")
    start = given.start or budget_periods.period_of(given.every, today).start
    if given.end is not None and given.end <= start:
        raise InvalidBudget("The last day lies before the first.", attr="end")
    _check_amounts(given)
    _check_thresholds(given.thresholds)
    counted, accounts = _check_report(given, by, owner)
    return Checked(replace(given, name=name, report=counted), start, accounts)


def _check_amounts(given: BudgetInput) -> None:
    _check_money(given.amount, "amount")
    if len(given.planned) > PLANNED or len({day for day, _ in given.planned}) < len(given.planned):
        raise InvalidBudget(f"At most {PLANNED} periods can have an amount of their own, each one.", attr="planned")
    for day, amount in given.planned:
        if budget_periods.period_of(given.every, day).start != day:
            raise InvalidBudget(f"No {given.every} period starts on {day}.", attr="planned")
        _check_money(amount, "planned")


def _check_money(amount: Decimal, attr: str) -> None:
    if not amount.is_finite() or amount <= 0:
        raise InvalidBudget("An amount is more than zero.", attr=attr)
    if amount >= _LARGEST or amount != round(amount, DECIMAL_PLACES):
        raise InvalidBudget("An amount has at most sixteen digits before and twelve after the point.", attr=attr)


def _check_thresholds(thresholds: Sequence[Threshold]) -> None:
    if len(thresholds) > THRESHOLDS:
        raise InvalidBudget(f"A budget has at most {THRESHOLDS} thresholds.", attr="thresholds")
    keys = [one.limit.key for one in thresholds]
    if len(set(keys)) < len(keys):
        raise InvalidBudget("Two thresholds are the same.", attr="thresholds")
    for one in thresholds:
        _check_money(one.limit.value, "thresholds")
        if one.limit.unit is Unit.PERCENT and one.limit.value > 1000:
            raise InvalidBudget("A threshold is at most 1,000 percent.", attr="thresholds")


def _check_report(given: BudgetInput, by: User, owner: User) -> tuple[Report, tuple[AwsAccount, ...]]:
    report = Report(
        group_by=(),
        metric=given.report.metric,
        charge_types=tuple(one for one in ChargeType if one in given.report.charge_types),
        filters=given.report.filters,
        currency=given.report.currency,
    )
    reader = Readers().of(owner, report)
    if not explorer.is_told(reader, report):
        raise NotStoredApart([one for one in explorer.offers(reader, report) if one != report])
    reading = budget_figures.read(reader, report, given.every)  # refuses names that are not known, and mixed currencies
    accounts = budget_figures.accounts_of(reader)
    _check_rights(by, accounts)
    counted = replace(report, currency=report.currency or reading.currency or DEFAULT_CURRENCY)
    return counted.with_values("account", _numbers(reader, counted)), tuple(accounts)


def _check_rights(by: User, accounts: Sequence[AwsAccount]) -> None:
    allowed = AwsAccount.objects.visible_to(by, Perm.COSTS_BUDGET).filter(pk__in=[account.pk for account in accounts])
    refused = {account.alias for account in accounts} - {account.alias for account in allowed}
    if refused:
        names = ", ".join(sorted(refused))
        raise NotAllowed(f"You may see the costs of {names}, but not make budgets for them. Narrow it to other accounts.")


def _numbers(reader: Reader, report: Report) -> list[str]:
    """The named accounts by their numbers, which stay when an account is renamed."""
    names = {name: source.account.account_id for source in reader.sources for name in source.account.names}
    return [names.get(value.strip().lower(), value) for value in report.values_of("account")]


def _words(report: Report) -> str:
    kept = sorted({name.replace("_", " ") for name, _ in report.filters} | ({"charge types"} if report.charge_types else set()))
    return f"only the filters on {' and '.join(kept)}" if kept else "no filter at all"
