"""What was fetched of accounts that are disconnected now, and is kept under their names."""

from __future__ import annotations

from datetime import date, timedelta

from django.db.models import Max, Min

from accounts.models import AwsAccount, User
from accounts.selectors import hanging
from costs.models import CostMonthSlice, CostSource
from costs.rules.cubes import Cube
from costs.rules.windows import DayRange, first_of_month
from costs.selectors.costs import Reader


def months_kept(account: AwsAccount) -> DayRange | None:
    """From the first month of which costs are kept to the end of the last."""
    kept = CostMonthSlice.objects.filter(source__account=account, cube=Cube.TOTAL).aggregate(
        first=Min("month"), last=Max("month")
    )
    first, last = kept["first"], kept["last"]
    return DayRange(first, _until(account, last)) if first else None


def _until(account: AwsAccount, last: date) -> date:
    """Of the month in which the account was disconnected, the days until then."""
    end = first_of_month(last, months=1)
    return min(end, account.deleted_at.date() + timedelta(days=1)) if account.deleted_at else end


def reader(user: User, account: AwsAccount) -> Reader:
    """Answers from what was fetched with the disconnected account's own credentials, to those who manage accounts."""
    sources = CostSource.objects.filter(account=account, account__in=hanging.disconnected(user).order_by()).select_related(
        "account"
    )
    own = list(sources)
    for source in own:
        source.covered_by = None  # whoever tells its costs today, these are its own
    return Reader(user, sources=own)
