"""Summing up the requests of days that are over."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, F, Sum

from gateway.models import DaySum, RequestLog, SummedDay
from gateway.rules.latency import packed

# A request is logged when it is over, at the moment when it began. None may last as long as this (`proxying.STREAM`).
_MAY_STILL_COME = timedelta(hours=1)
_SAME = ("user", "key", "api_name", "host", "via", "method", "status", "error")


def sum_up(now: datetime) -> int:
    """Sum each day that is over and was not, the oldest first. How many were."""
    last = SummedDay.objects.order_by("-day").values_list("day", flat=True).first()
    oldest = RequestLog.objects.order_by("at").values_list("at", flat=True).first() if last is None else None
    first = last + timedelta(days=1) if last else oldest.astimezone(UTC).date() if oldest else None
    today = (now - _MAY_STILL_COME).astimezone(UTC).date()
    days = 0
    while first is not None and first < today and _summed(first):
        first, days = first + timedelta(days=1), days + 1
    return days


@transaction.atomic
def _summed(day: date) -> bool:
    """False where another scheduler does it."""
    try:
        with transaction.atomic():
            SummedDay(day=day).save(force_insert=True)
    except IntegrityError:
        return False
    DaySum.objects.bulk_create(_sums(day), batch_size=500)
    return True


def _sums(day: date) -> list[DaySum]:
    begin = datetime.combine(day, time(), UTC)
    rows = RequestLog.objects.filter(at__gte=begin, at__lt=begin + timedelta(days=1)).order_by()
    took: dict[tuple[object, ...], dict[int, int]] = {}
    for *same, duration, times in rows.exclude(status=None).values_list(*_SAME, "duration_ms").annotate(times=Count("pk")):
        took.setdefault(tuple(same), {})[duration] = times
    counted = rows.values(*_SAME).annotate(calls=Count("pk"), sent=Sum(F("request_bytes")), received=Sum(F("response_bytes")))
    return [
        DaySum(
            day=day,
            user_id=one["user"],
            key_id=one["key"],
            **{name: one[name] for name in _SAME[2:]},
            calls=one["calls"],
            request_bytes=one["sent"],
            response_bytes=one["received"],
            durations=packed(took.get(tuple(one[name] for name in _SAME), {})),
        )
        for one in counted
    ]
