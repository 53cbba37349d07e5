"""The ratchet on file sizes: a file over 400 lines has a reason here, or is two files."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT = 400
FOLDERS = (
    "cloudconsole",
    "accounts",
    "resources",
    "costs",
    "expenses",
    "gateway",
    "audit",
    "tests",
    "bench",
    "deploy",
    "static/js",
    "static/css",
    "templates",
)
SUFFIXES = frozenset({".py", ".js", ".css", ".html"})

# path → (most lines it may have, why it is one file). Lower a number when a file shrinks; raising one needs a better reason.
EXCEPTIONS: dict[str, tuple[int, str]] = {}


def source_files(root: Path) -> list[Path]:
    """The files that people write, without migrations and vendored scripts."""
    return [
        path
        for folder in FOLDERS
        for path in sorted((root / folder).rglob("*"))
        if path.suffix in SUFFIXES and not {"migrations", "vendor"} & set(path.parts)
    ]


def too_long(root: Path = ROOT) -> list[str]:
    """One sentence for each file that breaks the ratchet, and for each exception that is not needed any more."""
    lengths = {str(path.relative_to(root)): len(path.read_text().splitlines()) for path in source_files(root)}
    allowed = {name: EXCEPTIONS.get(name, (LIMIT, ""))[0] for name in lengths}
    grown = [
        f"{name}: {count} lines, at most {allowed[name]} allowed" for name, count in lengths.items() if count > allowed[name]
    ]
    unneeded = [f"{name}: within {LIMIT} lines now; remove its exception" for name in EXCEPTIONS if lengths.get(name, 0) <= LIMIT]
    return grown + unneeded


if __name__ == "__main__":
    found = too_long()
    print("\n".join(found))
    sys.exit(1 if found else 0)
