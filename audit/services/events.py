"""The one way into the trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, transaction

from audit.models import Account, AuditEvent, AuditHead, Outcome, Person
from audit.rules import chain
from audit.rules.scrubbing import Value, clean_detail, clean_text
from audit.verbs import Verb
from cloudconsole import realtime
from cloudconsole.core import clock, requests
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.requests import RequestContext

log = structlog.get_logger(__name__)

_NOBODY = RequestContext(request_id="")


_by_itself: ContextVar[str] = ContextVar("audit_by_itself", default="")
_on_behalf: ContextVar[str] = ContextVar("audit_on_behalf", default="")


@contextmanager
def by_itself(name: str) -> Iterator[None]:
    """What is recorded meanwhile was done by the installation itself, called `name`, on whosever behalf it was done."""
    token = _by_itself.set(name)
    try:
        yield
    finally:
        _by_itself.reset(token)


@contextmanager
def on_behalf(name: str) -> Iterator[None]:
    """What is recorded meanwhile is done by a part of the installation called `name`, for the actor: it stays the actor's.

    The actor is then told of as “automation for ada”, and `name` stands where it says how somebody signed in. With "" nothing
    changes.
    """
    token = _on_behalf.set(name)
    try:
        yield
    finally:
        _on_behalf.reset(token)


class TrailBroken(CloudconsoleError):
    """The trail's head does not fit its events, or the database does not take an event. Nothing can be recorded, so nothing
    may happen, until somebody has looked.
    """

    kind = Kind.UNAVAILABLE
    code = "audit_unavailable"
    title = "The audit trail cannot be written"


def record(
    verb: Verb,
    *,
    actor: Person | AnonymousUser | None,
    subject: str = "",
    account: Account | None = None,
    region: str = "",
    target: str = "",
    outcome: str = Outcome.SUCCESS,
    detail: Mapping[str, Value] | None = None,
    aws_request_id: str = "",
) -> AuditEvent:
    """Append one event in the caller's transaction: both are committed or neither is, and a failure here propagates.

    Writers queue for the head from here to the commit, so call this last. An event that must outlive a rollback
    (a refusal) is recorded after the transaction that was rolled back, not inside it.
    """
    person = None if isinstance(actor, AnonymousUser) or _by_itself.get() else actor
    context = requests.current() or _NOBODY
    event = AuditEvent(
        actor_id=person.pk if person else None,
        actor_name=clean_text(_name_of(person), 150) if person else _by_itself.get(),
        role=str(person.role) if person else "",
        ip=clean_text(context.ip or "", 45),
        auth=_on_behalf.get() or context.auth,
        action=verb.name,
        subject=clean_text(str(subject), 255),
        account_pk=account.pk if account else None,
        account_alias=account.alias if account else "",
        account_number=account.account_id if account else "",
        account_environment=account.environment if account else "",
        region=clean_text(region, 32),
        target=clean_text(target, 2048),
        outcome=Outcome(outcome).value,
        request_id=context.request_id,
        aws_request_id=clean_text(aws_request_id, 128),
        detail=clean_detail(detail or {}),
    )
    try:
        with transaction.atomic():
            _append(event)
            realtime.publish("audit", event.seq)
    except DatabaseError as error:
        log.error("audit_write_failed", reason=type(error).__name__)  # noqa: TRY400 - the database's text may hold data
        raise TrailBroken("The event could not be written to the audit trail, so nothing was done.") from error
    return event


def _name_of(person: Person) -> str:
    return " for ".join(filter(None, (_on_behalf.get(), person.get_username())))


def _append(event: AuditEvent) -> None:
    head = _locked_head()
    event.seq = head.seq + 1
    event.at = clock.now()  # read under the lock, so that the order of moments is the order of events
    event.prev_hash = head.hash
    event.hash = chain.event_hash(settings.AUDIT_KEY, event.prev_hash, event.facts())
    event.save(force_insert=True)
    seal = chain.head_seal(settings.AUDIT_KEY, event.seq, event.hash)
    AuditHead.objects.filter(pk=1).update(seq=event.seq, hash=event.hash, seal=seal)


def _locked_head() -> AuditHead:
    """The head, held until the transaction ends. (SQLite holds its one write lock from the first statement on.)"""
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        head = _first_head()
    if not chain.same(head.seal, chain.head_seal(settings.AUDIT_KEY, head.seq, head.hash)):
        raise TrailBroken("The head of the audit trail was changed by something else, or the audit key is another one.")
    return head


def _first_head() -> AuditHead:
    start = AuditHead(pk=1, seq=0, hash=chain.GENESIS, seal=chain.head_seal(settings.AUDIT_KEY, 0, chain.GENESIS))
    AuditHead.objects.bulk_create([start], ignore_conflicts=True)  # of two first writers the second waits for the first
    head = AuditHead.objects.select_for_update().get(pk=1)
    if head.seq == 0 and AuditEvent.objects.exists():
        raise TrailBroken("The audit trail has events but no head: somebody removed it.")
    return head
