from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from cloudconsole.management import reference
from tests import sizes


def test_every_file_is_short_or_has_a_reason() -> None:
    assert sizes.too_long() == []


def test_a_file_that_grows_too_long_is_named(tmp_path: Path) -> None:
    (tmp_path / "costs").mkdir()
    (tmp_path / "costs" / "everything.py").write_text("pass\n" * (sizes.LIMIT + 1))
    assert sizes.too_long(tmp_path) == ["costs/everything.py: 401 lines, at most 400 allowed"]


def test_generated_pages_are_current() -> None:
    call_command("generate_docs", check=True)


def test_a_generated_page_that_was_edited_is_named(tmp_path: Path, settings: Any) -> None:
    settings.BASE_DIR = tmp_path
    folder = tmp_path / "docs" / "generated"
    folder.mkdir(parents=True)
    for name, text in reference.pages().items():
        (folder / name).write_text(text)
    call_command("generate_docs", check=True)
    (folder / "tasks.md").write_text("edited")
    with pytest.raises(CommandError, match=r"tasks\.md"):
        call_command("generate_docs", check=True)
