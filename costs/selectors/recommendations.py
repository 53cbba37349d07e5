"""Recommendations as people read them: the list, its totals, one with its fix, and what could not be looked at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Count, Q, Window
from django.db.models.functions import RowNumber

from accounts.models import AwsAccount, User
from accounts.selectors import aws_accounts
from cloudconsole.aws.policy import CAPABILITIES
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.money import ExactSum
from cloudconsole.core.permissions import Perm
from costs.models import HubStatus, Recommendation, SavingsSource
from costs.models.recommendations import RecommendationQuerySet
from costs.rules.recommendation_life import Status
from resources.models import Scan, Service
from resources.selectors import billed

EXPORT_CHUNK = 1000
_READ = CAPABILITIES["savings.read"].actions


class RecommendationNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "recommendation_not_found"
    title = "Not found"


@dataclass(frozen=True, slots=True)
class Question:
    """What a reader asks of the list; empty is everything. `accounts` None: all they may see."""

    accounts: Sequence[AwsAccount] | None = None
    statuses: Sequence[str] = (Status.OPEN.value,)
    kinds: Sequence[str] = ()
    regions: Sequence[str] = ()
    confidences: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Total:
    """The month's money of the rows in one currency."""

    currency: str
    amount: Decimal
    count: int


@dataclass(frozen=True, slots=True)
class Totals:
    """`unpriced`: rows of which the money is not known, and which are in no total."""

    count: int
    unpriced: int
    money: list[Total] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Slice:
    """Some rows, and the cursors of what comes before and after; empty at the ends."""

    rows: list[Recommendation]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What could not be looked at in an account. `actions`: what its IAM policy has to allow, where it does not."""

    account: AwsAccount
    what: str
    places: tuple[str, ...]
    detail: str
    remedy: str
    actions: tuple[str, ...] = ()


def visible(user: User) -> RecommendationQuerySet:
    return Recommendation.objects.visible_to(user, Perm.COSTS_VIEW).select_related("account", "dismissed_by")


def found(user: User, question: Question) -> RecommendationQuerySet:
    """The rows that `user` may see and asks for, the most money first."""
    rows = visible(user)
    if question.accounts is not None:
        rows = rows.filter(account__in=question.accounts)
    for column, values in (
        ("status", question.statuses),
        ("kind", question.kinds),
        ("region", question.regions),
        ("confidence", question.confidences),
    ):
        rows = rows.filter(**{f"{column}__in": values}) if values else rows
    return rows.order_by("-rank", "-pk")


def totals(rows: RecommendationQuerySet) -> Totals:
    """For each currency; amounts of different ones are never added."""
    per = rows.order_by().values("currency").annotate(sum=ExactSum("amount"), priced=Count("amount"), rows=Count("pk"))
    return _totals(per)


def _totals(per_currency: Iterable[Mapping[str, Any]]) -> Totals:
    told = list({one["currency"]: one for one in per_currency}.values())
    money = [Total(one["currency"], one["sum"], one["priced"]) for one in told if one["sum"] is not None]
    count = sum(one["rows"] for one in told)
    return Totals(count, count - sum(one["priced"] for one in told), sorted(money, key=lambda one: -one.amount))


def slice_of(rows: RecommendationQuerySet, *, size: int, before: str = "", after: str = "") -> Slice:
    """The `size` rows that follow the cursor `after`, or precede `before`. A cursor that means nothing is the beginning."""
    place = _opened(before or after)
    backwards = bool(before) and place is not None
    if place is not None:
        rank, pk = place
        way = "gt" if backwards else "lt"
        rows = rows.filter(Q(**{f"rank__{way}": rank}) | Q(**{"rank": rank, f"pk__{way}": pk}))
    taken = list((rows.order_by("rank", "pk") if backwards else rows)[: size + 1])
    has_more, taken = len(taken) > size, taken[:size]
    if backwards:
        taken.reverse()
    first, last = (_sealed(taken[0]), _sealed(taken[-1])) if taken else ("", "")
    has_before, has_after = (has_more, True) if backwards else (place is not None, has_more)
    return Slice(taken, first if has_before else "", last if has_after else "")


def get_for(user: User, pk: int) -> Recommendation:
    """Raises RecommendationNotFound."""
    row = visible(user).filter(pk=pk).first()
    if row is None:
        raise RecommendationNotFound("There is no such recommendation, or none that you may see.")
    return row


def chosen(user: User, pks: Sequence[int]) -> list[Recommendation]:
    """Those of these numbers that `user` may see."""
    return list(visible(user).filter(pk__in=pks))


def regions(user: User, accounts: Sequence[AwsAccount]) -> list[str]:
    """The regions that any recommendation of these accounts is about."""
    rows = Recommendation.objects.visible_to(user, Perm.COSTS_VIEW).filter(account__in=accounts)
    return sorted(set(rows.order_by().values_list("region", flat=True).distinct()) - {""})


def may_decide(user: User, row: Recommendation) -> bool:
    return aws_accounts.may(user, row.account, Perm.SAVINGS_DECIDE)


def gaps(user: User, accounts: Sequence[AwsAccount]) -> list[Gap]:
    """Why something in these accounts may be missing here, one line for each account and reason."""
    return [*_places(billed.missing(user, accounts)), *_hubs(user, accounts)]


def top(user: User, accounts: Sequence[AwsAccount], count: int) -> tuple[Totals, list[Recommendation]]:
    """For a card, in one query: the totals of what is open, and the ones worth most."""
    of_currency = {
        "sum": Window(ExactSum("amount"), partition_by="currency"),
        "priced": Window(Count("amount"), partition_by="currency"),
        "rows": Window(Count("pk"), partition_by="currency"),
    }
    first = {
        "place": Window(RowNumber(), order_by=("-rank", "-pk")),
        "place_in_currency": Window(RowNumber(), partition_by="currency", order_by=("-rank", "-pk")),
    }
    told = found(user, Question(accounts)).annotate(**of_currency, **first)
    kept = list(told.filter(Q(place__lte=count) | Q(place_in_currency=1)))
    totals = _totals({"currency": one.currency, **{name: getattr(one, name) for name in of_currency}} for one in kept)
    return totals, kept[:count]


def _places(scans: Sequence[Scan]) -> list[Gap]:
    by_reason: dict[tuple[int, str, str, str], list[Scan]] = {}
    for scan in scans:
        by_reason.setdefault((scan.account_id, scan.code, scan.detail, scan.remedy), []).append(scan)
    return [_gap(of_reason) for of_reason in by_reason.values()]


def _gap(scans: Sequence[Scan]) -> Gap:
    one = scans[0]
    what = ", ".join(sorted({Service(scan.service).label.lower() for scan in scans}))
    denied = one.code == "aws_access_denied"
    detail = "Not permitted: the account's IAM policy does not allow looking." if denied else one.detail
    remedy = "Add these actions to the policy of its user or role." if denied else one.remedy
    return Gap(one.account, what, tuple(sorted({scan.region for scan in scans})), detail, remedy, _READ if denied else ())


def _hubs(user: User, accounts: Sequence[AwsAccount]) -> list[Gap]:
    """Where AWS's own recommendations are not read; an account that was not asked yet is no gap."""
    seen = AwsAccount.objects.visible_to(user, Perm.COSTS_VIEW).filter(pk__in=[account.pk for account in accounts])
    asked = SavingsSource.objects.filter(account__in=seen).exclude(hub_status__in=(HubStatus.OK, HubStatus.UNKNOWN))
    short = asked.select_related("account").order_by("account__alias")
    return [Gap(one.account, "AWS's own recommendations", (), one.hub_detail, one.hub_remedy) for one in short]


def _sealed(row: Recommendation) -> str:
    return f"{row.rank}.{row.pk}"


def _opened(cursor: str) -> tuple[int, int] | None:
    rank, _, pk = cursor[:48].partition(".")
    if not pk.isascii() or not pk.isdecimal() or not rank.removeprefix("-").isdecimal() or not rank.isascii():
        return None
    found = int(rank), int(pk)
    return found if all(abs(number) < 2**63 for number in found) else None
