"""What people decide about recommendations: to leave something as it is, for a reason and perhaps for a time, and not to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import transaction

import audit.services
from accounts.models import User
from accounts.selectors import aws_accounts
from audit.verbs import Verb
from cloudconsole import realtime
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.permissions import Perm
from costs import verbs
from costs.models import Recommendation
from costs.rules.recommendation_life import Status

REASON_LENGTH = 500
LONGEST = timedelta(days=366 * 3)


class NotOpen(CloudconsoleError):
    """It was decided on meanwhile, or holds no longer."""

    kind = Kind.CONFLICT
    code = "recommendation_not_open"
    title = "The recommendation is not open any more"


class NoReason(CloudconsoleError):
    code = "reason_missing"
    title = "Dismissing needs a reason"


class BadUntil(CloudconsoleError):
    code = "invalid_until"
    title = "The end of the dismissal cannot be used"


def dismiss(*, recommendation: Recommendation, by: User, reason: str, until: datetime | None = None) -> Recommendation:
    """Leave it as it is: until then, or until materially more is at stake. Raises NotOpen, NoReason, BadUntil, NotAllowedHere."""
    words, end = _reason(reason), _until(until)
    aws_accounts.require(by, recommendation.account, Perm.SAVINGS_DECIDE)
    with transaction.atomic():
        if not _move(recommendation, by, words, end):
            raise NotOpen("Somebody has decided on it, or it holds no longer.")
    recommendation.refresh_from_db()
    return recommendation


def dismiss_many(*, recommendations: Sequence[Recommendation], by: User, reason: str, until: datetime | None = None) -> int:
    """All of them, as far as they are open and theirs to decide; the number that were. Raises NoReason, BadUntil."""
    words, end = _reason(reason), _until(until)
    allowed = [one for one in recommendations if aws_accounts.may(by, one.account, Perm.SAVINGS_DECIDE)]
    with transaction.atomic():
        return sum(_move(one, by, words, end) for one in allowed)


def restore(*, recommendation: Recommendation, by: User) -> Recommendation:
    """Take a dismissal back. Raises NotOpen where there is none, NotAllowedHere."""
    aws_accounts.require(by, recommendation.account, Perm.SAVINGS_DECIDE)
    with transaction.atomic():
        dismissed = Recommendation.objects.filter(pk=recommendation.pk, status=Status.DISMISSED.value)
        if not dismissed.update(status=Status.OPEN.value, dismissed_until=None):
            raise NotOpen("It is not dismissed.")
        _record(verbs.RECOMMENDATION_RESTORED, recommendation, by, {})
    recommendation.refresh_from_db()
    return recommendation


def _move(one: Recommendation, by: User, reason: str, until: datetime | None) -> bool:
    moved = Recommendation.objects.filter(pk=one.pk, status=Status.OPEN.value).update(
        status=Status.DISMISSED.value,
        dismissed_by=by,
        dismissed_at=clock.now(),
        dismissed_reason=reason,
        dismissed_until=until,
        dismissed_amount=one.amount,
    )
    if moved:
        detail = {"reason": reason, "until": until.date().isoformat() if until else ""}
        _record(verbs.RECOMMENDATION_DISMISSED, one, by, detail)
    return bool(moved)


def _record(verb: Verb, one: Recommendation, by: User, detail: dict[str, str]) -> None:
    audit.services.record(
        verb,
        actor=by,
        subject=str(one.pk),
        account=one.account,
        region=one.region,
        target=one.resource_id[:256],
        detail={"what": one.title.lower(), "name": one.label, **detail},
    )
    realtime.publish("recommendation", one.pk, one.account_id)


def _reason(reason: str) -> str:
    words = " ".join(reason.split())[:REASON_LENGTH]
    if not words:
        raise NoReason("Say in a few words why it stays as it is.", attr="reason")
    return words


def _until(until: datetime | None) -> datetime | None:
    now = clock.now()
    if until is not None and not now < until <= now + LONGEST:
        raise BadUntil("It lies in the future, and at most three years ahead.", attr="until")
    return until
