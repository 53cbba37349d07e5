"""What people say of an episode, and what detection learns from it.

Expected: a new level. The episode is over, and the baseline starts anew with its first day; a week later it is judged again.
Planned: it happens once. Its days stay out of the baseline, and it is not announced again.
Not expected: somebody has to look. Its days stay out of the baseline, so that it never becomes the normal by lasting.
The latest word counts; taking it back with another one has the days judged again.
"""

from __future__ import annotations

from django.db import transaction

import audit.services
from accounts.models import User
from cloudconsole import realtime
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from costs import verbs
from costs.models import AnomalyFeedback, AnomalyStatus, Assessment, CostAnomaly
from costs.services import anomalies

NOTE_LENGTH = 500


class NoteTooLong(CloudconsoleError):
    code = "note_too_long"
    title = "The note is too long"


class AnomalyWithdrawn(CloudconsoleError):
    """AWS restated the costs or the limits changed: there is nothing unusual left to say something of."""

    kind = Kind.CONFLICT
    code = "anomaly_withdrawn"
    title = "The anomaly was withdrawn"


def give(*, anomaly: CostAnomaly, assessment: Assessment, note: str, by: User) -> AnomalyFeedback:
    """Keep what `by` says. The same again changes nothing but is kept too. Raises NoteTooLong, AnomalyWithdrawn."""
    if len(note) > NOTE_LENGTH:
        raise NoteTooLong(f"Write at most {NOTE_LENGTH} characters.", attr="note")
    now = clock.now()
    with transaction.atomic():
        row = CostAnomaly.objects.select_for_update().get(pk=anomaly.pk)
        if row.status == AnomalyStatus.WITHDRAWN:
            raise AnomalyWithdrawn("AWS restated these costs or the limits changed: they are not unusual any more.")
        row.assessment = assessment
        if assessment == Assessment.EXPECTED:
            row.status = AnomalyStatus.CLOSED
        row.updated_at = now
        row.save(update_fields=["assessment", "status", "updated_at"])
        said = AnomalyFeedback.objects.create(anomaly=row, assessment=assessment, note=note, by=by, at=now)
        audit.services.record(
            verbs.ANOMALY_ASSESSED,
            actor=by,
            subject=str(row.pk),
            account=row.source.account,
            detail={"service": row.service, "assessment": said.get_assessment_display(), "note": note},
        )
        anomalies.ring(source_id=row.source_id)
        realtime.publish("anomaly", row.pk, row.source.account_id)
    return said
