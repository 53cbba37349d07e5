"""Collect the static files when they changed, and only then.

Hashed names like everywhere, but no compressed copies: making those takes most of a minute, which an image's build has
and a person at a terminal has not.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.management.commands.collectstatic import Command
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command

STAMP = ".collected"


class HashedStorage(ManifestStaticFilesStorage):
    manifest_strict = False


def collect_if_changed() -> bool:
    """Whether they had to be collected. Files of before stay: another installation in this folder may still serve them."""
    if settings.DEBUG:
        return False
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp, wanted = root / STAMP, fingerprint()
    with (root / f"{STAMP}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starts at once would write the manifest into each other's
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        command = Command()
        command.storage = HashedStorage()
        call_command(command, interactive=False, verbosity=0)
        stamp.write_text(wanted)
    return True


def fingerprint() -> str:
    """Changes with the project's own files and with the pinned packages, which bring the others."""
    digest = hashlib.sha256()
    for line in _contents():
        digest.update(line.encode())
    return digest.hexdigest()


def _contents() -> Iterator[str]:
    yield (settings.BASE_DIR / "requirements.txt").read_text()
    for folder in settings.STATICFILES_DIRS:
        for path in sorted(Path(folder).rglob("*")):
            yield f"{path.relative_to(folder)} {path.stat().st_mtime_ns} {path.stat().st_size}"
