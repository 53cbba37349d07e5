"""What an account's own page says of its costs: whether they can be read, how fresh they are, what they are this month."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from cloudconsole.core.money import ZERO
from cloudconsole.dashboard.health import LOST
from cloudconsole.dashboard.states import state_of
from costs.models import REQUEST_PRICE, CostSource
from costs.rules.windows import DayRange, first_of_month
from costs.selectors import sources
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Question
from costs.services.sources import CAPABILITY

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class AccountCosts:
    """`source` None: nobody fetches them, and `reason` says why. `payer`: whose bill holds them, if the reader may see it."""

    account: AwsAccount
    source: CostSource | None
    reason: str = ""
    payer: AwsAccount | None = None
    this_month: tuple[Answer, ...] = ()  # one for each currency

    @property
    def is_covered(self) -> bool:
        return self.source is not None and self.source.covered_by_id is not None

    @property
    def read(self) -> CostSource | None:
        """The source whose facts hold these costs: the payer's, or its own."""
        return self.source and (self.source.covered_by or self.source)

    @property
    def is_lost(self) -> bool:
        """Whether figures are missing or old, for a reason that `read` tells."""
        return self.read is not None and self.read.status in LOST

    @property
    def tone(self) -> str:
        return state_of(self.read.status).tone if self.read else ""

    @property
    def asked_price(self) -> Decimal:
        """What asking AWS cost this month, in USD."""
        return vars(self.source)["requests_this_month"] * REQUEST_PRICE if self.source else ZERO

    @property
    def fresh_at(self) -> datetime | None:
        return self.read.fresh_at if self.read else None

    @property
    def next_refresh_at(self) -> datetime | None:
        return self.read.next_refresh_at if self.read else None


def costs_of(user: User, account: AwsAccount) -> AccountCosts:
    """The state of the costs of an account that `user` may see."""
    visible = list(sources.visible(user))
    source = next((one for one in visible if one.account_id == account.pk), None)
    if source is None:
        return AccountCosts(account, None, reason=_why_none(account))
    payer = next((one.account for one in visible if one.pk == source.covered_by_id), None)
    today = clock.today()
    month = Question(DayRange(first_of_month(today), today + _DAY), Granularity.WHOLE)
    reader = Reader(user, (str(account.pk),), sources=visible)
    return AccountCosts(account, source, payer=payer, this_month=reader.by_currency(month))


def read_from(user: User, account: AwsAccount) -> list[AwsAccount]:
    """The other accounts whose costs are read from the bill of `account`, by alias."""
    return [source.account for source in sources.visible(user).filter(covered_by__account=account)]


def _why_none(account: AwsAccount) -> str:
    if CAPABILITY not in account.capabilities:
        return "Reading costs is not switched on for this account."
    return "They are asked for soon." if account.verified_at else "They are fetched by themselves once the account is verified."
