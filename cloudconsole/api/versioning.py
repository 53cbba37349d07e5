from __future__ import annotations

from rest_framework.versioning import AcceptHeaderVersioning as BaseVersioning


class AcceptHeaderVersioning(BaseVersioning):
    """`Accept: application/json; version=1`. No version means the first; an unknown one is a 406."""
