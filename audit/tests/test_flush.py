from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from audit import services, verbs
from audit.models import AuditEvent


@pytest.mark.django_db(transaction=True)
def test_emptying_the_installation_empties_the_trail_and_leaves_it_guarded() -> None:
    services.record(verbs.SIGNED_IN, actor=None)
    call_command("flush", interactive=False, verbosity=0)
    assert not AuditEvent.objects.exists()

    services.record(verbs.SIGNED_IN, actor=None)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM audit_auditevent")
