"""The tags that can be fetched, source by source, with what that costs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Prefetch, Q

from accounts.models import AwsAccount, User
from cloudconsole.core.permissions import Perm
from costs.models import FETCHED_BY_ITSELF, REQUEST_PRICE, CostSource, SourceTag
from costs.rules import tag_requests
from costs.selectors import sources


@dataclass(frozen=True, slots=True)
class Choices:
    """One source with its tags, those that AWS names first. `may_choose`: the reader may change them."""

    source: CostSource
    rows: Sequence[SourceTag]
    may_choose: bool

    @property
    def chosen(self) -> list[SourceTag]:
        return [row for row in self.rows if row.is_chosen]

    @property
    def is_single(self) -> bool:
        return self.source.is_single

    @property
    def questions(self) -> int:
        if self.source.is_imported:
            return 0
        return sum(tag_requests.questions_of(by_account=row.by_account, single=self.is_single) for row in self.chosen)

    @property
    def monthly_requests(self) -> int:
        """Of the tags alone."""
        return tag_requests.monthly(self.questions, single=self.is_single)

    @property
    def monthly_price(self) -> Decimal:
        return self.monthly_requests * REQUEST_PRICE

    @property
    def each_monthly(self) -> Decimal:
        """What one more question costs each month."""
        return tag_requests.monthly(1, single=self.is_single) * REQUEST_PRICE

    @property
    def left(self) -> int:
        """Of this month's cap."""
        counted = vars(self.source)
        return max(0, int(counted["cap"]) - int(counted["requests_this_month"]))

    @property
    def listed_at(self) -> object:
        return max((row.listed_at for row in self.rows if row.listed_at), default=None)


def choices(user: User, accounts: Sequence[AwsAccount]) -> list[Choices]:
    """Of every visible source that is asked by itself or told by files: a covered one's tags come with its payer's bill."""
    tags = SourceTag.objects.select_related("tag", "chosen_by").order_by("-is_chosen", "status", "tag__key")
    by_themselves = FETCHED_BY_ITSELF | Q(is_imported=True)
    found = sources.visible(user).filter(by_themselves, account__in=accounts).prefetch_related(Prefetch("tags", queryset=tags))
    return [Choices(source, list(source.tags.all()), vars(source)["may_decide"]) for source in found]


def one(user: User, source_id: int) -> Choices | None:
    """One of them; None where there is none that the reader may see."""
    visible = CostSource.objects.visible_to(user, Perm.COSTS_VIEW).filter(pk=source_id).values_list("account", flat=True)
    accounts = list(AwsAccount.objects.filter(pk__in=visible))
    return next(iter(choices(user, accounts)), None)
