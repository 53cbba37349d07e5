"""Sessions in browsers, which allauth keeps a list of."""

from __future__ import annotations

from allauth.usersessions.models import UserSession
from django.core.cache import cache
from django.db import transaction
from django.http import HttpRequest
from redis.exceptions import RedisError

from accounts.models import User
from accounts.services import people
from audit import services as audit
from audit import verbs
from cloudconsole import realtime
from cloudconsole.core import clock

SEEN_WITHIN_S = 300  # how exact "last seen" is: a page does not write each time it is read


def seen(*, request: HttpRequest, user: User) -> None:
    """Note that `user` is here with this session; at most one write in SEEN_WITHIN_S."""
    key = request.session.session_key
    if key and _is_due(key):
        people.seen(user=user)
        UserSession.objects.filter(session_key=key).update(last_seen_at=clock.now())


def _is_due(session_key: str) -> bool:
    try:
        return bool(cache.add(f"seen:{session_key}", 1, SEEN_WITHIN_S))
    except RedisError:
        return False  # pages are read without a cache as well


@transaction.atomic
def end(*, session: UserSession, by: User) -> None:
    """End one session with its next request."""
    owner = session.user.get_username()
    session.end()
    realtime.recheck(session.user_id)
    audit.record(verbs.SESSION_ENDED, actor=by, subject=owner)
