from __future__ import annotations

import time
from contextvars import ContextVar
from threading import Event, Lock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudconsole.aws import fanout, sts
from cloudconsole.aws.attempts import check_deadline
from cloudconsole.aws.clients import MAX_CONNECTIONS
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind, DeadlineExceeded
from cloudconsole.aws.fanout import Answered, Budget, Failed, Progress, UnexpectedFailure
from cloudconsole.aws.rates import Rate, TokenBucket
from cloudconsole.aws.tests.conftest import access_with
from cloudconsole.aws.tests.scripted import Endpoint, Hang, Reply, Request, whoami_reply, xml_error

_person: ContextVar[str] = ContextVar("person", default="nobody")
FREE = Rate(per_second=1e6, burst=1_000_000)

pytestmark = pytest.mark.usefixtures("real_rates")


def test_a_broken_account_is_its_own_outcome_only(endpoint: Endpoint) -> None:
    endpoint.script = lambda request: xml_error("AccessDenied") if request.key_id.endswith("3") else whoami_reply(request)
    accounts = [access_with(f"AKIA{number}") for number in range(6)]
    outcomes = fanout.run(accounts, sts.whoami, concurrency=4, deadline_s=30)
    assert [outcome.target for outcome in outcomes] == accounts
    for number, outcome in enumerate(outcomes):
        if number == 3:
            assert isinstance(outcome, Failed)
            assert isinstance(outcome.error, AwsError)
            assert outcome.error.cause is AwsErrorKind.ACCESS_DENIED
        else:
            assert isinstance(outcome, Answered)
            assert outcome.value.arn.endswith(f"AKIA{number}")


def test_what_hangs_at_the_deadline_has_failed_and_the_rest_has_answered(endpoint: Endpoint) -> None:
    released = Event()

    def script(request: Request) -> Reply | Hang:
        return Hang(released) if request.key_id == "AKIASLOW" else whoami_reply(request)

    endpoint.script = script
    accounts = [access_with("AKIASLOW"), *(access_with(f"AKIA{number}") for number in range(8))]
    sts.whoami(access_with("AKIAFIRST"))  # making the client is not what the deadline is for
    started = time.monotonic()
    slow, *others = fanout.run(accounts, sts.whoami, concurrency=2, deadline_s=3)
    assert time.monotonic() - started < 10  # who waits for the silent one waits for its read timeout, three times
    released.set()
    assert isinstance(slow, Failed)
    assert isinstance(slow.error, DeadlineExceeded)
    assert all(isinstance(outcome, Answered) for outcome in others)


def test_no_attempt_is_started_after_the_deadline(endpoint: Endpoint) -> None:
    begun, over, ended = Event(), Event(), Event()
    seen: list[BaseException] = []

    def late(access: Access) -> None:
        begun.set()
        over.wait(10)
        try:
            sts.whoami(access)
        except DeadlineExceeded as error:
            seen.append(error)
        ended.set()

    outcomes = fanout.run([access_with("AKIALATE")], late, concurrency=1, deadline_s=1)
    assert begun.is_set()
    over.set()
    assert ended.wait(10)
    assert isinstance(outcomes[0], Failed)
    assert len(seen) == 1
    assert endpoint.requests == []


def test_work_that_never_started_has_failed_at_the_deadline() -> None:
    over = Event()
    outcomes = fanout.run(range(50), lambda _: over.wait(10), concurrency=2, deadline_s=0.1)
    over.set()
    assert len(outcomes) == 50
    assert {outcome.error.code for outcome in outcomes if isinstance(outcome, Failed)} == {"deadline_exceeded"}


def test_a_defect_in_one_target_is_an_outcome_too() -> None:
    outcomes = fanout.run([1, 0, 2], lambda number: 10 // number, concurrency=2, deadline_s=30)
    assert [type(outcome) for outcome in outcomes] == [Answered, Failed, Answered]
    failed = outcomes[1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, UnexpectedFailure)
    assert isinstance(failed.error.__cause__, ZeroDivisionError)


def test_the_callers_context_is_seen_and_not_changed() -> None:
    def call(name: str) -> str:
        before = _person.get()
        _person.set(name)
        return before

    token = _person.set("alice")
    try:
        outcomes = fanout.run(["bob"] * 5, call, concurrency=2, deadline_s=30)
        assert [outcome.value for outcome in outcomes if isinstance(outcome, Answered)] == ["alice"] * 5
        assert _person.get() == "alice"
    finally:
        _person.reset(token)
    check_deadline()


def test_progress_is_told_to_the_end() -> None:
    told: list[Progress] = []
    fanout.run([1, 0, 2, 4], lambda number: 4 // number, concurrency=1, deadline_s=30, on_progress=told.append)
    assert [progress.done for progress in told] == sorted(progress.done for progress in told)
    assert told[-1] == Progress(done=4, failed=1, total=4)


def test_nothing_to_do_is_done_at_once() -> None:
    assert fanout.run([], str, concurrency=4, deadline_s=1) == []


class Watermark:
    """How many calls ran at once, at most."""

    def __init__(self) -> None:
        self.lock, self.now, self.most = Lock(), 0, 0
        self.crowded = Event()

    def call(self, _: object) -> None:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        self.crowded.wait(0.02)
        with self.lock:
            self.now -= 1


@pytest.mark.parametrize(("wished", "given"), [(3, 3), (500, MAX_CONNECTIONS)])
def test_no_more_calls_run_at_once_than_allowed(wished: int, given: int) -> None:
    watermark = Watermark()
    fanout.run(range(200), watermark.call, concurrency=wished, deadline_s=30)
    assert watermark.most <= given


def test_one_account_never_takes_all_threads() -> None:
    watermark = Watermark()
    budget = Budget[str](key_of=lambda target: ("crowd", target[0]), rate=FREE, in_flight=2)
    fanout.run(["a1", "a2", "a3", "a4", "a5"], watermark.call, concurrency=8, deadline_s=30, rate=budget)
    assert watermark.most == 2


def test_accounts_take_turns() -> None:
    order: list[str] = []
    budget = Budget[str](key_of=lambda target: ("turns", target[0]), rate=FREE)
    fanout.run(["a1", "a2", "a3", "b1", "b2", "c1"], order.append, concurrency=1, deadline_s=30, rate=budget)
    assert order == ["a1", "b1", "c1", "a2", "b2", "a3"]


def test_an_account_is_not_asked_more_often_than_its_rate_allows() -> None:
    budget = Budget[int](key_of=lambda _: "rated", rate=Rate(per_second=50, burst=1))
    started = time.monotonic()
    fanout.run(range(6), str, concurrency=6, deadline_s=30, rate=budget)
    assert time.monotonic() - started >= 0.09


def test_waiting_for_one_accounts_rate_does_not_hold_up_another() -> None:
    def key_of(target: str) -> str:
        return f"held-{target[0]}"

    order: list[str] = []
    budget = Budget[str](key_of=key_of, rate=Rate(per_second=1, burst=2))
    fanout.run(["a1", "a2", "a3", "b1", "b2"], order.append, concurrency=1, deadline_s=30, rate=budget)
    assert order[-1] == "a3"


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.booleans())), st.integers(1, 8))
def test_every_target_has_exactly_one_outcome_in_order(targets: list[tuple[int, bool]], concurrency: int) -> None:
    def call(target: tuple[int, bool]) -> int:
        if target[1]:
            raise DeadlineExceeded("This one fails.")
        return target[0]

    budget = Budget[tuple[int, bool]](key_of=lambda target: ("property", target[0]), rate=FREE)
    outcomes = fanout.run(targets, call, concurrency=concurrency, deadline_s=30, rate=budget)
    assert [outcome.target for outcome in outcomes] == targets
    assert [isinstance(outcome, Failed) for outcome in outcomes] == [fails for _, fails in targets]


def test_a_bucket_gives_its_burst_and_then_its_rate() -> None:
    bucket, started = TokenBucket(Rate(per_second=2, burst=3)), time.monotonic()
    assert [bucket.take() for _ in range(3)] == [0.0, 0.0, 0.0]
    assert 0 < bucket.take() <= 0.5
    bucket.wait()
    assert time.monotonic() - started >= 0.5
