"""Personal access tokens: made, used and ended. The plain token exists once, in the answer to whoever made it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q

from accounts.models import PersonalToken, Scope, User
from accounts.rules import random_keys
from audit import services as audit
from audit import verbs
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind

LONGEST_DAYS = 366
DEFAULT_DAYS = 90
MOST_PER_PERSON = 50
USED_WITHIN = timedelta(minutes=1)  # how exact `last_used_at` is: a busy program does not write with every request


class InvalidToken(CloudconsoleError):
    code = "invalid"
    title = "The input is not valid"


class TokenBeyondToken(CloudconsoleError):
    """A token asked for one that may do more, or lasts longer, than itself."""

    kind = Kind.FORBIDDEN
    code = "token_beyond_token"
    title = "Not allowed"


class TooManyTokens(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "too_many_tokens"
    title = "Too many tokens"


@dataclass(frozen=True)
class NewToken:
    """A token as it was made; `plain` is shown once and stored nowhere."""

    token: PersonalToken
    plain: str = field(repr=False)


@transaction.atomic
def create(
    *, user: User, name: str, scope: Scope = Scope.READ, expires_at: datetime | None = None, within: PersonalToken | None = None
) -> NewToken:
    """Make a token of `user`. Raises InvalidToken, TooManyTokens, TokenBeyondToken.

    `within`: the token with which it is asked for. A stolen token must not make itself a longer life.
    """
    now = clock.now()
    until = expires_at or now + timedelta(days=DEFAULT_DAYS)
    if not name.strip():
        raise InvalidToken("Say what the token is for.", attr="name")
    if not now < until <= now + timedelta(days=LONGEST_DAYS):
        raise InvalidToken(f"A token lasts between now and {LONGEST_DAYS} days from now.", attr="expires_at")
    if within is not None and (until > within.expires_at or (scope == Scope.WRITE and within.scope == Scope.READ)):
        raise TokenBeyondToken("A token cannot make one that may do more or lasts longer than itself.")
    User.objects.select_for_update().get(pk=user.pk)
    if user.personal_tokens.filter(expires_at__gt=now).count() >= MOST_PER_PERSON:
        raise TooManyTokens(f"You have {MOST_PER_PERSON} tokens. Revoke those that are not used.")
    plain = random_keys.new_personal_token()
    token = PersonalToken.objects.create(
        user=user, name=name.strip(), digest=random_keys.digest_of(plain), hint=plain[-4:], scope=scope, expires_at=until
    )
    detail = {"name": token.name, "scope": str(token.scope), "until": f"{until:%Y-%m-%d}"}
    audit.record(verbs.PERSONAL_TOKEN_MADE, actor=user, subject=user.username, detail=detail)
    return NewToken(token, plain)


def owner_of(*, plain: str) -> PersonalToken | None:
    """The token that `plain` is, with its person, noting its use; None when it is unknown, expired, or its person is out."""
    now = clock.now()
    found = PersonalToken.objects.select_related("user").filter(digest=random_keys.digest_of(plain)).first()
    if found is None or found.is_expired or not found.user.is_active:
        return None
    if found.last_used_at is not None and found.last_used_at >= now - USED_WITHIN:
        return found
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_WITHIN)
    if PersonalToken.objects.filter(stale, pk=found.pk).update(last_used_at=now):
        User.objects.filter(pk=found.user_id).update(last_seen_at=now)
    return found


@transaction.atomic
def revoke(*, token: PersonalToken, by: User) -> None:
    """End a token with the next request."""
    if PersonalToken.objects.filter(pk=token.pk).delete()[0]:
        audit.record(verbs.PERSONAL_TOKEN_REVOKED, actor=by, subject=token.user.username, detail={"name": token.name})
