"""Sessions in the database, as Django keeps them; what a browser sends as a key is looked up only if it can be one."""

from __future__ import annotations

import re

from django.contrib.sessions.backends import db

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(db.SessionStore):
    """Cookies can carry what a database refuses to be asked for: PostgreSQL fails on a NUL. Such a key is nobody's."""

    def _validate_session_key(self, key: object) -> bool:
        return isinstance(key, str) and _KEY.fullmatch(key) is not None
