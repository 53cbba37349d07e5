"""How long an instance ran: the best guess, and bounds that the truth never leaves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from resources.rules import transitions, uptime
from resources.rules.transitions import Change, Sighting
from resources.rules.uptime import Uptime

START = datetime(2026, 11, 1, tzinfo=UTC)
END = START + timedelta(days=10)
_MINUTE = timedelta(minutes=1)


def at(minutes: int) -> datetime:
    return START + minutes * _MINUTE


def ask(changes: list[Change], *, known_until: datetime = END, existed_from: datetime | None = None) -> Uptime:
    return uptime.uptime(changes, START, END, known_until=known_until, existed_from=existed_from)


@st.composite
def lives(draw: st.DrawFn) -> tuple[list[tuple[datetime, str]], list[datetime]]:
    """What an instance really did (moments and states, from before START on), and when it was looked at."""
    moments = sorted(draw(st.sets(st.integers(-3000, 14_000), min_size=1, max_size=12)))
    states = [("running", "stopped")[index % 2] for index in range(draw(st.integers(0, 1)), len(moments) + 1)][: len(moments)]
    looks = sorted(draw(st.sets(st.integers(-3000, 14_390), min_size=1, max_size=25)))
    return [(at(moment), state) for moment, state in zip(moments, states, strict=False)], [at(look) for look in looks]


def truth(life: list[tuple[datetime, str]]) -> float:
    """The seconds in [START, END) in which it ran."""
    ends = [*(moment for moment, _ in life[1:]), END]
    spans = [
        (max(begin, START), min(end, END)) for (begin, state), end in zip(life, ends, strict=True) if state == uptime.RUNNING
    ]
    return sum(max(0.0, (end - begin).total_seconds()) for begin, end in spans)


def starts_between(life: list[tuple[datetime, str]], start: datetime, end: datetime) -> int:
    return sum(state == uptime.RUNNING and start < moment <= end for moment, state in life)


def seen(life: list[tuple[datetime, str]], looks: list[datetime], *, told: bool) -> list[Change]:
    """The changes that looking at it at these moments brings to light."""
    sightings = []
    for look in looks:
        past = [(moment, state) for moment, state in life if moment <= look]
        if not past:
            continue
        launched = max((moment for moment, state in past if state == uptime.RUNNING), default=None)
        reason = f"User initiated ({past[-1][0]:%Y-%m-%d %H:%M:%S} GMT)" if told and past[-1][1] == "stopped" else ""
        sightings.append(Sighting(past[-1][1], look, look, launched, reason, life[0][0]))
    if not sightings:
        return []
    changes = transitions.first(sightings[0])
    for before, after in pairwise(sightings):
        changes += transitions.between(before, after)
    return changes


@given(lives(), st.booleans())
def test_the_truth_lies_between_the_bounds_and_so_does_the_guess(
    lived: tuple[list[tuple[datetime, str]], list[datetime]], told: bool
) -> None:
    life, looks = lived
    assume(all(starts_between(life, *pair) <= 1 for pair in pairwise(looks)))  # of two, the first leaves no trace in AWS
    changes = seen(life, looks, told=told)
    if not changes:
        return
    within = [change for change in changes if change.not_after >= START]
    state = changes[-1].to_state
    found = ask(within or [Change(state, state, START, START)], known_until=looks[-1], existed_from=life[0][0])
    assert found.at_least <= truth(life) <= found.at_most + 1
    assert 0 <= found.at_least <= found.seconds <= found.at_most <= (END - START).total_seconds()


@given(lives())
def test_changes_follow_each_other_in_state_and_time(lived: tuple[list[tuple[datetime, str]], list[datetime]]) -> None:
    changes = seen(*lived, told=True)
    for before, after in pairwise(changes):
        assert after.from_state == before.to_state
        assert after.not_after >= before.not_after
        assert after.not_before is None or after.not_before <= after.not_after


def test_an_instance_that_was_launched_and_runs_is_known_to_the_second() -> None:
    launched = at(60)
    found = ask([Change("", "running", launched, launched)], existed_from=launched)
    assert (found.seconds, found.uncertainty) == (int((END - launched).total_seconds()), 0)


def test_what_was_before_the_first_look_is_possible_but_not_certain() -> None:
    found = ask([Change("", "stopped", at(600), at(600))])
    assert (found.at_least, found.at_most) == (0, 36_000)


def test_the_last_run_of_what_is_first_seen_stopped_is_known_where_aws_dates_both_ends() -> None:
    dated = Sighting("stopped", at(600), at(600), at(100), "User initiated (2026-11-01 01:50:00 GMT)")
    changes = transitions.first(dated)
    assert changes == [Change("", "running", at(100), at(100)), Change("running", "stopped", at(110), at(110))]
    found = ask(changes)
    assert (found.at_least, found.at_most) == (600, 6600)
    never = Sighting("stopped", at(600), at(600), at(200), "User initiated (2026-11-01 01:50:00 GMT)")
    assert transitions.first(never) == [Change("", "stopped", at(110), at(110))]


def test_a_stop_between_two_looks_is_guessed_in_the_middle() -> None:
    found = ask([Change("", "running", at(0), at(0)), Change("running", "stopped", at(100), at(110))], existed_from=at(0))
    assert (found.seconds, found.at_least, found.at_most) == (105 * 60, 100 * 60, 110 * 60)


def test_a_restart_that_nobody_saw_shows_in_the_launch_time() -> None:
    before = Sighting("running", at(0), at(0), at(-100))
    after = Sighting("running", at(10), at(10), at(7))
    assert transitions.between(before, after) == [
        Change("running", "stopped", at(0), at(7)),
        Change("stopped", "running", at(7), at(7)),
    ]


def test_a_stop_that_aws_dates_is_exact_and_one_without_a_date_is_not() -> None:
    before = Sighting("running", at(0), at(0), at(-100))
    dated = Sighting("stopped", at(10), at(10), at(-100), "User initiated (2026-11-01 00:04:00 GMT)")
    by_aws = Sighting("stopped", at(10), at(10), at(-100), "Server.SpotInstanceTermination")
    assert transitions.between(before, dated) == [Change("running", "stopped", at(4), at(4))]
    assert transitions.between(before, by_aws) == [Change("running", "stopped", at(0), at(10))]


def test_a_moment_that_cannot_be_is_not_believed() -> None:
    before = Sighting("running", at(5), at(5), at(-100))
    after = Sighting("stopped", at(10), at(10), at(-100), "User initiated (2026-11-01 00:01:00 GMT)")
    assert transitions.between(before, after) == [Change("running", "stopped", at(5), at(10))]
    assert transitions.told_moment("User initiated (2026-13-45 99:00:00 GMT)") is None
