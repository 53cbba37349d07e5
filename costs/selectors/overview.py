"""What the overview shows of costs, in few queries however many accounts there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import AnonymousUser

from accounts.models import User
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core import clock
from costs.rules import windows
from costs.rules.cubes import Dimension
from costs.rules.windows import DayRange
from costs.selectors import summary
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Question
from costs.selectors.scope import Part
from costs.selectors.summary import Summary

DAYS = 30


@dataclass(frozen=True, slots=True)
class Overview:
    """`months`: thirteen and the current one by service; `days`: the last thirty by service. `parts`: whose costs they are."""

    summary: Summary
    months: Answer
    days: Answer
    parts: Sequence[Part]


def overview(
    user: User | AnonymousUser, accounts: Sequence[str] = (), *, metric: Metric = Metric.UNBLENDED, currency: str | None = None
) -> Overview:
    """Raises MixedCurrencies, UnknownAccount."""
    reader = Reader(user, accounts)
    today = clock.today()
    by_service = (Dimension.SERVICE,)
    recent = DayRange(today - timedelta(days=DAYS - 1), windows.tomorrow(today))
    days = reader.answer(Question(recent, group_by=by_service, metric=metric, currency=currency))
    return Overview(
        summary=summary.summary(reader, metric=metric, currency=currency, recent=days),
        months=reader.answer(Question(windows.backfill(today), Granularity.MONTHLY, by_service, metric, currency=currency)),
        days=days,
        parts=reader.parts,
    )
