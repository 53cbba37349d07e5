"""Keeps first answers in the database: one row decides who acts, whichever process asks."""

from __future__ import annotations

from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from audit.models import RememberedAnswer
from cloudconsole.api.answers import Answer, Verdict
from cloudconsole.core import clock

KEPT_FOR = timedelta(hours=24)
ABANDONED_AFTER = timedelta(minutes=5)  # a process that died at work leaves its claim behind


class DatabaseStore:
    """See `cloudconsole.api.answers.AnswerStore`."""

    def claim(self, user_id: int, key: str, fingerprint: str) -> Answer | Verdict:
        now = clock.now()
        RememberedAnswer.objects.filter(claimed_at__lt=now - KEPT_FOR).delete()
        try:
            with transaction.atomic():
                RememberedAnswer.objects.create(user_id=user_id, key=key, fingerprint=fingerprint, claimed_at=now)
        except IntegrityError:
            return self._earlier(user_id, key, fingerprint)
        return Verdict.CLAIMED

    def keep(self, user_id: int, key: str, answer: Answer) -> None:
        self._row(user_id, key).update(status=answer.status, headers=dict(answer.headers), body=answer.body)

    def release(self, user_id: int, key: str) -> None:
        self._row(user_id, key).filter(status=None).delete()

    def _earlier(self, user_id: int, key: str, fingerprint: str) -> Answer | Verdict:
        row = self._row(user_id, key).first()
        if row is None:  # given back just now
            return Verdict.AT_WORK
        if row.fingerprint != fingerprint:
            return Verdict.OTHER_REQUEST
        if row.status is not None:
            return Answer(row.status, row.headers, row.body)
        return self._take_over(row)

    def _take_over(self, row: RememberedAnswer) -> Verdict:
        now = clock.now()
        abandoned = self._row(row.user_id, row.key).filter(status=None, claimed_at__lt=now - ABANDONED_AFTER)
        return Verdict.CLAIMED if abandoned.update(claimed_at=now) else Verdict.AT_WORK

    @staticmethod
    def _row(user_id: int, key: str) -> QuerySet[RememberedAnswer]:
        return RememberedAnswer.objects.filter(user_id=user_id, key=key)
