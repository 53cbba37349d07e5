"""`manage.py ensure_admin`: make the first admin from ADMIN_USERNAME, ADMIN_PASSWORD and ADMIN_EMAIL when there is none."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import first_admin
from accounts.services.first_admin import FirstAdmin
from cloudconsole.core.errors import CloudconsoleError


class Command(BaseCommand):
    help = (
        "Make the first admin from ADMIN_USERNAME, ADMIN_PASSWORD and ADMIN_EMAIL when there is none. With none of them set, "
        "print the setup code with which the first admin is made in a browser."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object: made, username, password, setup_code.")

    def handle(self, *args: Any, **options: Any) -> None:
        code = first_admin.setup_code() if first_admin.is_awaited() else ""
        admin = FirstAdmin(made=False) if code else _ensured()
        self.stdout.write(_as_json(admin, code) if options["json"] else _in_words(admin, code))


def _ensured() -> FirstAdmin:
    try:
        return first_admin.ensure(username=settings.ADMIN_USERNAME, email=settings.ADMIN_EMAIL, password=settings.ADMIN_PASSWORD)
    except CloudconsoleError as error:
        raise CommandError(f"The first admin cannot be made: {error.detail}") from error


def _as_json(admin: FirstAdmin, code: str) -> str:
    # `password` is there only when it was made up here: the one time it is ever shown.
    return json.dumps({"made": admin.made, "username": admin.username, "password": admin.password, "setup_code": code})


def _in_words(admin: FirstAdmin, code: str) -> str:
    if code:
        return f"There is no admin yet. Open the console in a browser and make the first one.   setup code: {code}"
    if not admin.made:
        return "There is an admin already."
    return f"Admin: {admin.username}" + (f"   password: {admin.password}   (shown only now)" if admin.password else "")
