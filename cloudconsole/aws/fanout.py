"""The same question to many accounts and regions at once: bounded, with a deadline, and one answer per target.

A broken account, a disabled region or a slow endpoint is that target's outcome and nobody else's.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from dataclasses import dataclass
from typing import Generic, TypeVar

import structlog

from cloudconsole.aws import attempts
from cloudconsole.aws.clients import MAX_CONNECTIONS
from cloudconsole.aws.errors import DeadlineExceeded
from cloudconsole.aws.rates import Rate, bucket_for
from cloudconsole.core.errors import CloudconsoleError, Kind

log = structlog.get_logger(__name__)

# Low on purpose: the account's own automation draws from the same limits of AWS.
DEFAULT_RATE = Rate(per_second=5, burst=10)

T = TypeVar("T")
R = TypeVar("R")


class UnexpectedFailure(CloudconsoleError):
    """A defect in the call of one target; the details are in the log."""

    kind = Kind.UNAVAILABLE
    code = "unexpected_failure"
    title = "Cloudconsole failed here"


@dataclass(frozen=True)
class Answered(Generic[T, R]):
    """The target answered."""

    target: T
    value: R


@dataclass(frozen=True)
class Failed(Generic[T]):
    """The target did not: an AwsError, DeadlineExceeded, another expected error, or UnexpectedFailure."""

    target: T
    error: CloudconsoleError


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a fan-out is."""

    done: int
    failed: int
    total: int


@dataclass(frozen=True)
class Budget(Generic[T]):
    """What one account in one region may be asked: `key_of` names both, `in_flight` is the number of calls at once."""

    key_of: Callable[[T], Hashable]
    rate: Rate = DEFAULT_RATE
    in_flight: int = 4


def run(
    targets: Sequence[T],
    call: Callable[[T], R],
    *,
    concurrency: int,
    deadline_s: float,
    on_progress: Callable[[Progress], None] | None = None,
    rate: Budget[T] | None = None,
) -> list[Answered[T, R] | Failed[T]]:
    """`call` on every target, one outcome each in the order of `targets`; never raises for one of them.

    What is not answered `deadline_s` seconds from now has failed with DeadlineExceeded. Calls that are then under way
    end with their present HTTP attempt, in the background. `on_progress` is called in this thread. Context variables
    of the caller are visible to `call`. At most MAX_CONNECTIONS calls run at once.
    """
    return _Run(targets, call, min(concurrency, MAX_CONNECTIONS), deadline_s, rate).outcomes(on_progress)


class _Run(Generic[T, R]):
    """One fan-out. The caller's thread hands out the work in turns over the budgets, so that none can starve another."""

    def __init__(
        self,
        targets: Sequence[T],
        call: Callable[[T], R],
        concurrency: int,
        deadline_s: float,
        budget: Budget[T] | None,
    ) -> None:
        self._targets = targets
        self._call = call
        self._concurrency = concurrency
        self._deadline = time.monotonic() + deadline_s
        self._budget = budget
        self._waiting: dict[Hashable, deque[int]] = {}
        self._running: dict[Future[R], tuple[int, Hashable]] = {}
        self._outcomes: dict[int, Answered[T, R] | Failed[T]] = {}

    def outcomes(self, on_progress: Callable[[Progress], None] | None) -> list[Answered[T, R] | Failed[T]]:
        for index, target in enumerate(self._targets):
            self._waiting.setdefault(self._key(target), deque()).append(index)
        pool = ThreadPoolExecutor(max_workers=self._concurrency, thread_name_prefix="aws-fanout")
        try:
            while self._waiting or self._running:
                if not self._step(pool):
                    break
                self._tell(on_progress)
        finally:
            # Without waiting: a thread that hangs in a socket must not hold up the answers of the others.
            pool.shutdown(wait=False, cancel_futures=True)
        self._give_up()
        self._tell(on_progress)
        return [self._outcomes[index] for index in range(len(self._targets))]

    def _key(self, target: T) -> Hashable:
        return self._budget.key_of(target) if self._budget else None

    def _step(self, pool: ThreadPoolExecutor) -> bool:
        """Start what may start, then wait for an end, a token or the deadline. False when the deadline has come."""
        pause = self._start(pool)
        left = self._deadline - time.monotonic()
        if left <= 0:
            return False
        timeout = left if pause is None else min(left, pause)
        if self._running:
            self._collect(wait(self._running, timeout=timeout, return_when=FIRST_COMPLETED).done)
        else:
            time.sleep(timeout)
        return True

    def _start(self, pool: ThreadPoolExecutor) -> float | None:
        """Start one target of each key in turn while there is room. Seconds until the next token, if one is awaited."""
        pauses: list[float] = []
        ready = deque(self._waiting)
        while ready and len(self._running) < self._concurrency:
            key = ready.popleft()
            if self._in_flight(key) >= self._limit():
                continue
            pause = self._take(key)
            if pause > 0:
                pauses.append(pause)
                continue
            self._submit(pool, key)
            if key in self._waiting:
                ready.append(key)
        return min(pauses, default=None)

    def _submit(self, pool: ThreadPoolExecutor, key: Hashable) -> None:
        queue = self._waiting.pop(key)
        index = queue.popleft()
        if queue:
            self._waiting[key] = queue  # at the end: the others come first
        future = pool.submit(copy_context().run, self._one, self._targets[index])
        self._running[future] = (index, key)

    def _one(self, target: T) -> R:
        with attempts.until(self._deadline):
            return self._call(target)

    def _limit(self) -> int:
        return self._budget.in_flight if self._budget else self._concurrency

    def _in_flight(self, key: Hashable) -> int:
        return sum(1 for _, running in self._running.values() if running == key)

    def _take(self, key: Hashable) -> float:
        return bucket_for(key, self._budget.rate).take() if self._budget else 0.0

    def _collect(self, done: set[Future[R]]) -> None:
        for future in done:
            index, _ = self._running.pop(future)
            failure = future.exception()
            target = self._targets[index]
            self._outcomes[index] = Answered(target, future.result()) if failure is None else Failed(target, _expected(failure))

    def _give_up(self) -> None:
        self._collect({future for future in self._running if future.done() and not future.cancelled()})
        for index, target in enumerate(self._targets):
            if index not in self._outcomes:
                error = DeadlineExceeded("The time set for all accounts was over before this one had answered.")
                self._outcomes[index] = Failed(target, error)

    def _tell(self, on_progress: Callable[[Progress], None] | None) -> None:
        if on_progress is not None:
            failed = sum(1 for outcome in self._outcomes.values() if isinstance(outcome, Failed))
            on_progress(Progress(done=len(self._outcomes), failed=failed, total=len(self._targets)))


def _expected(failure: BaseException) -> CloudconsoleError:
    if isinstance(failure, CloudconsoleError):
        return failure
    if not isinstance(failure, Exception):
        raise failure  # an interrupt is for the whole process
    log.error("fanout_target_failed", exc_info=failure)
    unexpected = UnexpectedFailure("Cloudconsole made a mistake with this target; its log says more.")
    unexpected.__cause__ = failure
    return unexpected
