"""That people have read alerts."""

from __future__ import annotations

from django.db import transaction

from accounts.models import Alert, AlertRead, User
from accounts.selectors import alerts as selectors

_AT_ONCE = 1000


@transaction.atomic
def mark_read(*, alert: Alert, by: User) -> None:
    """Reading twice is reading once."""
    AlertRead.objects.bulk_create([AlertRead(alert=alert, user=by)], ignore_conflicts=True)


def mark_all_read(*, by: User) -> int:
    """Everything that `by` may see and has not read. Says how many."""
    news = list(selectors.unread(by).order_by("pk").values_list("pk", flat=True))
    reads = (AlertRead(alert_id=pk, user=by) for pk in news)
    AlertRead.objects.bulk_create(reads, batch_size=_AT_ONCE, ignore_conflicts=True)
    return len(news)
