"""Reading limits: every known way of telling them, clocks that differ, and whatever else a header may hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.rules import presets, rate_limits, rate_windows, reset_times, structured_fields
from gateway.rules.rate_limits import Answer
from gateway.rules.rate_windows import Dialect, Empty, Sample, Unit, Window
from gateway.rules.reset_times import Clock
from gateway.tests import dialects, service_dialects
from gateway.tests.dialects import AT, EPOCH, Case, Told

CASES = {**dialects.CASES, **service_dialects.CASES}
CLOCK = Clock(AT, AT, timedelta())
NAMES = st.sampled_from(
    (
        "RateLimit",
        "RateLimit-Policy",
        "RateLimit-Limit",
        "RateLimit-Reset",
        "X-RateLimit-Remaining",
        "X-RateLimit-Reset",
        "Retry-After",
        "Date",
        "Age",
    )
)
TEXTS = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=40),
    st.from_regex(r"\A[0-9,.;=\"a-zA-Z: +-]{0,30}\Z"),
    st.integers().map(str),
    st.floats().map(str),
    st.datetimes().map(str),
)


def read(case: Case) -> list[Window]:
    return rate_limits.read(Answer(case.status, case.lines, AT), presets.profile(case.named))


def told(window: Window) -> Told:
    reset = None if window.reset_at is None else round((window.reset_at - AT).total_seconds(), 3)
    return Told(window.limit, window.remaining, window.used, reset, window.unit, window.policy, window.seconds, window.scope)


@pytest.mark.parametrize("name", CASES)
def test_every_way_of_telling_a_limit_is_read(name: str) -> None:
    case = CASES[name]
    found = read(case)
    assert [told(window) for window in found] == list(case.windows)
    if found:
        assert found[0].dialect is case.dialect


@pytest.mark.parametrize("name", CASES)
def test_the_names_of_headers_may_be_in_any_case(name: str) -> None:
    case = CASES[name]
    lower = rate_limits.read(
        Answer(case.status, [(key.upper(), value) for key, value in case.lines], AT), presets.profile(case.named)
    )
    assert [told(window) for window in lower] == list(case.windows)


@given(st.lists(st.tuples(NAMES, TEXTS), max_size=8), st.sampled_from((200, 403, 429, 500)))
def test_no_header_breaks_the_reading_or_makes_an_impossible_window(headers: list[tuple[str, str]], status: int) -> None:
    for window in rate_limits.read(Answer(status, headers, AT)):
        assert all(amount is None or amount >= 0 for amount in (window.limit, window.remaining, window.used, window.seconds))
        assert window.reset_at is None or timedelta(days=-1) <= window.reset_at - AT <= timedelta(days=366)


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-1", "-inf", "1e400", "", "soon", "99999999999999999999", "63072000", str(EPOCH + 63_072_000)]
)
def test_what_is_no_moment_of_the_next_year_is_none(text: str) -> None:
    assert reset_times.read(text, CLOCK) is None


@given(st.integers(1, 31_000_000))
def test_the_size_of_a_number_tells_what_it_means(seconds: int) -> None:
    """The same moment as a distance, and since 1970 in seconds, thousandths, and millionths."""
    moment = AT + timedelta(seconds=seconds)
    for text in (str(seconds), str(EPOCH + seconds), f"{EPOCH + seconds}000", f"{EPOCH + seconds}000000"):
        assert reset_times.read(text, CLOCK) == moment


@given(st.datetimes(datetime(2026, 6, 1), datetime(2027, 6, 1)), st.sampled_from(("+0100", "-0530", "+0000")))  # noqa: DTZ001
def test_a_date_of_javascript_keeps_its_zone(local: datetime, zone: str) -> None:
    text = f"{local:%a %b %d %Y %H:%M:%S} GMT{zone} (Somewhere)"
    sign = -1 if zone[0] == "-" else 1
    offset = sign * timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    assert reset_times.date_of(text) == (local - offset).replace(microsecond=0, tzinfo=UTC)


@given(st.integers(-80_000, 80_000))
def test_a_server_whose_clock_is_wrong_is_read_by_its_own_clock(skew: int) -> None:
    theirs = AT + timedelta(seconds=skew)
    headers = [
        ("Date", format_datetime(theirs, usegmt=True)),
        ("X-RateLimit-Limit", "10"),
        ("X-RateLimit-Remaining", "1"),
        ("X-RateLimit-Reset", str(int(theirs.timestamp()) + 300)),
    ]
    (window,) = rate_limits.read(Answer(200, headers, AT))
    assert window.reset_at is not None
    assert abs((window.reset_at - AT).total_seconds() - 300) <= 3


def test_an_answer_from_a_cache_counts_from_when_it_was_made() -> None:
    headers = [("Age", "20"), ("RateLimit-Limit", "10"), ("RateLimit-Remaining", "1"), ("RateLimit-Reset", "30")]
    (window,) = rate_limits.read(Answer(200, headers, AT))
    assert window.reset_at == AT + timedelta(seconds=10)


def test_how_long_to_wait_wins_over_the_reset() -> None:
    headers = [("X-RateLimit-Remaining", "0"), ("X-RateLimit-Limit", "5"), ("X-RateLimit-Reset", "3600"), ("Retry-After", "7")]
    (window,) = rate_limits.read(Answer(429, headers, AT))
    assert window.reset_at == AT + timedelta(seconds=7)


def test_fractions_are_rounded_to_the_careful_side() -> None:
    headers = [("X-Ratelimit-Used", "2.1"), ("X-Ratelimit-Remaining", "597.9"), ("X-Ratelimit-Reset", "287")]
    (window,) = rate_limits.read(Answer(200, headers, AT))
    assert (window.used, window.remaining) == (3, 597)


def test_of_several_waits_the_longest_counts() -> None:
    waits = [("Retry-After", "7"), ("Retry-After", "70"), ("retry-after-ms", "9")]
    (window,) = rate_limits.read(Answer(429, waits, AT))
    assert window.reset_at == AT + timedelta(seconds=70)


def test_refusals_that_tell_no_wait_wait_longer_each_time() -> None:
    waits = [rate_windows.pause_s(count) for count in range(1, 9)]
    assert waits == [30, 60, 120, 240, 480, 900, 900, 900]
    (window,) = rate_limits.read(Answer(429, [], AT), refusals=2)
    assert window.reset_at == AT + timedelta(seconds=120)


def test_a_list_that_breaks_its_standard_is_ignored() -> None:
    for text in ('"a";r=1,', '"a;r=1', '"a" "b"', '"a";R=1', "\x01"):
        with pytest.raises(structured_fields.NotStructured):
            structured_fields.items(text)
    assert rate_limits.read(Answer(200, [("RateLimit", '"a";r=1;t=5,')], AT)) == []


def test_a_quoted_name_may_hold_commas_and_quotes() -> None:
    (first, second) = structured_fields.items(r'"a, \"b\"";r=1;x=?1;y=:aGk=:;z=tok, c;w=1.5')
    assert (first.value, first.parameters) == ('a, "b"', {"r": 1, "x": True, "y": "aGk=", "z": "tok"})
    assert (second.value, second.parameters) == ("c", {"w": 1.5})


# --- the life of a window


def test_a_window_is_believed_until_its_reset_or_its_length_is_over() -> None:
    window = Window(Dialect.GENERIC, "x")
    assert rate_windows.believed_until(window, AT) == AT + timedelta(hours=1)
    assert rate_windows.believed_until(Window(Dialect.KONG, "x", seconds=60), AT) == AT + timedelta(seconds=60)
    assert rate_windows.believed_until(Window(Dialect.KONG, "x", reset_at=AT, seconds=60), AT) == AT


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_the_share_left_lies_between_nothing_and_all(limit: int, remaining: int) -> None:
    share = rate_windows.share_left(limit, remaining)
    assert share is None or 0 <= share <= 1
    assert (share == 0) == (remaining == 0)


def test_the_pace_since_the_last_refill_tells_when_a_window_runs_out() -> None:
    samples = [Sample(AT + timedelta(seconds=second), left) for second, left in ((0, 3), (10, 100), (20, 90), (30, 80))]
    assert rate_windows.runs_out_at(samples, None) == AT + timedelta(seconds=110)
    assert rate_windows.runs_out_at(samples, AT + timedelta(seconds=60)) is None
    assert rate_windows.runs_out_at(samples[:2], None) is None


def test_of_several_empty_windows_the_last_to_fill_is_waited_for() -> None:
    near, far, past = (Empty(str(n), Unit.REQUESTS, AT + timedelta(seconds=n)) for n in (10, 90, -5))
    assert rate_windows.last_reset([near, far, past], AT) == far
    assert rate_windows.last_reset([past], AT) is None


# --- presets


def test_presets_are_whole() -> None:
    assert len(presets.PRESETS) >= 60
    for preset in presets.PRESETS:
        assert preset.base_url.startswith("https://"), preset.slug
        assert preset.scheme in {"bearer", "header", "basic", "query", "headers", "path"}, preset.slug
        assert preset.scheme not in {"header", "query", "headers"} or preset.auth_name, preset.slug
        assert preset.scheme != "path" or "{key}" in preset.base_url, preset.slug
        assert not preset.test_path or preset.test_path.startswith("/"), preset.slug


def test_a_service_is_known_by_its_host_its_variable_and_its_secret() -> None:
    assert presets.for_host("API.github.com") is presets.BY_SLUG["github"]
    assert presets.for_host("acme.openai.azure.com") is presets.BY_SLUG["azure-openai"]
    assert presets.for_host("a.b.openai.azure.com") is None
    assert presets.for_host("api.github.com.evil.example") is None
    assert presets.for_variable("openai_api_key") is presets.BY_SLUG["openai"]
    assert presets.for_secret("sk-ant-api03-x") is presets.BY_SLUG["anthropic"]
    assert presets.for_secret("nothing") is None
