"""`manage.py ensure_admin`: make the first admin from ADMIN_USERNAME, ADMIN_PASSWORD and ADMIN_EMAIL when there is none."""

from __future__ import annotations

import json
from typing import Any

import environ
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import first_admin
from cloudconsole.core.errors import CloudconsoleError


class Command(BaseCommand):
    help = "Make the first admin from ADMIN_USERNAME, ADMIN_PASSWORD and ADMIN_EMAIL when there is none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object: made, username, password.")

    def handle(self, *args: Any, **options: Any) -> None:
        env = environ.FileAwareEnv()
        try:
            admin = first_admin.ensure(
                username=env.str("ADMIN_USERNAME", default="") or "admin",
                email=env.str("ADMIN_EMAIL", default=""),
                password=env.str("ADMIN_PASSWORD", default=""),
            )
        except CloudconsoleError as error:
            raise CommandError(f"The first admin cannot be made: {error.detail}") from error
        self.stdout.write(_as_json(admin) if options["json"] else _in_words(admin))


def _as_json(admin: first_admin.FirstAdmin) -> str:
    # `password` is there only when it was made up here: the one time it is ever shown.
    return json.dumps({"made": admin.made, "username": admin.username, "password": admin.password})


def _in_words(admin: first_admin.FirstAdmin) -> str:
    if not admin.made:
        return "There is an admin already."
    return f"Admin: {admin.username}" + (f"   password: {admin.password}   (shown only now)" if admin.password else "")
