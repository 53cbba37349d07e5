"""When points call for starting or stopping, and what a rule then does: the decisions without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.rules.automation import Machine
from resources.rules.metrics import METRICS, Kind, NotWatchable, dimension_value
from resources.rules.scaling import (
    Limits,
    Past,
    Point,
    Spares,
    Terms,
    choose,
    held_back,
    judge,
    latest_end,
    most_now,
    next_time,
    replay,
    settles,
    window_before,
)
from resources.rules.schedules import Deed

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
FIVE = timedelta(minutes=5)
TERMS = Terms(start_above=70, stop_below=30, needed=2, window=3, unit="%")
LIMITS = Limits(timedelta(minutes=15), starts_per_hour=2, at_once=1)

values = st.lists(st.none() | st.floats(0, 100), min_size=1, max_size=12)
periods = st.sampled_from([timedelta(seconds=seconds) for seconds in (60, 300, 900, 3600)])
moments = st.integers(0, 10**9).map(lambda seconds: NOON + timedelta(seconds=seconds / 2))


def points(*found: float | None) -> list[Point]:
    return [Point(NOON + number * FIVE, value) for number, value in enumerate(found)]


def machine(pk: int, state: str = "stopped", **tags: str) -> Machine:
    return Machine(pk, 1, "production", "eu-central-1", f"i-{pk:017x}", state, tags, f"spare-{pk}")


@pytest.mark.parametrize(
    ("seen", "deed"),
    [
        ((80, 75, 71), Deed.START),
        ((80, 20, 71), Deed.START),
        ((80, 70, 70), None),  # at the threshold is not above it
        ((10, 29.9, 50), Deed.STOP),
        ((30, 30, 30), None),
        ((None, None, None), None),
        ((None, 90, None), None),
        ((None, 90, 90), Deed.START),
    ],
)
def test_n_of_m_points_decide(seen: tuple[float | None, ...], deed: Deed | None) -> None:
    assert judge(TERMS, points(*seen)).deed is deed


def test_the_reason_counts_what_was_seen() -> None:
    assert judge(TERMS, points(80, None, 60)).why == "Of 3 points 1 above, 0 below, 1 missing; 2 have to be"
    assert judge(TERMS, points(80, 60, 90)).why == "2 of 3 points above 70\u00a0%"
    assert "no data" in judge(TERMS, points(None, None, None)).why


@given(values, st.floats(0, 100), st.floats(0, 100), st.data())
def test_missing_points_never_bring_a_rule_to_act(
    found: list[float | None], high: float, low: float, data: st.DataObject
) -> None:
    needed = data.draw(st.integers(1, len(found)))
    terms = Terms(max(high, low) + 1, min(high, low), needed, len(found))
    with_data, without = judge(terms, points(*found)), judge(terms, points(*[None] * len(found)))
    assert without.deed is None
    if with_data.deed is not None:
        beyond = [one for one in found if one is not None and (one > terms.start_above or one < terms.stop_below)]  # type: ignore[operator]
        assert len(beyond) >= needed


@given(values, st.floats(0, 99), st.data())
def test_with_more_than_half_of_the_points_both_never_hold(found: list[float | None], low: float, data: st.DataObject) -> None:
    needed = data.draw(st.integers(len(found) // 2 + 1, len(found)))
    terms = Terms(low + 1, low, needed, len(found))
    high_only, low_only = (
        judge(Terms(low + 1, None, needed, len(found)), points(*found)),
        judge(Terms(None, low, needed, len(found)), points(*found)),
    )
    assert not (high_only.deed and low_only.deed)
    assert judge(terms, points(*found)).deed == (high_only.deed or low_only.deed)


@given(st.lists(st.integers(0, 4000), max_size=30), st.integers(1, 5), st.integers(1, 6), st.integers(0, 3600))
def test_starts_of_an_hour_never_exceed_their_most(ago: list[int], most: int, at_once: int, rest: int) -> None:
    limits = Limits(timedelta(seconds=rest), most, at_once)
    starts = tuple(NOON - timedelta(seconds=seconds) for seconds in ago)
    past = Past(max(starts, default=None), starts)
    if not held_back(Deed.START, limits, past, NOON):
        in_the_hour = sum(seconds < 3600 for seconds in ago)
        assert 1 <= most_now(Deed.START, limits, past, NOON) <= most - in_the_hour


def test_a_rule_rests_after_it_acted_and_waits_for_what_is_under_way() -> None:
    assert held_back(Deed.START, LIMITS, Past(NOON - timedelta(minutes=14)), NOON) == "it acted 14 min ago and waits 15 min"
    assert held_back(Deed.START, LIMITS, Past(NOON - timedelta(minutes=15)), NOON) == ""
    assert held_back(Deed.STOP, LIMITS, Past(is_busy=True), NOON) == "what it asked for last is still under way"
    assert "most" in held_back(Deed.START, LIMITS, Past(NOON - FIVE * 4, (NOON - FIVE * 4,) * 2), NOON)
    assert held_back(Deed.STOP, LIMITS, Past(NOON - FIVE * 4, (NOON - FIVE * 4,) * 2), NOON) == ""


def test_the_first_by_name_are_started_and_the_last_are_stopped() -> None:
    stopped, running = [machine(pk) for pk in (3, 1, 2)], [machine(pk, "running") for pk in (3, 1, 2)]
    assert [one.pk for one in choose(Deed.START, stopped, 2, started=None, watched="").acts] == [1, 2]
    assert [one.pk for one in choose(Deed.STOP, running, 1, started=None, watched="").acts] == [3]


def test_what_is_watched_opted_out_or_of_others_is_left_alone() -> None:
    watched, out, foreign = (
        machine(1, "running"),
        machine(2, "running", **{"cloudconsole:automation": "off"}),
        machine(3, "running"),
    )
    choice = choose(Deed.STOP, [watched, out, foreign], 9, started=frozenset(), watched=watched.instance_id)
    assert choice.acts == ()
    assert choice.why_none == "1 × the rule did not start it; 1 × its tag keeps automation away; 1 × it is what is watched"


@given(moments, periods)
def test_each_period_is_judged_once_and_when_it_is_written(now: datetime, period: timedelta) -> None:
    end = latest_end(now, period)
    assert end.timestamp() % period.total_seconds() == 0
    assert timedelta() <= now - end - settles(period) < period
    following = next_time(now, period)
    assert now < following <= now + period
    assert latest_end(following, period) == end + period


@given(moments, periods, st.integers(1, 60))
def test_a_window_is_the_newest_periods_without_a_gap(now: datetime, period: timedelta, window: int) -> None:
    end = latest_end(now, period)
    seen = window_before(end, period, window, {end - period: 1.0, end: 9.0})
    assert [one.value for one in seen] == [None] * (window - 1) + [1.0]
    assert seen[0].at == end - window * period


@given(st.lists(st.none() | st.floats(0, 100), min_size=3, max_size=60), st.integers(0, 3), st.integers(0, 3))
def test_a_replay_keeps_the_limits_and_moves_only_what_there_is(
    found: list[float | None], startable: int, stoppable: int
) -> None:
    told = replay(TERMS, LIMITS, points(*found), FIVE, Spares(startable, stoppable))
    running = stoppable
    for moment in told:
        running += moment.count if moment.deed is Deed.START else -moment.count
        assert 0 <= running <= startable + stoppable
    assert all(b.at - a.at >= LIMITS.cooldown for a, b in pairwise(told))


def test_a_replay_starts_the_spare_one_once_and_stops_it_again() -> None:
    told = replay(TERMS, LIMITS, points(*[20] * 4, *[90] * 12, *[10] * 12), FIVE, Spares(1, 0))
    assert [(one.deed, one.count) for one in told] == [(Deed.START, 1), (Deed.STOP, 1)]


def test_the_thing_watched_is_named_by_its_id_or_its_arn() -> None:
    arn = "arn:aws:elasticloadbalancing:eu-central-1:123412341234"
    group = "arn:aws:autoscaling:eu-central-1:123412341234:autoScalingGroup:0f-1a:autoScalingGroupName/shop workers"
    assert (
        dimension_value(Kind.APPLICATION_BALANCER, f"{arn}:loadbalancer/app/shop/0123456789abcdef") == "app/shop/0123456789abcdef"
    )
    assert dimension_value(Kind.TARGET_GROUP, f"{arn}:targetgroup/shop/0123456789abcdef") == "targetgroup/shop/0123456789abcdef"
    assert dimension_value(Kind.GROUP, group) == "shop workers"
    assert dimension_value(Kind.INSTANCE, " i-0123456789abcdef0 ") == "i-0123456789abcdef0"
    for kind, text in ((Kind.NETWORK_BALANCER, "app/shop/0123456789abcdef"), (Kind.INSTANCE, "web-1"), (Kind.TARGET_GROUP, "")):
        with pytest.raises(NotWatchable):
            dimension_value(kind, text)


def test_every_metric_says_of_what_it_is_and_by_which_statistics() -> None:
    assert all(metric.statistics and metric.kinds and metric.unit for metric in METRICS.values())
    assert {kind for metric in METRICS.values() for kind in metric.kinds} == set(Kind)
