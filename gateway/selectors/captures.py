"""What is kept of one's own requests."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from gateway.models import RequestCapture, RequestLog


class CaptureNotFound(CloudconsoleError):
    kind = Kind.NOT_FOUND
    code = "capture_not_found"
    title = "Not found"


def marked(logs: QuerySet[RequestLog]) -> QuerySet[RequestLog]:
    """With `is_kept`: whether headers and bodies of a request can be read."""
    kept = RequestCapture.objects.filter(log=OuterRef("pk"), expires_at__gt=clock.now())
    return logs.annotate(is_kept=Exists(kept))


def get_for(user: User, key_id: int, log_id: int) -> RequestCapture:
    """Raises CaptureNotFound, also once its time is over."""
    mine = RequestLog.objects.visible_to(user, Perm.SELF).filter(key__pk=key_id, pk=log_id)  # `key=` fails beyond 64 bits
    found = RequestCapture.objects.select_related("log").filter(log__in=mine, expires_at__gt=clock.now()).first()
    if found is None:
        raise CaptureNotFound("Nothing is kept of such a request of yours.")
    return found
