"""`manage.py rotate_keys`: every stored secret under today's key, while the site runs."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.services import encryption
from accounts.services.encryption import KeyState, Progress
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.sealing import SealingError

UNREADABLE = 2  # exit code: some rows do not open


class Command(BaseCommand):
    help = (
        "Re-encrypt every stored secret with today's key (the first of FERNET_KEYS, or KMS_KEY_ID), in batches, while the site "
        "runs. Restart web, workers and scheduler with the new settings first. Stop it whenever you like: the next run goes on. "
        "Exit codes: 0 done, 1 a key cannot be used at the moment, 2 some secrets do not open."
    )
    requires_system_checks = ()  # it mends what the check of the keys complains about

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="Count, and change nothing.")
        parser.add_argument("--batch-size", type=int, default=200, help="Secrets read at a time (default: 200).")
        parser.add_argument(
            "--give-up", metavar="KEY_ID", help="Accept that a key is lost, so that the installation starts again."
        )

    def handle(self, *, dry_run: bool, batch_size: int, give_up: str | None, **_: Any) -> None:
        try:
            if give_up is not None:
                self._give_up(give_up)
            else:
                self._rotate(dry_run=dry_run, batch_size=max(1, batch_size))
        except SealingError as error:
            raise CommandError(f"{error.detail} {error.remedy} What was moved is moved; run this again to go on.") from error
        except CloudconsoleError as error:
            raise CommandError(error.detail) from error

    def _give_up(self, key_id: str) -> None:
        rows = encryption.give_up(key_id=key_id)
        self.stdout.write(
            f"Given up: {rows} secrets that only {key_id or 'an unknown key'} opens. Enter them again where they are needed."
        )

    def _rotate(self, *, dry_run: bool, batch_size: int) -> None:
        self._table("Before:")
        done = encryption.rotate(batch_size=batch_size, dry_run=dry_run, on_batch=self._say)
        if dry_run:
            self.stdout.write(f"Dry run: {done.waiting} secrets would be moved; nothing was changed.")
            return
        for key_id, rows in sorted(done.rotated.items()):
            self.stdout.write(f"Moved {rows} from {key_id}.")
        if done.overtaken:
            self.stdout.write(f"{done.overtaken} were replaced meanwhile by somebody else, and looked at again.")
        states = self._table("After:")
        for name in done.unreadable:
            self.stdout.write(self.style.ERROR(f"Does not open: {name}. Enter it again, or bring its key back."))
        self._say_removable(states)
        if done.unreadable:
            sys.exit(UNREADABLE)

    def _say(self, progress: Progress) -> None:
        self.stdout.write(f"  {progress.rotated.total() + progress.waiting} …")

    def _table(self, title: str) -> list[KeyState]:
        states = encryption.key_states()
        self.stdout.write(title)
        for state in states:
            self.stdout.write(f"  {state.key_id or '(unknown key)'}: {state.rows} secrets, {_words(state)}")
        return states

    def _say_removable(self, states: list[KeyState]) -> None:
        for state in states:
            if state.is_removable:
                self.stdout.write(
                    self.style.SUCCESS(
                        f"{state.key_id} is needed by nothing stored any more: remove it from the settings and restart. Keep it "
                        "with the backups that were made before now."
                    )
                )


def _words(state: KeyState) -> str:
    if state.trouble is not None:
        return f"cannot be used: {state.trouble.detail}"
    if state.current:
        return "seals new secrets"
    if state.configured:
        return "opens old secrets"
    return "given up" if state.given_up else "missing from the settings"
