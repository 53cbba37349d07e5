"""`manage.py generate_docs`: write docs/generated, or with --check say what is out of date."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from cloudconsole.management import reference


class Command(BaseCommand):
    help = "Write the reference pages in docs/generated from the code's own registries."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="Write nothing; fail when a page is out of date.")

    def handle(self, *args: Any, **options: Any) -> None:
        folder = settings.BASE_DIR / "docs" / "generated"
        try:
            pages = reference.pages()
        except reference.NothingDeclared as error:
            raise CommandError(f"{error} declares no permission. Give its view `permission` or `public = True`.") from error
        present = {path.name: path.read_text() for path in folder.glob("*.md")}
        if options["check"]:
            differing = sorted(name for name in pages.keys() | present.keys() if pages.get(name) != present.get(name))
            if differing:
                raise CommandError(f"Out of date in docs/generated: {', '.join(differing)}. Run `make docs`.")
            return
        folder.mkdir(parents=True, exist_ok=True)
        for name in present.keys() - pages.keys():
            (folder / name).unlink()
        for name, text in pages.items():
            (folder / name).write_text(text)
