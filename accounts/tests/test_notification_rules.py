"""When an alert may be said, across time zones and changes of clocks; what an answer means; how a webhook is signed."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.alerts import Severity
from accounts.rules import notices, retries, signatures
from accounts.rules.notices import Digest, Timing
from accounts.rules.retries import Verdict

_MINUTE = timedelta(minutes=1)
ZONES = [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu")]
# Around the changes of clocks of these zones in 2026, and any other time of the year.
CHANGES = [datetime(2026, month, day, tzinfo=UTC) for month, day in ((3, 8), (3, 29), (4, 4), (10, 3), (10, 25), (11, 1))]
near_a_change = st.builds(
    lambda day, minutes: day + timedelta(minutes=minutes), st.sampled_from(CHANGES), st.integers(-1500, 3000)
)
any_moment = st.integers(0, 366 * 24 * 60).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes))
moments = near_a_change | any_moment
clocks = st.builds(time, st.integers(0, 23), st.integers(0, 59))
quiet = st.tuples(clocks, clocks).filter(lambda span: span[0] != span[1])
timings = st.builds(Timing, st.sampled_from(ZONES), st.none() | quiet, st.sampled_from(Digest), clocks, st.booleans())


@given(timings, moments)
def test_nothing_is_due_in_quiet_hours_or_before_now(timing: Timing, now: datetime) -> None:
    due = notices.due(timing, Severity.WARNING, now)
    assert due >= now
    assert not notices.is_quiet(timing, due)
    assert due - now <= timedelta(days=2, hours=2)


@given(timings, moments)
def test_quiet_hours_end_at_the_first_minute_that_is_not_quiet(timing: Timing, now: datetime) -> None:
    end = notices.end_of_quiet(timing, now)
    before = max(end.replace(second=0, microsecond=0) - _MINUTE, now)
    assert end == now or notices.is_quiet(timing, before)


@given(timings, moments)
def test_what_is_critical_waits_only_where_it_is_told_to(timing: Timing, now: datetime) -> None:
    due = notices.due(timing, Severity.CRITICAL, now)
    assert due == (now if timing.critical_at_once else notices.due(timing, Severity.INFO, now))


@given(st.sampled_from(ZONES), clocks, st.sampled_from(CHANGES))
def test_a_daily_digest_comes_once_on_each_local_day(zone: ZoneInfo, at: time, around: datetime) -> None:
    timing = Timing(zone, None, Digest.DAILY, at)
    moment, days = around - timedelta(days=3), []
    for _ in range(6):
        moment = notices.due(timing, Severity.INFO, moment)
        days.append(moment.astimezone(zone).date())
    assert days == [days[0] + timedelta(days=number) for number in range(6)]


def test_quiet_hours_keep_their_times_when_clocks_change() -> None:
    timing = Timing(ZoneInfo("Europe/Berlin"), (time(22), time(7)))
    winter, summer = datetime(2026, 3, 27, 23, tzinfo=UTC), datetime(2026, 3, 29, 22, tzinfo=UTC)
    assert notices.end_of_quiet(timing, winter) == datetime(2026, 3, 28, 6, tzinfo=UTC)
    assert notices.end_of_quiet(timing, summer) == datetime(2026, 3, 30, 5, tzinfo=UTC)
    over_the_gap = Timing(ZoneInfo("Europe/Berlin"), (time(22), time(2, 30)))  # that time does not exist on this day
    assert notices.end_of_quiet(over_the_gap, datetime(2026, 3, 29, 0, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("routes", "severity", "wanted"),
    [
        ({}, Severity.CRITICAL, False),
        ({"": "warning"}, Severity.WARNING, True),
        ({"": "warning"}, Severity.INFO, False),
        ({"": "info", "a": "critical"}, Severity.WARNING, False),
        ({"": "never", "a": "info"}, Severity.INFO, True),
        ({"": "info", "a": "never"}, Severity.CRITICAL, False),
    ],
)
def test_a_kinds_own_route_comes_before_that_of_every_kind(routes: dict[str, str], severity: Severity, wanted: bool) -> None:
    assert notices.is_wanted(routes, "a", severity) is wanted


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *[(status, "sent") for status in (200, 202, 204)],
        *[(status, "never") for status in (301, 308, 400, 401, 403, 404, 410)],
        *[(status, "again") for status in (408, 425, 429, 500, 503, 599)],
    ],
)
def test_a_status_says_what_became_of_a_message(status: int, verdict: str) -> None:
    assert retries.of_status(status) is Verdict(verdict)


@given(st.integers(1, 30), st.text(max_size=20), st.none() | st.integers(0, 90_000))
def test_pauses_grow_and_never_undercut_what_the_receiver_asks(attempts: int, seed: str, asked: int | None) -> None:
    wait = timedelta(seconds=asked) if asked is not None else None
    pause = retries.pause(attempts, seed, wait)
    assert pause >= (wait or timedelta(seconds=24))
    assert pause <= max(wait or timedelta(), timedelta(minutes=72))
    assert retries.pause(attempts, seed, wait) == pause


@given(st.text(max_size=30))
def test_any_retry_after_is_a_time_to_come_or_none(header: str) -> None:
    wait = retries.retry_after(header, datetime(2026, 11, 28, tzinfo=UTC))
    assert wait is None or timedelta() <= wait <= timedelta(days=1)


def test_retry_after_is_read_as_seconds_and_as_a_date() -> None:
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert retries.retry_after("120", now) == timedelta(minutes=2)
    assert retries.retry_after(format_datetime(now + timedelta(minutes=5), usegmt=True), now) == timedelta(minutes=5)
    assert retries.retry_after(format_datetime(now - timedelta(minutes=5), usegmt=True), now) == timedelta()
    assert retries.retry_after("999999999", now) == timedelta(days=1)
    assert [retries.retry_after(text, now) for text in (None, "", "-1", "1.5", "soon", "٣")] == [None] * 6


@given(st.binary(max_size=200), st.integers(0, 2**40))
def test_a_signature_is_what_the_specification_says(body: bytes, timestamp: int) -> None:
    key = signatures.new_key()
    assert signatures.is_key(key)
    made = signatures.headers(key, "msg_1", timestamp, body)
    raw = base64.b64decode(key.removeprefix("whsec_"))
    expected = hmac.new(raw, f"msg_1.{timestamp}.".encode() + body, hashlib.sha256).digest()
    assert made["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"
    assert (made["webhook-id"], made["webhook-timestamp"]) == ("msg_1", str(timestamp))


def test_the_specifications_own_example_is_signed_the_same() -> None:
    key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made = signatures.headers(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_not base64!" * 3])
def test_what_is_no_key_is_told(text: str) -> None:
    assert not signatures.is_key(text)
