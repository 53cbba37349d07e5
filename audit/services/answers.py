"""Keeps first answers in the database: one row decides who acts, whichever process asks."""

from __future__ import annotations

import json
from datetime import timedelta

import structlog
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from audit.models import RememberedAnswer
from cloudconsole.api.answers import Answer, Verdict
from cloudconsole.core import clock
from cloudconsole.sealing import Context, Sealed, SealingError, Unreadable, keyring

KEPT_FOR = timedelta(hours=24)
# A process that died at work leaves its claim behind, and nobody knows whether it had acted.
# Longer than the longest request: a function runs for 15 minutes.
ABANDONED_AFTER = timedelta(minutes=20)

log = structlog.get_logger(__name__)


class DatabaseStore:
    """See `cloudconsole.api.answers.AnswerStore`."""

    def claim(self, user_id: int, key: str, fingerprint: str) -> Answer | Verdict:
        """Raises SealingError before anybody acts, when no answer could be kept at the moment."""
        now = clock.now()
        _seal(user_id, key, "")
        RememberedAnswer.objects.filter(user_id=user_id, key=key, claimed_at__lt=now - KEPT_FOR).delete()
        try:
            with transaction.atomic():
                RememberedAnswer.objects.create(user_id=user_id, key=key, fingerprint=fingerprint, claimed_at=now)
        except IntegrityError:
            return self._earlier(user_id, key, fingerprint)
        return Verdict.CLAIMED

    def keep(self, user_id: int, key: str, answer: Answer) -> None:
        """The request has acted: when its answer cannot be sealed, that it has acted is kept all the same."""
        try:
            body = _seal(user_id, key, answer.body)
        except SealingError as error:
            log.warning("answer_not_kept", code=error.code)
            body = Sealed(b"", "")
        kept = {"status": answer.status, "headers": dict(answer.headers), "body": body.ciphertext, "body_key": body.key_id}
        self._row(user_id, key).update(**kept)

    def release(self, user_id: int, key: str) -> None:
        self._row(user_id, key).filter(status=None).delete()

    def _earlier(self, user_id: int, key: str, fingerprint: str) -> Answer | Verdict:
        row = self._row(user_id, key).first()
        if row is None:  # given back just now
            return Verdict.AT_WORK
        if row.fingerprint != fingerprint:
            return Verdict.OTHER_REQUEST
        if row.status is None:
            is_abandoned = row.claimed_at < clock.now() - ABANDONED_AFTER
            return Verdict.ANSWER_LOST if is_abandoned else Verdict.AT_WORK
        body = _open(row)
        return Verdict.ANSWER_LOST if body is None else Answer(row.status, row.headers, body)

    @staticmethod
    def _row(user_id: int, key: str) -> QuerySet[RememberedAnswer]:
        return RememberedAnswer.objects.filter(user_id=user_id, key=key)


def forget_old() -> int:
    """Remove what is past its time, so that neither tokens nor the keys they were sealed with stay longer. Says how many."""
    removed, _ = RememberedAnswer.objects.filter(claimed_at__lt=clock.now() - KEPT_FOR).delete()
    return removed


def _seal(user_id: int, key: str, body: str) -> Sealed:
    # Fernet has no associated data, so the text itself says whose it is: moved to another row it is refused.
    text = json.dumps({"person": user_id, "key": key, "body": body})
    return keyring().seal(text, _context(user_id))


def _open(row: RememberedAnswer) -> str | None:
    """The answer's body; None when it was not kept or no key opens it any more. Raises KeyUnavailable."""
    if not row.body_key:
        return None
    try:
        opened = json.loads(keyring().open(Sealed(bytes(row.body), row.body_key), _context(row.user_id)))
    except Unreadable:
        return None
    return str(opened["body"]) if (opened["person"], opened["key"]) == (row.user_id, row.key) else None


def _context(user_id: int) -> Context:
    return Context(str(user_id), RememberedAnswer.PURPOSE)
