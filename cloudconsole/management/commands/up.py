"""`manage.py up`: the whole installation on this machine, with one command and until Ctrl-C."""

from __future__ import annotations

import sys
from typing import Any

from django.core.checks import Tags
from django.core.management.base import BaseCommand

from cloudconsole import checks
from cloudconsole.management.installation import Installation
from cloudconsole.management.terminal import Terminal


class Command(BaseCommand):
    help = "Prepare the database, start web, worker and scheduler (and the demo), and keep them running until Ctrl-C."
    requires_system_checks = (Tags.security, checks.INSTALLATION)  # not those of the code, which take a second each time

    def handle(self, *args: Any, **options: Any) -> None:
        Installation(Terminal(sys.stdout)).run()
