"""What is kept of an account that was disconnected: its costs by month and service, the runs, what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from accounts.models import AwsAccount, User
from cloudconsole.core import series
from cloudconsole.core.charts import StackedChart, largest
from cloudconsole.dashboard import spending
from costs.models import CostSnapshot
from costs.rules.cubes import Dimension
from costs.selectors import history, snapshots
from costs.selectors.questions import Answer, Granularity, Question
from resources.models import Operation
from resources.selectors import operations

RUNS_SHOWN = 25
OPERATIONS_SHOWN = 50
_NOT_FINAL = "Not final when it was last fetched."


@dataclass(frozen=True)
class History:
    """`charts`: one for each currency."""

    account: AwsAccount
    charts: tuple[StackedChart, ...]
    runs: Sequence[CostSnapshot]
    operations: Sequence[Operation]


def history_of(user: User, account: AwsAccount) -> History:
    """Of an account that is disconnected; empty for those who do not manage accounts."""
    runs = snapshots.of_disconnected(user).filter(source__account=account)[:RUNS_SHOWN]
    done = operations.of_disconnected(user).filter(account=account)[:OPERATIONS_SHOWN]
    return History(account, tuple(_charts(user, account)), list(runs), list(done))


def _charts(user: User, account: AwsAccount) -> list[StackedChart]:
    months = history.months_kept(account)
    if months is None:
        return []
    question = Question(months, Granularity.MONTHLY, (Dimension.SERVICE,))
    answers = history.reader(user, account).by_currency(question)
    title = "Costs by service" if len(answers) == 1 else "Costs by service, in {}"
    return [_chart(answer, title.format(answer.currency)) for answer in answers if spending.amounts_of(answer)]


def _chart(answer: Answer, title: str) -> StackedChart:
    colours = series.slots(largest(spending.amounts_of(answer)))
    drawn = spending.monthly(answer, name=f"kept-{(answer.currency or '').lower()}", title=title, colours=colours)
    periods = (replace(one, note=_NOT_FINAL) if one.state == "incomplete" else one for one in drawn.periods)
    return replace(drawn, periods=tuple(periods))
