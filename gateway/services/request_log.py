"""What was sent and how it went, one row for each request, written when it is over. No query, no header, no body."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q

from accounts.models import User
from cloudconsole.core import clock, requests
from cloudconsole.net.addresses import Address
from gateway.models import ApiKey, DaySum, RequestCapture, RequestLog, Via
from gateway.rules.scrubbing import Scrubber

UNEXPECTED = "internal_error"  # what became of a request that a fault of ours ended

_USED_WITHIN = timedelta(minutes=1)  # how exact `last_used_at` is: a busy key does not write with every request
_BATCH = 5_000


@dataclass
class Draft:
    """A request that is on its way. `store` ends it, once."""

    user: User
    key: ApiKey | None
    via: Via
    method: str
    scheme: str = ""
    host: str = ""
    path: str = ""
    status: int | None = None
    error: str = ""
    request_bytes: int = 0
    response_bytes: int = 0
    attempts: int = 0
    has_acted: bool = False  # an attempt may have changed something there, whatever went wrong after it
    at: datetime = field(default_factory=clock.now)
    began: float = field(default_factory=time.monotonic)
    ip: str | None = None
    auth: str = ""
    duration_ms: int = 0

    @classmethod
    def of(cls, user: User, key: ApiKey | None, via: Via, method: str) -> Draft:
        """With where the request being served comes from: it may be over before the answer is."""
        context = requests.current()
        return cls(user, key, via, method[:16], ip=context.ip if context else None, auth=context.auth if context else "")

    def goes_to(self, address: Address, secret: Scrubber | None = None) -> None:
        """The address as the caller wrote it: where the secret is part of a path, its placeholder stands there.

        `secret`: what takes it out where the caller wrote it into the path by hand.
        """
        path = address.target.partition("?")[0]
        self.scheme, self.host = address.scheme, address.netloc[:260]
        self.path = (path if secret is None else secret.whole(path))[:1024]

    @property
    def elapsed_ms(self) -> int:
        return round((time.monotonic() - self.began) * 1000)


def store(draft: Draft) -> RequestLog:
    """One row, and on the key that it was used."""
    draft.duration_ms = draft.elapsed_ms
    row = _inserted(draft)
    if draft.key is not None and draft.attempts:
        _note_use(draft.key, draft)
    return row


def _inserted(draft: Draft) -> RequestLog:
    row = RequestLog(
        at=draft.at,
        user=draft.user,
        key=draft.key,
        api_name=draft.key.api_name if draft.key else "",
        via=draft.via,
        method=draft.method,
        scheme=draft.scheme,
        host=draft.host,
        path=draft.path,
        status=draft.status,
        error=draft.error[:40],
        duration_ms=draft.duration_ms,
        request_bytes=draft.request_bytes,
        response_bytes=draft.response_bytes,
        attempts=max(1, draft.attempts),
        ip=draft.ip,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:  # the key was deleted while its last answer was still coming
        row.key = None
        row.save(force_insert=True)
    return row


def _note_use(key: ApiKey, draft: Draft) -> None:
    known = key.last_used_at is not None and key.last_used_at >= draft.at - _USED_WITHIN and key.last_used_ip == draft.ip
    if known:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=draft.at - _USED_WITHIN) | ~Q(last_used_ip=draft.ip)
    ApiKey.objects.filter(stale, pk=key.pk).update(last_used_at=draft.at, last_used_ip=draft.ip, last_used_auth=draft.auth[:16])


def forget(now: datetime) -> int:
    """Remove rows and sums that are older than REQUEST_LOG_RETENTION_DAYS, and captures that are over. How many rows went."""
    RequestCapture.objects.filter(expires_at__lte=now).delete()
    if not settings.REQUEST_LOG_RETENTION_DAYS:
        return 0
    oldest = now - timedelta(days=settings.REQUEST_LOG_RETENTION_DAYS)
    DaySum.objects.filter(day__lt=oldest.date()).delete()
    gone = 0
    while rows := list(RequestLog.objects.filter(at__lt=oldest).order_by("at").values_list("pk", flat=True)[:_BATCH]):
        with transaction.atomic():
            gone += RequestLog.objects.filter(pk__in=rows).delete()[0]
    return gone
