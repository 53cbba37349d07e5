"""Threads that are kept from one request to the next."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from cloudconsole.core.threads import Threads

WITHIN_S = 30


def who(executor: ThreadPoolExecutor) -> int:
    return executor.submit(threading.get_ident).result(WITHIN_S)


def settled(executor: ThreadPoolExecutor) -> None:
    """Everything that it was left to do is done."""
    executor.submit(int).result(WITHIN_S)


def test_the_next_request_has_the_same_thread() -> None:
    threads = Threads()
    first = threads.take()
    thread = who(first)
    threads.give_back(first)
    settled(first)
    again = threads.take()
    assert (again is first, who(again)) == (True, thread)
    again.shutdown()


def test_a_thread_that_is_still_busy_serves_nobody_else() -> None:
    threads, done = Threads(), threading.Event()
    busy = threads.take()
    busy.submit(done.wait, WITHIN_S)
    threads.give_back(busy)
    other = threads.take()
    assert other is not busy
    done.set()
    settled(busy)
    assert threads.take() is busy
    busy.shutdown()
    other.shutdown()


def test_no_more_threads_are_kept_than_are_wanted() -> None:
    threads = Threads(most_idle=1)
    many = [threads.take() for _ in range(3)]
    for one in many:
        who(one)
        threads.give_back(one)
        one.shutdown()  # waits for what it was left to do
    assert [threads.take() is one for one in (many[0], many[0])] == [True, False]
