"""Everything the overview shows, ready to be drawn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

import audit.selectors
from accounts.models import User
from accounts.scope import Scope
from audit.models import AuditEvent
from audit.selectors import EventFilter
from cloudconsole.core import clock
from cloudconsole.core.charts import StackedChart
from cloudconsole.core.permissions import Perm
from cloudconsole.dashboard import currencies, health, spending
from cloudconsole.dashboard.anomalies import Unusual, going_on
from cloudconsole.dashboard.currencies import CurrencyTotal
from cloudconsole.dashboard.health import AccountRow, Notice, Step
from cloudconsole.dashboard.kpis import Kpi, Mover, kpis, movers
from cloudconsole.dashboard.spending import Charts
from costs.models import CostSnapshot, CostSource, Recommendation
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange, first_of_month
from costs.selectors import budgets, explorer, recommendations, snapshots, sources
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, MixedCurrencies, Question
from costs.selectors.recommendations import Totals
from costs.selectors.reports import Report
from costs.selectors.summary import Summary, by_record_type, days_read, summary
from costs.views import pace_bars
from costs.views.pace_bars import Line
from expenses.selectors import total_spend
from expenses.selectors.total_spend import TotalSpend
from expenses.views import spend
from resources.models import Operation, Quota
from resources.selectors import operations, quotas
from resources.selectors.overview import WhatRuns, what_runs

DAYS_SHOWN = 30
MONTHS_SHOWN = 13
EVENTS_SHOWN = 7
BUDGETS_SHOWN = 5
ACCOUNTS_SHOWN = 8
OPERATIONS_SHOWN = 8
SAVINGS_SHOWN = 3
QUOTAS_SHOWN = 5
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spending:
    """What the cost selectors say about the accounts in scope."""

    summary: Summary
    by_service_daily: Answer
    by_service_monthly: Answer


@dataclass(frozen=True)
class Savings:
    """What could be saved, for each currency, and the recommendations that are worth most."""

    totals: Totals
    top: list[Recommendation]


@dataclass(frozen=True)
class Overview:
    """`steps` are shown instead of figures while there are none; `figures` holds those exactly, for programs.

    `total`: cloud and expenses together, where somebody entered expenses and the scope is not narrowed.

    `currencies`: more than one only where costs are in several; figures are then those of `currency`, if one was chosen.
    """

    month: str
    as_of: datetime | None
    may_refresh: bool
    kpis: list[Kpi]
    charts: Charts | None
    movers: list[Mover]
    anomalies: list[Unusual]
    savings: Savings | None
    quotas: list[Quota]
    accounts: list[AccountRow]
    account_count: int
    running: list[CostSnapshot]
    operations: list[Operation]
    runs: WhatRuns | None
    activity: list[AuditEvent]
    notices: list[Notice]
    budgets: list[Line]
    may_budget: bool
    total: TotalSpend | None
    total_chart: StackedChart | None
    steps: list[Step]
    figures: Spending | None
    currencies: list[CurrencyTotal]
    currency: str

    @property
    def steps_done(self) -> int:
        return sum(step.done for step in self.steps)


def overview(user: User, shown: Scope, currency: str = "") -> Overview:
    """The page for the accounts in `shown`; `currency` chooses among several. Raises what cost selectors raise."""
    today = clock.today()
    # All of them: a bill that was never read may hold costs of any account.
    visible = list(sources.visible(user))
    in_scope = {account.pk for account in shown.accounts}
    known = [source for source in visible if source.account_id in in_scope]
    running = list(snapshots.visible(user).open().filter(source__in=known)) if sources.any_fetched(known) else []
    read = _read(user, shown, visible, currency) if known else _NOTHING
    spent = read.spending
    figures = spent if spent and _is_known(spent.by_service_monthly, known) else None
    misses = health.misses_accounts(visible)
    rows = shown.accounts[:ACCOUNTS_SHOWN]
    total = total_spend.beside(user, figures.by_service_monthly) if figures and not shown.narrowed else None
    promised = budgets.overview(user, shown.accounts if shown.narrowed else None, BUDGETS_SHOWN)
    return Overview(
        month=f"{today:%B %Y}",
        as_of=health.as_of(known) if figures or read.currencies else None,
        may_refresh=sources.any_refreshable(known),
        kpis=kpis(figures.summary) if figures else [],
        charts=_charts(figures, _into(user, shown, visible, currency if read.currencies else ""), misses_accounts=misses)
        if figures
        else None,
        movers=movers(figures.summary) if figures else [],
        anomalies=going_on(user, shown) if known else [],
        savings=_savings(user, shown),
        quotas=quotas.near_their_limit(user, shown.accounts, QUOTAS_SHOWN) if shown.accounts else [],
        accounts=health.account_rows(
            rows, {source.account_id: source for source in known}, read.by_account, first_of_month(today), misses_accounts=misses
        ),
        account_count=len(shown.accounts),
        running=running,
        operations=list(operations.open_on(user, shown.accounts)[:OPERATIONS_SHOWN]) if shown.accounts else [],
        runs=what_runs(user, shown.accounts) if shown.accounts else None,
        activity=_activity(user, shown),
        notices=health.notices(shown.accounts, known),
        budgets=[pace_bars.line(one) for one in promised],
        may_budget=user.may(Perm.COSTS_BUDGET),
        total=total,
        total_chart=spend.chart(total.course) if total else None,
        steps=[]
        if figures or read.currencies or shown.narrowed
        else health.first_steps(
            shown.accounts, may_add=user.may(Perm.ACCOUNTS_MANAGE), is_fetching=bool(running), has_budget=bool(promised)
        ),
        figures=figures,
        currencies=read.currencies,
        currency=figures.summary.currency or "" if figures else "",
    )


def _savings(user: User, shown: Scope) -> Savings | None:
    """None where nothing is recommended."""
    totals, top = recommendations.top(user, shown.accounts, SAVINGS_SHOWN)
    return Savings(totals, top) if top else None


def _activity(user: User, shown: Scope) -> list[AuditEvent]:
    """The last events of the accounts in scope; of everything when the scope is not narrowed."""
    if shown.narrowed and not shown.accounts:
        return []
    accounts = tuple(str(account.pk) for account in shown.accounts) if shown.narrowed else ()
    return list(audit.selectors.events(user, EventFilter(accounts=accounts))[:EVENTS_SHOWN])


def _is_known(answer: Answer, sources: Sequence[CostSource]) -> bool:
    """Whether anything was fetched of these accounts: no cost at all of accounts never asked is unknown, not zero."""
    asked = any(source.fresh_at or source.covered_by_id for source in sources)
    return answer.total is not None and (asked or any(period.groups for period in answer.periods))


def _charts(figures: Spending, into: Callable[[str], Report], *, misses_accounts: bool) -> Charts:
    return spending.charts(figures.by_service_daily, figures.by_service_monthly, misses_accounts=misses_accounts, into=into)


def _into(user: User, shown: Scope, visible: Sequence[CostSource], currency: str) -> Callable[[str], Report]:
    """Where a service leads: to what stored costs tell about it in this scope."""
    report = _report(shown, currency)
    return explorer.drilled(explorer.reader_for(user, report, sources=visible), report, Dimension.SERVICE)


def _report(shown: Scope, currency: str) -> Report:
    """What the page shows, for the explorer to go on with."""
    return Report(currency=currency or None).with_values(
        "account", [account.alias for account in shown.accounts] if shown.narrowed else []
    )


@dataclass(frozen=True)
class _Read:
    """`spending` is None where several currencies wait for a choice; `by_account` has an answer for each of them."""

    spending: Spending | None
    by_account: tuple[Answer, ...]
    currencies: list[CurrencyTotal]


_NOTHING = _Read(None, (), [])


def _read(user: User, shown: Scope, visible: Sequence[CostSource], currency: str) -> _Read:
    today = clock.today()
    reader = Reader(user, tuple(str(account.pk) for account in shown.accounts) if shown.narrowed else (), sources=visible)
    by_account = _by_account(shown, today)
    try:
        spent = _spending(reader, today, None, by_account)
    except MixedCurrencies:
        totals = currencies.totals(reader, shown.accounts, _months(today), today)
        is_chosen = currency in {total.currency for total in totals}
        chosen = _spending(reader, today, currency) if is_chosen else None
        return _Read(chosen, reader.by_currency(by_account), totals)
    return _Read(spent, (reader.answer(by_account),), [])


def _spending(reader: Reader, today: date, currency: str | None, *besides: Question) -> Spending:
    """`besides`: what else is asked, to be read with it in one query."""
    days = DayRange(today - _DAY * (DAYS_SHOWN - 1), today + _DAY)
    whole = DayRange(min(days.start, days_read(today).start), days.end)
    by_day = Question(days, Granularity.DAILY, (Dimension.SERVICE,), currency=currency)
    by_month = Question(_months(today), Granularity.MONTHLY, (Dimension.SERVICE,), currency=currency)
    asked = (by_day, by_month, by_record_type(today, currency=currency), *besides)
    reader.prepare(*asked, around=[replace(by_day, days=whole), by_month])
    by_service_daily = reader.answer(by_day)
    return Spending(summary(reader, recent=by_service_daily, currency=currency), by_service_daily, reader.answer(by_month))


def _months(today: date) -> DayRange:
    return DayRange(first_of_month(today, months=1 - MONTHS_SHOWN), today + _DAY)


def _by_account(shown: Scope, today: date) -> Question:
    """The days of the accounts that have a row; those of the others come as one group."""
    numbers = frozenset(account.account_id for account in shown.accounts[:ACCOUNTS_SHOWN])
    since = min(today - _DAY * (DAYS_SHOWN - 1), first_of_month(today))
    return Question(DayRange(since, today + _DAY), Granularity.DAILY, (Dimension.ACCOUNT,), told=numbers)
