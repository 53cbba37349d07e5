"""Carrying out an operation, one turn at a time: send it once, or look once at what became of it, and let it go.

A worker may die anywhere. Before the call the row says "sent", so whoever comes next looks and never sends again what is
not idempotent. No AWS call happens inside a transaction.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import structlog
from django.db import transaction

from accounts.selectors import aws_accounts
from accounts.services import credentials
from cloudconsole.aws.errors import AwsError
from cloudconsole.core import clock, jobs
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from resources.models import Operation
from resources.rules import operations as rules
from resources.rules.operations import Answer, Event, Phase, Status, Step
from resources.services import capabilities
from resources.services.actions import HANDLERS
from resources.services.actions.handlers import Accepted, Handler, Missed, NotYet, Reached, SoFar, Trouble, Unclear, Work
from resources.services.operations import moves, trail
from resources.services.operations.moves import Lease, LeaseLost
from resources.services.operations.progress import Reporter
from resources.services.operations.refusals import AccountGone, NotInTime
from resources.services.operations.watching import Watch

log = structlog.get_logger(__name__)

RUN = "resources.run_operation"

_LOST_TO_WORKERS = Trouble("worker_lost", "Workers ended several times before this could be sent.", "See the worker's log.")


class NoHandler(CloudconsoleError):
    """Nothing here knows how to carry the action out."""

    code = "unknown_action"
    title = "This cannot be done"


def run(*, operation_id: int) -> None:
    """One turn at the operation, if it may be taken. Safe to call at any time, any number of times."""
    lease = moves.claim(operation_id)
    if lease is None:
        return
    operation = Operation.objects.select_related("account__hub", "requested_by").get(pk=operation_id)
    try:
        _Turn(operation, lease).go()
    except LeaseLost:
        log.info("lease_lost", operation=operation_id)


def perform(operation: Operation, *, within: timedelta) -> Operation:
    """Carry a quick operation out here and now, as far as it comes `within` that time; workers do the rest.

    Raises the CloudconsoleError that ended it where it failed.
    """
    deadline = time.monotonic() + within.total_seconds()
    while operation.is_open and operation.status != Status.AWAITING_APPROVAL:
        lease = moves.claim(operation.pk)
        if lease is not None:
            _raise_failure(_Turn(operation, lease))
        operation = Operation.objects.select_related("account__hub", "requested_by").get(pk=operation.pk)
        left = deadline - time.monotonic()
        if left <= 0:
            break
        if operation.is_open:
            time.sleep(min(left, 0.25))
    return operation


def _raise_failure(turn: _Turn) -> None:
    try:
        turn.go()
    except LeaseLost:
        return
    if turn.failure is not None:
        raise turn.failure


class _Turn:
    """One worker's turn at one operation. `failure` is the error that ended it as failed, if one did."""

    def __init__(self, operation: Operation, lease: Lease) -> None:
        self.operation = operation
        self.lease = lease
        self.watch = Watch(operation.account.account_id)
        self.failure: CloudconsoleError | None = None

    def go(self) -> None:
        operation = self.operation = _fresh(self.operation)
        handler = HANDLERS.get(operation.action)
        if operation.attempts > rules.MAX_ATTEMPTS:
            self._end_exhausted()
            return
        with self.watch.recording():
            match rules.next_step(Phase(operation.phase), idempotent=bool(handler and handler.action.idempotent)):
                case Step.SEND:
                    self._prepare(handler)
                case Step.SEND_AGAIN if handler is not None:
                    self._prepared(lambda work: self._send(handler, work, Event.SEND_AGAIN))
                case Step.DOUBT:
                    self._doubt()
                case _:
                    self._look(handler)

    # --- sending

    def _prepare(self, handler: Handler | None) -> None:
        if handler is None:
            self._fail(NoHandler(f"Nothing here knows how to do “{self.operation.action}”."))
            return
        self._prepared(lambda work: self._first(handler, work))

    def _prepared(self, go: Callable[[Work], None]) -> None:
        """`go` with what a handler needs; what stands against it ends the operation, or lets it rest."""
        try:
            self._check()
            work = self._work()
        except CloudconsoleError as error:
            self._turned_down(error)
            return
        go(work)

    def _check(self) -> None:
        """Raises what has come up against sending it since it was asked for."""
        operation = self.operation
        account, by = operation.account, operation.requested_by
        if operation.expires_at is not None and operation.phase == Phase.NEW and operation.expires_at <= clock.now():
            raise NotInTime.of(operation)
        if (kind := operation.kind) is not None:
            capabilities.require(account, kind.capability)
        if by is not None and not aws_accounts.may(by, account, Perm.RESOURCES_OPERATE):
            raise aws_accounts.NotAllowedHere(f"{by.get_username()} may no longer do this in “{account.alias}”.")

    def _work(self) -> Work:
        """Raises AccountGone, and what stands against using the account's credentials."""
        operation = self.operation
        account = operation.account
        if account.deleted_at is not None:
            raise AccountGone(f"“{account.alias}” was disconnected.")
        reporter = Reporter(operation, self.lease, self.watch)
        return Work(
            account,
            replace(credentials.access_for(account, operation.requested_by), actor=operation.asked_by or "cloudconsole"),
            operation.region,
            operation.target,
            operation.parameters,
            self.watch,
            reporter.report,
            reporter.is_stopped,
        )

    def _first(self, handler: Handler, work: Work) -> None:
        try:
            before = handler.look_before(work)
            if self.operation.dry_run:
                self._rehearsed(handler.dry_run(work), before)
                return
        except CloudconsoleError as error:
            self._turned_down(error, handler)
            return
        self._send(handler, work, Event.SEND, before_state=before)

    def _rehearsed(self, accepted: Accepted, before: str) -> None:
        detail = "AWS would allow it. Nothing was changed."
        self._succeed(Reached(before, detail), before_state=before, aws_request_ids=self._request_ids(accepted.request_id))

    def _send(self, handler: Handler, work: Work, event: Event, **changes: object) -> None:
        """The one place from which something is changed. What happens is committed before and after."""
        with transaction.atomic():
            self.lease.move(event, sent_at=self.operation.sent_at or clock.now(), **changes)
            self.watch.store(self.operation)
            moves.publish(self.operation)
            trail.sent(self.operation)
        self.operation = _fresh(self.operation)
        self.watch.forget_attempts()
        try:
            accepted = handler.mutate(work)
        except AwsError as error:
            self._unsent(handler, error)
        except CloudconsoleError as error:
            self._fail(error)
        else:
            self._answered(accepted)

    def _answered(self, accepted: Accepted) -> None:
        ids = self._request_ids(accepted.request_id)
        known = {"accepted": True, "aws_request_ids": ids, "result": dict(accepted.result)}
        if accepted.is_done:
            self._succeed(Reached(accepted.state, result=accepted.result), **known)
            return
        pause = rules.pause(1)
        with transaction.atomic():
            self.lease.leave(Event.ANSWERED, not_before=clock.now() + pause, **known)
            self._let_go(pause)

    def _unsent(self, handler: Handler, error: AwsError) -> None:
        """The call did not succeed: AWS said no, did not listen, or nobody knows."""
        match rules.answer_of(error.cause, may_have_arrived=self.watch.may_have_arrived):
            case Answer.REFUSED:
                self._fail(error, handler)
            case Answer.TURNED_AWAY:
                self._rest(Event.TURNED_AWAY, error)
            case Answer.IN_DOUBT:
                self._in_doubt(Trouble(error.code, error.detail, error.remedy), **self._said(error))

    def _turned_down(self, error: CloudconsoleError, handler: Handler | None = None) -> None:
        """Nothing was sent. AWS's bad moments pass; everything else ends the operation."""
        if isinstance(error, AwsError) and error.retryable and not self.operation.dry_run:
            self._rest(Event.TURNED_AWAY if self.operation.phase == Phase.SENT else Event.POSTPONE, error)
        else:
            self._fail(error, handler)

    def _rest(self, event: Event, error: CloudconsoleError) -> None:
        attempt = self.operation.attempts + 1
        if attempt >= rules.MAX_ATTEMPTS:
            self._fail(error)
            return
        pause = rules.rest(attempt)
        told = {"outcome_code": error.code, "outcome_detail": error.detail, "outcome_remedy": getattr(error, "remedy", "")}
        with transaction.atomic():
            self.lease.leave(event, attempts=attempt, not_before=clock.now() + pause, **told)
            self._let_go(pause)

    # --- looking

    def _doubt(self) -> None:
        """The worker that sent it is gone. Whether AWS got the call is not known, and it is not made again."""
        self._in_doubt(Trouble("worker_lost", "The worker ended while AWS was being asked."))

    def _in_doubt(self, trouble: Trouble, **said: object) -> None:
        pause = rules.pause(1)
        told = {"outcome_code": trouble.code, "outcome_detail": trouble.detail, "outcome_remedy": trouble.remedy, **said}
        with transaction.atomic():
            self.lease.leave(Event.DOUBTED, not_before=clock.now() + pause, **told)
            self._let_go(pause)

    def _look(self, handler: Handler | None) -> None:
        if handler is None:
            self._give_up(Unclear("The process that did this ended before AWS had answered."))
            return
        operation = self.operation
        age = clock.now() - (operation.sent_at or operation.created_at)
        so_far = SoFar(operation.accepted, operation.before_state, operation.after_state, age)
        try:
            sight = handler.verify(self._work(), so_far)
        except CloudconsoleError as error:
            passing = isinstance(error, AwsError) and error.retryable
            sight = NotYet(operation.after_state) if passing else Unclear(f"AWS did not show what became of it: {error.detail}")
        self._seen(handler, sight, age)

    def _seen(self, handler: Handler, sight: Reached | NotYet | Missed | Unclear, age: timedelta) -> None:
        match sight:
            case Reached():
                self._succeed(sight)
            case Missed():
                self._miss(sight)
            case Unclear():
                self._give_up(sight)
            case NotYet() if age > handler.patience:
                minutes = round(handler.patience.total_seconds() / 60)
                shown = f" AWS shows it as {sight.state}." if sight.state else ""
                self._give_up(Unclear(f"It was not as wanted after {minutes} minutes.{shown}", state=sight.state))
            case NotYet():
                self._wait(sight)

    def _wait(self, sight: NotYet) -> None:
        looks = self.operation.looks + 1
        pause = rules.pause(looks)
        with transaction.atomic():
            self.lease.leave(Event.REST, looks=looks, after_state=sight.state, not_before=clock.now() + pause)
            self._let_go(pause)

    def _let_go(self, pause: timedelta) -> None:
        """In the transaction that lets the operation go: keep the calls, tell the pages, and have somebody look again."""
        self.watch.store(self.operation)
        moves.publish(self.operation)
        jobs.enqueue_later(RUN, pause, operation_id=self.operation.pk)

    # --- ending

    def _succeed(self, sight: Reached, **changes: object) -> None:
        result = {**self.operation.result, **sight.result}
        told = {"outcome_code": "", "outcome_detail": sight.detail, "outcome_remedy": "", "after_state": sight.state}
        told |= {"aws_code": "", "aws_message": ""}  # of a call that was in doubt
        self._end(Event.SUCCEED, **{**told, "result": result, **changes})

    def _miss(self, sight: Missed) -> None:
        told = {"outcome_code": sight.code, "outcome_detail": self._with_doubt(sight.detail), "outcome_remedy": sight.remedy}
        self._end(Event.FAIL, **told, after_state=sight.state)

    def _give_up(self, sight: Unclear) -> None:
        detail = self._with_doubt(sight.detail)
        told = {"outcome_code": "outcome_unknown", "outcome_detail": detail, "outcome_remedy": sight.remedy}
        self._end(Event.GIVE_UP, **told, after_state=sight.state or self.operation.after_state)

    def _fail(self, error: CloudconsoleError, handler: Handler | None = None) -> None:
        self.failure = error
        told = Trouble(error.code, error.detail, getattr(error, "remedy", ""))
        aws: dict[str, object] = {}
        if isinstance(error, AwsError):
            told = handler.explain(error) if handler else told
            aws = self._said(error)
        self._end(Event.FAIL, outcome_code=told.code, outcome_detail=told.detail, outcome_remedy=told.remedy, **aws)

    def _end_exhausted(self) -> None:
        if self.operation.phase == Phase.NEW:
            self._end(Event.FAIL, outcome_code=_LOST_TO_WORKERS.code, outcome_detail=_LOST_TO_WORKERS.detail)
        else:
            self._give_up(Unclear("Workers ended several times while this was under way."))

    def _end(self, event: Event, **changes: object) -> None:
        with transaction.atomic():
            self.lease.leave(event, finished_at=clock.now(), not_before=None, **changes)
            self.watch.store(self.operation)
            moves.publish(self.operation)
            trail.finished(_fresh(self.operation))

    def _with_doubt(self, detail: str) -> str:
        """`detail`, after what made it doubtful whether AWS does it."""
        operation = self.operation
        is_doubted = operation.phase == Phase.VERIFYING and not operation.accepted
        return f"{operation.outcome_detail} {detail}".strip() if is_doubted else detail

    def _said(self, error: AwsError) -> dict[str, object]:
        """AWS's own words, as they are kept."""
        ids = self._request_ids(error.request_id)
        return {"aws_code": error.aws_code[:128], "aws_message": error.aws_message, "aws_request_ids": ids}

    def _request_ids(self, request_id: str) -> list[str]:
        known: list[str] = self.operation.aws_request_ids
        return [*known, request_id] if request_id and request_id not in known else known


def _fresh(operation: Operation) -> Operation:
    return Operation.objects.select_related("account__hub", "requested_by").get(pk=operation.pk)
