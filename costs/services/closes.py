"""Closing months: each source's month is frozen once, and whatever AWS tells of it later stands beside the frozen figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal

from django.db import IntegrityError, transaction

import audit.services
from accounts.alerts import Severity
from accounts.services import notifications
from cloudconsole.core import clock, figures
from cloudconsole.core.money import EXACT, ZERO
from costs import alerts, verbs
from costs.models import (
    METRICS,
    CostMonthSlice,
    CostSlice,
    CostSource,
    MonthClose,
    MonthDifference,
    MonthFigure,
    MonthRestatement,
)
from costs.rules import closes
from costs.rules.cubes import Cube
from costs.rules.windows import BACKFILL_MONTHS, first_of_month, month_of
from costs.selectors import closing
from costs.selectors.closing import Month, Sum

_LINES_TOLD = 5

Key = tuple[int | None, str]  # a service's id, or None for the control total; and the currency


def tick() -> None:
    """Freeze the months that are due and compare those of which days were stored again. Twice at once changes nothing."""
    today = clock.today()
    for source in CostSource.objects.counted().select_related("account").order_by("pk"):
        for month in _open_months(source, today):
            close(source=source, month=month)
    for frozen in MonthClose.objects.filter(is_checked=False).select_related("source__account").order_by("pk"):
        compare(close=frozen)


def _open_months(source: CostSource, today: date) -> list[date]:
    """Those that are due, of which something is stored, and that are not frozen; the oldest first."""
    last = closes.due(today)
    oldest = first_of_month(last, months=-BACKFILL_MONTHS)
    kept = CostMonthSlice.objects.filter(source=source, cube=Cube.TOTAL, month__gte=oldest, month__lte=last)
    frozen = MonthClose.objects.filter(source=source).values("month")
    return list(kept.exclude(month__in=frozen).order_by("month").values_list("month", flat=True).distinct())


def close(*, source: CostSource, month: date) -> MonthClose | None:
    """Freeze the month if nothing is in the way and nobody has; None otherwise."""
    fetching = closing.is_being_fetched(source)
    if closes.why_not(month, clock.today(), closing.stored(source, month), is_being_fetched=fetching):
        return None
    found = closing.month(source, month)
    if not found.is_whole:
        return None  # its days are being replaced just now
    try:
        with transaction.atomic():
            return _freeze(source, month, found)
    except IntegrityError:
        return None  # another scheduler was quicker


def _freeze(source: CostSource, month: date, found: Month) -> MonthClose:
    frozen = MonthClose.objects.create(
        source=source,
        month=month,
        digest=found.digest,
        facts=found.facts,
        frozen_at=clock.now(),
        snapshot_id=_last_snapshot(source, month),
        # Days that were stored while it was read are found by the next look.
        is_checked=False,
    )
    MonthFigure.objects.bulk_create(_figure(frozen, one) for one in found.sums)
    audit.services.record(
        verbs.MONTH_CLOSED,
        actor=None,
        subject=str(frozen.pk),
        account=source.account,
        detail={"month": month.isoformat(), "digest": found.digest, "facts": found.facts},
    )
    return frozen


def _figure(frozen: MonthClose, one: Sum) -> MonthFigure:
    amounts = dict(zip(METRICS, one.amounts, strict=True))
    return MonthFigure(close=frozen, cube=one.cube, service_id=one.service, currency=one.currency, rows=one.rows, **amounts)


def _last_snapshot(source: CostSource, month: date) -> int | None:
    days = month_of(month)
    slices = CostSlice.objects.filter(source=source, cube=Cube.TOTAL, day__gte=days.start, day__lt=days.end)
    return slices.order_by("-fetched_at", "-day").values_list("snapshot", flat=True).first()


def look_again(*, source: CostSource, months: Iterable[date]) -> None:
    """Days of these months were stored again: those that are closed are compared by the next tick. Call in that transaction."""
    MonthClose.objects.filter(source=source, month__in=list(months)).update(is_checked=False)


def compare(*, close: MonthClose) -> MonthRestatement | None:
    """What the month reads now beside what was frozen: a restatement the first time it differs in this way, and an alert."""
    if closing.is_being_fetched(close.source):
        return None  # the run may be half way through the month
    with transaction.atomic():
        # Before reading: what is stored from here on asks for another look.
        if not MonthClose.objects.filter(pk=close.pk, is_checked=False).update(is_checked=True):
            return None
        found = closing.month(close.source, close.month)
        if found.digest == close.digest:
            return None
        restatement, is_new = MonthRestatement.objects.get_or_create(
            close=close,
            digest=found.digest,
            defaults={"detected_at": clock.now(), "snapshot_id": _last_snapshot(close.source, close.month)},
        )
        if is_new:
            _tell(close, restatement, found)
        return restatement


def _tell(close: MonthClose, restatement: MonthRestatement, found: Month) -> None:
    differences = list(_differences(close, restatement, found))
    MonthDifference.objects.bulk_create(differences)
    account, month = close.source.account, f"{close.month:%B %Y}"
    words = [_in_words(one) for one in differences]
    audit.services.record(
        verbs.MONTH_RESTATED,
        actor=None,
        subject=str(close.pk),
        account=account,
        detail={"month": close.month.isoformat(), "digest": restatement.digest, "differences": "; ".join(words[:_LINES_TOLD])},
    )
    notifications.announce(
        kind=alerts.MONTH_RESTATED,
        severity=Severity.WARNING,
        key=f"costs.month_restated:{close.pk}:{restatement.digest}",
        title=f"{month} of {account.alias} was restated after it was closed",
        lines=words[:_LINES_TOLD] or ["Its sums are the same; how they are split has changed."],
        path=f"/costs/reconciliation/{close.source_id}",
        accounts=[account],
    )


def _in_words(one: MonthDifference) -> str:
    before, after = (figures.money(amount, one.currency) for amount in (one.unblended_before, one.unblended_after))
    return f"{one.service.value if one.service else 'Total'}: {before} when closed, {after} now"


def _differences(close: MonthClose, restatement: MonthRestatement, found: Month) -> Iterable[MonthDifference]:
    """The control total first, then services by how much they differ."""
    before, after = _frozen(close), _now(found)
    keys = sorted({*before, *after}, key=lambda key: (key[0] is not None, -abs(_change(before, after, key)), key[1], key[0] or 0))
    for service, currency in keys:
        if _change(before, after, (service, currency)):
            yield MonthDifference(
                restatement=restatement,
                service_id=service,
                currency=currency,
                unblended_before=before.get((service, currency), ZERO),
                unblended_after=after.get((service, currency), ZERO),
            )


def _change(before: Mapping[Key, Decimal], after: Mapping[Key, Decimal], key: Key) -> Decimal:
    return EXACT.subtract(after.get(key, ZERO), before.get(key, ZERO))


def _frozen(close: MonthClose) -> dict[Key, Decimal]:
    told = close.figures.filter(cube__in=[Cube.TOTAL, Cube.SERVICE_RECORD_TYPE])
    rows = told.values_list("cube", "service", "currency", "unblended")
    return {(service, currency): amount for cube, service, currency, amount in rows if cube == Cube.TOTAL or service}


def _now(found: Month) -> dict[Key, Decimal]:
    return {(one.service, one.currency): one.amounts[0] for one in found.sums if one.cube == Cube.TOTAL or one.service}
