"""When instances are to run: weekdays, months, nights, holidays and clock changes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.rules.schedules import WEEKDAYS, Days, Deed, Edge, Hours, NotADay, Period, edges, is_on, moment_of, next_edge

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    ZoneInfo(name) for name in ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo", "Asia/Kolkata")
]
OFFICE = Period(Days(("mon", "tue", "wed", "thu", "fri")), time(8), time(18))
FIRST, LAST = date(2024, 1, 1), date(2027, 12, 31)
DAY = timedelta(days=1)


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type,misc]  # the first parts are a date


def local(edge: Edge, zone: ZoneInfo = BERLIN) -> str:
    return f"{edge.at.astimezone(zone):%a %d %H:%M} {edge.deed}"


def test_office_hours_of_a_week_in_winter() -> None:
    found = edges(Hours(BERLIN, (OFFICE,)), at(2026, 11, 27), at(2026, 12, 1))
    assert [local(edge) for edge in found] == [
        "Fri 27 08:00 start",
        "Fri 27 18:00 stop",
        "Mon 30 08:00 start",
        "Mon 30 18:00 stop",
    ]


def test_a_night_ends_on_the_next_day_and_on_no_holiday_begins_one() -> None:
    night = Hours(BERLIN, (Period(Days(("wed", "thu")), time(22), time(6)),), frozenset({date(2026, 12, 24)}))
    assert [local(edge) for edge in edges(night, at(2026, 12, 23), at(2026, 12, 26))] == [
        "Wed 23 22:00 start",
        "Thu 24 06:00 stop",
    ]


def test_periods_that_touch_are_one() -> None:
    both = Hours(BERLIN, (OFFICE, Period(Days(("fri",)), time(18), time(23))))
    assert [local(edge) for edge in edges(both, at(2026, 11, 27), at(2026, 11, 28))] == [
        "Fri 27 08:00 start",
        "Fri 27 23:00 stop",
    ]


@pytest.mark.parametrize(
    ("name", "days"),
    [
        ("mon#1", [date(2026, 3, 2)]),
        ("mon#5", [date(2026, 3, 30)]),
        ("fri#last", [date(2026, 3, 27)]),
        ("last", [date(2026, 3, 31)]),
        ("31", [date(2026, 3, 31)]),
    ],
)
def test_days_of_a_month(name: str, days: list[date]) -> None:
    march = [date(2026, 3, 1) + number * DAY for number in range(31)]
    assert [day for day in march if Days((name,)).hold(day)] == days


def test_the_last_day_of_february_is_found_in_leap_years_too() -> None:
    assert Days(("last",)).hold(date(2028, 2, 29))
    assert not Days(("last",)).hold(date(2028, 2, 28))
    assert Days(("last",)).hold(date(2026, 2, 28))


@pytest.mark.parametrize("name", ["monday", "mon#6", "0", "32", "mon#", ""])
def test_what_names_no_day_is_refused(name: str) -> None:
    with pytest.raises(NotADay):
        Days((name,))


def test_a_time_that_is_left_out_happens_at_the_clock_change() -> None:
    assert moment_of(date(2026, 3, 29), time(2, 30), BERLIN, last=False) == at(2026, 3, 29, 1)
    assert moment_of(date(2026, 3, 29), time(2, 0), BERLIN, last=True) == at(2026, 3, 29, 1)


def test_of_a_time_that_happens_twice_a_period_begins_at_the_first_and_ends_at_the_last() -> None:
    period = Hours(BERLIN, (Period(Days(("sun",)), time(2, 30), time(2, 45)),))
    assert edges(period, at(2026, 10, 25), at(2026, 10, 26)) == [
        Edge(at(2026, 10, 25, 0, 30), Deed.START),
        Edge(at(2026, 10, 25, 1, 45), Deed.STOP),
    ]


def test_the_next_edge_of_a_rare_day_is_found() -> None:
    leap = Hours(BERLIN, (Period(Days(("31",)), time(9), time(10)),))
    assert next_edge(leap, at(2026, 1, 31, 12)) == Edge(at(2026, 3, 31, 7), Deed.START)


times = st.times().map(lambda found: found.replace(second=0, microsecond=0))
names = st.one_of(
    st.sampled_from(WEEKDAYS),
    st.builds(lambda day, which: f"{day}#{which}", st.sampled_from(WEEKDAYS), st.sampled_from(["1", "2", "3", "4", "5", "last"])),
    st.one_of(st.integers(1, 31).map(str), st.just("last")),
)
periods = st.builds(
    lambda days, begin, end: Period(Days(tuple(days)), begin, end), st.lists(names, min_size=1, max_size=4), times, times
)
schedules = st.builds(
    lambda zone, found, holidays: Hours(zone, tuple(found), frozenset(holidays)),
    st.sampled_from(ZONES),
    st.lists(periods, min_size=1, max_size=3),
    st.sets(st.dates(FIRST, LAST), max_size=5),
)
days = st.dates(FIRST, LAST)


@given(schedules, days)
def test_starts_and_stops_take_turns_and_agree_with_the_state(hours: Hours, day: date) -> None:
    start = datetime.combine(day, time(), UTC)
    found = edges(hours, start, start + 20 * DAY)
    assert all(one.deed is not other.deed for one, other in pairwise(found))
    for edge in found:
        assert is_on(hours, edge.at) is (edge.deed is Deed.START)
        assert is_on(hours, edge.at - timedelta(seconds=1)) is (edge.deed is Deed.STOP)


@given(schedules, days, st.integers(0, 20 * 24 * 60))
def test_a_range_cut_anywhere_has_the_same_edges(hours: Hours, day: date, minutes: int) -> None:
    start = datetime.combine(day, time(), UTC)
    middle, end = start + timedelta(minutes=minutes), start + 20 * DAY
    assert edges(hours, start, middle) + edges(hours, middle, end) == edges(hours, start, end)


@pytest.mark.parametrize("zone", ZONES, ids=str)
def test_every_day_of_four_years_begins_and_ends_once(zone: ZoneInfo) -> None:
    """Also on the days of a clock change, and at the hours at which clocks are changed."""
    for begin, end in ((time(0), time(4)), (time(2), time(3)), (time(1, 30), time(2, 30)), (time(8), time(18))):
        hours = Hours(zone, (Period(Days(WEEKDAYS), begin, end),))
        start = moment_of(FIRST, time(12), zone, last=False) - DAY
        found = edges(hours, start, moment_of(LAST, time(12), zone, last=False))
        starts = [edge for edge in found if edge.deed is Deed.START]
        began = {edge.at.astimezone(zone).date() for edge in starts}
        missing = {FIRST + number * DAY for number in range((LAST - FIRST).days)} - began
        gone = {day for day in missing if moment_of(day, begin, zone, last=False) >= moment_of(day, end, zone, last=True)}
        assert missing == gone  # a period that the change leaves out as a whole does not run
        assert len(starts) == len(began)
