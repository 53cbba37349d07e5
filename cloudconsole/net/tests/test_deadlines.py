"""The one thread that ends what takes too long."""

from __future__ import annotations

import multiprocessing
import threading
from contextlib import ExitStack

from cloudconsole.net import deadlines
from cloudconsole.net.deadlines import Watch

WITHIN_S = 30  # of everything that comes at once; on a busy machine it takes longer


def fail() -> None:
    raise RuntimeError("an end that fails")


def test_what_lasts_too_long_is_ended_once() -> None:
    watch, ended, later = Watch(), threading.Semaphore(0), threading.Event()
    with watch.within(0.05, ended.release):
        assert ended.acquire(timeout=WITHIN_S)
        with watch.within(0.05, later.set):  # the watch goes on behind it
            assert later.wait(WITHIN_S)
    assert not ended.acquire(blocking=False)


def test_an_earlier_deadline_does_not_wait_for_a_later_one() -> None:
    watch, soon, late = Watch(), threading.Event(), threading.Event()
    with watch.within(600, late.set), watch.within(0.05, soon.set):
        assert soon.wait(WITHIN_S)
    assert not late.is_set()


def test_many_end_each_by_itself_and_what_was_in_time_is_left_alone() -> None:
    watch, ended, left = Watch(), [threading.Event() for _ in range(50)], [threading.Event() for _ in range(50)]
    with ExitStack() as stack:
        for one in left:
            with watch.within(0.3, one.set):
                pass
        for number, one in enumerate(ended):
            stack.enter_context(watch.within(0.5 - number / 100, one.set))
        assert all(one.wait(WITHIN_S) for one in ended)
    assert not any(one.is_set() for one in left)


def test_an_end_that_fails_does_not_end_the_watch() -> None:
    watch, ended = Watch(), threading.Event()
    with watch.within(0.01, fail), watch.within(0.05, ended.set):
        assert ended.wait(WITHIN_S)


def test_what_ends_while_it_is_looked_at_does_not_end_the_watch() -> None:
    """As a collection of garbage may do, in the watching thread, to what was forgotten."""
    watch, ended, forgotten = Watch(), threading.Event(), ExitStack()

    class Moment(float):
        def __radd__(self, now: float) -> Moment:
            return Moment(now + float(self))

        def __le__(self, now: float) -> bool:
            forgotten.close()
            return float(self) <= now

    with watch.within(0.2, ended.set):
        forgotten.enter_context(watch.within(Moment(0.05), fail))
        assert ended.wait(WITHIN_S)


def test_a_forked_process_watches_for_itself() -> None:
    with deadlines.within(600, fail):  # this process has its thread, which no child inherits
        child = multiprocessing.get_context("fork").Process(target=_end_in_child)
        child.start()
        child.join(WITHIN_S)
    assert child.exitcode == 0


def _end_in_child() -> None:
    ended = threading.Event()
    with deadlines.within(0.05, ended.set):
        raise SystemExit(0 if ended.wait(WITHIN_S) else 1)
