"""Which bucket names S3 allows (S3 user guide, "General purpose bucket naming rules")."""

from __future__ import annotations

import re

_SHAPE = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")

# Names that somebody else in the world has.
TAKEN = frozenset({"assets", "backup", "backups", "data", "demo", "images", "logs", "my-bucket", "prod", "static", "test", "www"})


def is_allowed(name: str) -> bool:
    return (
        _SHAPE.fullmatch(name) is not None
        and ".." not in name
        and _ADDRESS.fullmatch(name) is None
        and not name.startswith(_PREFIXES)
        and not name.endswith(_SUFFIXES)
    )
