from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from cloudconsole.core import money


class CoreConfig(AppConfig):
    name = "cloudconsole.core"

    def ready(self) -> None:
        connection_created.connect(_prepare_connection, dispatch_uid="cloudconsole.core.money")


def _prepare_connection(sender: Any, connection: BaseDatabaseWrapper, **_: Any) -> None:
    money.register_sqlite_functions(connection)
