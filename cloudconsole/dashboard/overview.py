"""Everything the overview shows, ready to be drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import audit.selectors
from accounts.models import User
from accounts.scope import Scope
from audit.models import AuditEvent
from audit.selectors import EventFilter
from cloudconsole.core import clock
from cloudconsole.core.permissions import Perm
from cloudconsole.dashboard import health, spending
from cloudconsole.dashboard.health import AccountRow, Notice, Step
from cloudconsole.dashboard.kpis import Kpi, Mover, kpis, movers
from cloudconsole.dashboard.spending import Charts
from costs.models import CostSnapshot, CostSource
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange, first_of_month
from costs.selectors import snapshots, sources
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Question
from costs.selectors.summary import Summary, summary
from resources.models import Operation
from resources.selectors import operations
from resources.selectors.overview import WhatRuns, what_runs

DAYS_SHOWN = 30
MONTHS_SHOWN = 13
EVENTS_SHOWN = 7
ACCOUNTS_SHOWN = 8
OPERATIONS_SHOWN = 8
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Spending:
    """What the cost selectors say about the accounts in scope."""

    summary: Summary
    by_service_daily: Answer
    by_service_monthly: Answer
    by_account_daily: Answer


@dataclass(frozen=True)
class Overview:
    """`steps` are shown instead of figures while there are none; `figures` holds those exactly, for programs."""

    month: str
    as_of: datetime | None
    may_refresh: bool
    kpis: list[Kpi]
    charts: Charts | None
    movers: list[Mover]
    accounts: list[AccountRow]
    account_count: int
    running: list[CostSnapshot]
    operations: list[Operation]
    runs: WhatRuns | None
    activity: list[AuditEvent]
    notices: list[Notice]
    steps: list[Step]
    figures: Spending | None

    @property
    def steps_done(self) -> int:
        return sum(step.done for step in self.steps)


def overview(user: User, shown: Scope) -> Overview:
    """The page for the accounts in `shown`. Raises what cost selectors raise (several currencies, for one)."""
    today = clock.today()
    # All of them: a bill that was never read may hold costs of any account.
    visible = list(sources.visible(user))
    in_scope = {account.pk for account in shown.accounts}
    known = [source for source in visible if source.account_id in in_scope]
    running = list(snapshots.visible(user).open().filter(source__account__in=shown.accounts))
    spent = _spending(user, shown, visible, today) if known else None
    figures = spent if spent and _is_known(spent.by_service_monthly, known) else None
    by_account = spent.by_account_daily if spent else None
    misses = health.misses_accounts(visible)
    rows = shown.accounts[:ACCOUNTS_SHOWN]
    return Overview(
        month=f"{today:%B %Y}",
        as_of=health.as_of(known) if figures else None,
        may_refresh=sources.any_refreshable(known),
        kpis=kpis(figures.summary) if figures else [],
        charts=_charts(figures, misses_accounts=misses) if figures else None,
        movers=movers(figures.summary) if figures else [],
        accounts=health.account_rows(
            rows, {source.account_id: source for source in known}, by_account, first_of_month(today), misses_accounts=misses
        ),
        account_count=len(shown.accounts),
        running=running,
        operations=list(operations.open_on(user, shown.accounts)[:OPERATIONS_SHOWN]) if shown.accounts else [],
        runs=what_runs(user, shown.accounts) if shown.accounts else None,
        activity=_activity(user, shown),
        notices=health.notices(shown.accounts, known),
        steps=[]
        if figures or shown.narrowed
        else health.first_steps(shown.accounts, may_add=user.may(Perm.ACCOUNTS_MANAGE), is_fetching=bool(running)),
        figures=figures,
    )


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


def _charts(figures: Spending, *, misses_accounts: bool) -> Charts:
    return spending.charts(figures.by_service_daily, figures.by_service_monthly, misses_accounts=misses_accounts)


def _spending(user: User, shown: Scope, visible: Sequence[CostSource], today: date) -> Spending:
    reader = Reader(user, tuple(str(account.pk) for account in shown.accounts) if shown.narrowed else (), sources=visible)
    days = DayRange(today - _DAY * (DAYS_SHOWN - 1), today + _DAY)
    months = DayRange(first_of_month(today, months=1 - MONTHS_SHOWN), today + _DAY)
    since = DayRange(min(days.start, first_of_month(today)), today + _DAY)
    by_service_daily = reader.answer(Question(days, Granularity.DAILY, (Dimension.SERVICE,)))
    return Spending(
        summary(reader, recent=by_service_daily),
        by_service_daily,
        reader.answer(Question(months, Granularity.MONTHLY, (Dimension.SERVICE,))),
        reader.answer(Question(since, Granularity.DAILY, (Dimension.ACCOUNT,))),
    )
