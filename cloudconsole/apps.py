from __future__ import annotations

from django.apps import AppConfig


class CloudconsoleConfig(AppConfig):
    """The roof as an application of its own: it owns no tables, only commands and system checks."""

    name = "cloudconsole"

    def ready(self) -> None:
        from cloudconsole import checks  # noqa: F401 - registers them
