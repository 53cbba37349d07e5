"""Coverage by a tag in money, by service and by account, from stored facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from cloudconsole.aws.cost_explorer import Metric
from costs.models import SourceTag
from costs.rules import tag_coverage
from costs.rules.cubes import Dimension
from costs.rules.tag_coverage import Covered
from costs.rules.windows import DayRange
from costs.selectors.costs import Reader
from costs.selectors.questions import Answer, Granularity, Question


@dataclass(frozen=True, slots=True)
class Coverage:
    """`whole` and `residual` add up to `total`, which is None where nothing is stored. `residual`: what AWS told in total, but
    not by this tag. `by_account` is None where costs are not stored by tag and account.
    """

    key: str
    days: DayRange
    metric: Metric
    currency: str | None
    total: Decimal | None
    residual: Decimal
    whole: Covered
    by_service: tuple[Covered, ...]
    by_account: tuple[Covered, ...] | None
    labels: Mapping[str, str]
    is_complete: bool

    @property
    def tells_empty(self) -> bool:
        """Whether any of it comes from billing files, which tell an empty value from no tag."""
        return bool(self.whole.empty or self.whole.absent)


def coverage(
    reader: Reader, key: str, days: DayRange, *, metric: Metric = Metric.UNBLENDED, currency: str | None = None
) -> Coverage:
    """Raises NotStored, MixedCurrencies, UnknownAccount."""
    tag = Dimension.tag(key)
    asked = Question(days, Granularity.WHOLE, (tag, Dimension.SERVICE), metric=metric, currency=currency)
    by_service = reader.answer(asked)
    told = by_service.amounts
    tells_accounts = reader.tells({tag, Dimension.ACCOUNT})
    accounts = Question(days, Granularity.WHOLE, (tag, Dimension.ACCOUNT), metric=metric, currency=by_service.currency)
    by_account = reader.answer(accounts) if tells_accounts else None
    return Coverage(
        key=key,
        days=days,
        metric=metric,
        currency=by_service.currency,
        total=by_service.total,
        residual=by_service.residual,
        whole=tag_coverage.whole(told),
        by_service=tuple(tag_coverage.covered(told)),
        by_account=tuple(tag_coverage.covered(by_account.amounts)) if by_account else None,
        labels=_labels(by_account) if by_account else {},
        is_complete=all(period.complete for period in by_service.periods),
    )


def rows_of(reader: Reader, key: str) -> list[SourceTag]:
    """The tag in each of the bills that are read: its activation, and since when it is fetched."""
    sources = {part.source.pk for part in reader.parts}
    rows = SourceTag.objects.stored().filter(source__in=sources, tag__key=key)
    return list(rows.select_related("tag", "source__account").order_by("source__account__alias"))


def _labels(answer: Answer) -> dict[str, str]:
    return {group.keys[1]: group.labels[1] for period in answer.periods for group in period.groups}
