"""Whether stored secrets can be opened, for those who watch the installation from outside."""

from __future__ import annotations

from django.core.cache import cache

from accounts.services import encryption
from cloudconsole.api.health import State
from cloudconsole.sealing import Unreadable

ASKED_EVERY_S = 30
_STATE, _FRESH = "keys_health:state", "keys_health:fresh"


def state() -> State:
    """`failing`: a key that stored secrets need is missing or does not open what it sealed. `degraded`: KMS does not let a
    key be used at the moment; stored pages are served all the same.

    Anybody may ask, so KMS is asked at most every ASKED_EVERY_S; whoever comes meanwhile gets the last answer.
    """
    if cache.add(_FRESH, 1, ASKED_EVERY_S):
        cache.set(_STATE, _now(), None)
    known: State = cache.get(_STATE) or "degraded"  # the first answer is still under way
    return known


def _now() -> State:
    found = encryption.key_states()
    if any(key.is_missing or isinstance(key.trouble, Unreadable) for key in found):
        return "failing"
    return "degraded" if any(key.trouble is not None for key in found) else "ok"
