"""Reads of the trail. Everything starts from what the reader may see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q

from audit import verbs
from audit.models import AuditEvent, Person
from audit.models.events import AuditEventQuerySet

EXPORT_CHUNK = 1000


@dataclass(frozen=True)
class EventFilter:
    """What a reader asks for; empty means everything. `since` is inclusive, `until` exclusive.

    An account is named by primary key, alias or 12-digit number; `environments` are those that accounts had at the time;
    `actor` is a name or a primary key.
    """

    actions: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    actor: str = ""
    target: str = ""
    region: str = ""
    request_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    search: str = ""


def events(user: Person | AnonymousUser, wanted: EventFilter = EventFilter()) -> AuditEventQuerySet:
    """The events that `user` may see and asks for, newest first."""
    return AuditEvent.objects.visible_to(user).filter(_exact(wanted), _between(wanted), _said(wanted.search)).order_by("-seq")


def one_by_one(found: AuditEventQuerySet) -> Iterator[AuditEvent]:
    """All of them, newest first, a chunk at a time by their numbers, so that no cursor has to stay open meanwhile."""
    last: int | None = None
    while True:
        chunk = list((found if last is None else found.filter(seq__lt=last)).order_by("-seq")[:EXPORT_CHUNK])
        yield from chunk
        if len(chunk) < EXPORT_CHUNK:
            return
        last = chunk[-1].seq


def _exact(wanted: EventFilter) -> Q:
    found = Q()
    if wanted.actions:
        found &= Q(action__in=wanted.actions)
    if wanted.outcomes:
        found &= Q(outcome__in=wanted.outcomes)
    if wanted.accounts:
        numbers = [int(account) for account in wanted.accounts if _is_key(account)]
        found &= Q(account_alias__in=wanted.accounts) | Q(account_number__in=wanted.accounts) | Q(account_pk__in=numbers)
    if wanted.environments:
        found &= Q(account_environment__in=wanted.environments)
    if wanted.actor:
        found &= Q(actor_id=int(wanted.actor)) if _is_key(wanted.actor) else Q(actor_name__iexact=wanted.actor)
    for name in ("target", "region", "request_id"):
        if value := getattr(wanted, name):
            found &= Q(**{name: value})
    return found


def _is_key(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 12


def _between(wanted: EventFilter) -> Q:
    since = Q(at__gte=wanted.since) if wanted.since else Q()
    return since & Q(at__lt=wanted.until) if wanted.until else since


def _said(search: str) -> Q:
    """Events in which the text occurs: in a name, or in the sentence of their action."""
    if not search:
        return Q()
    columns = (
        "actor_name",
        "subject",
        "account_alias",
        "account_number",
        "target",
        "ip",
        "request_id",
        "aws_request_id",
        "action",
    )
    found = Q(action__in=[verb.name for verb in verbs.REGISTRY.values() if search.lower() in verb.sentence.lower()])
    for column in columns:
        found |= Q(**{f"{column}__icontains": search})
    return found
