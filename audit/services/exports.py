from __future__ import annotations

from collections.abc import Iterator

from audit import selectors, verbs
from audit.models import AuditEvent, Person
from audit.selectors import EventFilter
from audit.services.events import record


def export(*, reader: Person, wanted: EventFilter) -> Iterator[AuditEvent]:
    """What `reader` may take along, newest first. That it was taken is recorded first, and is part of it."""
    record(verbs.AUDIT_EXPORTED, actor=reader)
    return selectors.one_by_one(selectors.events(reader, wanted))
