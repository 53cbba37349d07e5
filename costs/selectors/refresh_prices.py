"""What keeping costs fresh takes of AWS in a month, as it is planned now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import OuterRef, Subquery

from costs.models import REQUEST_PRICE, CostSnapshot, CostSource, SnapshotStatus, SnapshotTrigger
from costs.rules import cubes

_MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Monthly:
    """`price` in USD."""

    requests: int

    @property
    def price(self) -> Decimal:
        return self.requests * REQUEST_PRICE


def monthly(sources: Iterable[CostSource]) -> Mapping[int, Monthly]:
    """By source (rows of `sources.visible`), as far as its next refresh is planned: as many requests as the last one took, as
    often as the two lie apart, within the cap. Covered sources ask nothing.
    """
    asked = {one.pk: one for one in sources if one.covered_by_id is None and one.next_refresh_at is not None}
    ended = CostSnapshot.objects.filter(source=OuterRef("pk"), finished_at__isnull=False).exclude(trigger=SnapshotTrigger.TAGS)
    refreshes = ended.exclude(trigger=SnapshotTrigger.BACKFILL).filter(status=SnapshotStatus.SUCCEEDED)
    rows = CostSource.objects.filter(pk__in=list(asked)).values_list(
        "pk",
        Subquery(ended.order_by("-pk").values("finished_at")[:1]),
        Subquery(refreshes.order_by("-pk").values("requests")[:1]),
    )
    found = {}
    for pk, finished_at, requests in rows:
        source = asked[pk]
        between = source.next_refresh_at - finished_at if finished_at and source.next_refresh_at else timedelta()
        if between > timedelta():
            each = max(requests or 0, len(cubes.refreshed(single=source.is_single)))
            found[pk] = Monthly(min(vars(source)["cap"], round(_MONTH / between * each)))
    return found
