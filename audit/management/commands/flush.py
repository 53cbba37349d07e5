from __future__ import annotations

from typing import Any

from django.core.management.commands.flush import Command as Flush
from django.db import connections

from audit import triggers
from audit.models import AuditEvent


class Command(Flush):
    help = f"{Flush.help} This includes the audit trail; its checkpoint file will tell that it happened."

    def handle(self, **options: Any) -> None:
        connection = connections[options["database"]]
        if AuditEvent._meta.db_table not in connection.introspection.table_names():
            super().handle(**options)
            return
        with triggers.lifted(connection):
            super().handle(**options)
