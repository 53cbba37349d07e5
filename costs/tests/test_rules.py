"""The pure decisions: which days to ask for, which are settled, what a charge is, who counts whom."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.aws.errors import AwsErrorKind
from costs.rules import charge_types, coverage, cubes, failures, schedule, settle, windows
from costs.rules.amounts import plain
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import CUBES, DIMENSIONS, Dimension
from costs.rules.windows import DayRange, first_of_month

DAY = timedelta(days=1)
FIRST, LAST = date(2024, 1, 1), date(2028, 12, 31)
EVERY_DAY = [FIRST + DAY * number for number in range((LAST - FIRST).days + 1)]
days = st.dates(FIRST, LAST)


@pytest.mark.parametrize("build", [windows.backfill, windows.refresh])
def test_every_day_of_five_years_gives_a_range_that_cost_explorer_takes(build: object) -> None:
    for today in EVERY_DAY:
        asked = build(today)  # type: ignore[operator]
        assert asked.start < asked.end <= first_of_month(today, months=1)
        assert asked.start <= today < asked.end
        assert asked.start >= first_of_month(today, months=-14)


def test_a_backfill_is_thirteen_whole_months_and_the_current_one() -> None:
    assert windows.backfill(date(2026, 11, 22)) == DayRange(date(2025, 10, 1), date(2026, 11, 23))
    assert windows.backfill(date(2026, 11, 30)) == DayRange(date(2025, 10, 1), date(2026, 12, 1))


@given(days)
def test_a_refresh_takes_in_the_previous_month_until_its_invoice_is_final(today: date) -> None:
    asked = windows.refresh(today)
    assert (asked.start == first_of_month(today, months=-1)) is (today.day <= 10)
    assert asked.start <= today - timedelta(days=5) or today.day <= 10


@given(days, st.integers(0, 500))
def test_a_refresh_after_a_pause_leaves_no_gap(today: date, pause: int) -> None:
    fresh_on = today - DAY * pause
    asked = windows.refresh(today, fresh_on)
    assert asked.start <= max(fresh_on, windows.backfill(today).start)
    assert asked.start >= first_of_month(today, months=-14)


@given(days, st.integers(1, 430), st.integers(1, 6))
def test_chunks_are_the_range_newest_first_without_gap_or_overlap(start: date, length: int, months: int) -> None:
    whole = DayRange(start, start + DAY * length)
    pieces = windows.chunks(whole, months)
    assert (pieces[0].end, pieces[-1].start) == (whole.end, whole.start)
    assert all(newer.start == older.end for newer, older in pairwise(pieces))
    assert all(piece.start.day == 1 for piece in pieces[:-1])


@given(days, st.integers(1, 430))
def test_halves_are_the_range(start: date, length: int) -> None:
    whole = DayRange(start, start + DAY * length)
    parts = windows.halves(whole)
    assert (parts is None) is (length == 1)
    if parts:
        assert (parts[1].start, parts[1].end, parts[0].end) == (whole.start, parts[0].start, whole.end)


@given(days, st.integers(1, 430))
def test_whole_months_and_edges_are_the_range(start: date, length: int) -> None:
    whole = DayRange(start, start + DAY * length)
    split = windows.by_whole_months(whole)
    pieces = sorted([*split.edges, *([split.months] if split.months else [])])
    assert (pieces[0].start, pieces[-1].end) == (whole.start, whole.end)
    assert all(first.end == second.start for first, second in pairwise(pieces))
    assert split.months is None or (split.months.start.day, split.months.end.day) == (1, 1)


def test_a_day_is_complete_two_days_after_its_end() -> None:
    day = date(2026, 11, 15)
    assert not settle.is_complete(day, datetime(2026, 11, 17, 23, 59, tzinfo=UTC))
    assert settle.is_complete(day, datetime(2026, 11, 18, tzinfo=UTC))
    assert settle.last_complete_day(date(2026, 11, 18)) == day


@pytest.mark.parametrize(
    ("record_type", "kind"),
    [
        ("Usage", ChargeType.USAGE),
        ("SavingsPlanCoveredUsage", ChargeType.USAGE),
        ("SavingsPlanNegation", ChargeType.COMMITMENT),
        ("Savings Plan Recurring Fee", ChargeType.COMMITMENT),
        ("Tax", ChargeType.TAX),
        ("Credit", ChargeType.CREDIT),
        ("Refund", ChargeType.REFUND),
        ("Support", ChargeType.SUPPORT),
        ("Fee", ChargeType.FEE),
        ("Enterprise Discount Program Discount", ChargeType.OTHER),
    ],
)
def test_record_types_are_charges_of_their_kind(record_type: str, kind: ChargeType) -> None:
    assert (charge_types.classify(record_type), charge_types.is_known(record_type)) == (kind, True)


@given(st.text())
def test_an_unknown_record_type_is_never_usage(record_type: str) -> None:
    if not charge_types.is_known(record_type):
        assert charge_types.classify(record_type) is ChargeType.OTHER


@given(st.sets(st.sampled_from(DIMENSIONS)), st.booleans())
def test_a_cube_answers_exactly_what_it_tells_apart(dimensions: set[Dimension], payer: bool) -> None:
    cube = cubes.answering(dimensions, payer=payer)
    able = [one for one in CUBES if dimensions <= set(one.shape)]
    assert (cube in able) if able else cube is None


def test_every_failure_of_aws_has_a_verdict() -> None:
    assert set(failures.VERDICTS) == set(AwsErrorKind)


@given(st.integers(1, 10_000), st.datetimes(timezones=st.just(UTC)).filter(lambda moment: moment.year < 9000))
def test_refreshes_of_a_source_come_a_few_times_a_day_at_its_own_time(source: int, ended_at: datetime) -> None:
    pause = schedule.next_refresh(source, ended_at, requests_left=10_000, requests_each=5) - ended_at
    assert schedule.EVERY <= pause < schedule.EVERY + timedelta(hours=1)


@given(days, st.integers(5, 12), st.integers(0, 500))
def test_refreshes_never_run_out_of_paid_requests_before_the_month_ends(today: date, each: int, left: int) -> None:
    moment = datetime.combine(today, datetime.min.time(), UTC)
    month = moment.month
    while moment.month == month:
        assert left >= 0
        moment = schedule.next_refresh(1, moment, requests_left=left, requests_each=each)
        left -= each if moment.month == month else 0
    assert left >= 0


def source(pk: int, number: str, **known: object) -> coverage.Source:
    usual: dict[str, object] = {"payer_number": "", "connected": True, "works": True, "has_history": True}
    return coverage.Source(pk=pk, number=number, **(usual | known))  # type: ignore[arg-type]


def test_a_payer_that_works_covers_whom_its_bill_or_organization_names() -> None:
    payer, member, other = source(1, "1" * 12, payer_number="1" * 12), source(2, "2" * 12), source(3, "3" * 12)
    assert coverage.covered_by([payer, member, other], {1: frozenset({member.number})}) == {1: None, 2: 1, 3: None}
    new = source(4, "4" * 12, payer_number=payer.number, has_history=False, works=False)
    assert coverage.covered_by([payer, new], {})[4] == 1


@pytest.mark.parametrize("lost", [{"connected": False}, {"works": False}])
def test_a_payer_that_is_gone_covers_nobody_who_can_count_by_himself(lost: dict[str, object]) -> None:
    payer, member = source(1, "1" * 12, **lost), source(2, "2" * 12)
    assert coverage.covered_by([payer, member], {1: frozenset({member.number})})[2] is None


def test_a_denied_payer_still_stands_for_members_without_figures_of_their_own() -> None:
    payer, member = source(1, "1" * 12, works=False), source(2, "2" * 12, has_history=False)
    assert coverage.covered_by([payer, member], {1: frozenset({member.number})})[2] == 1


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=12))
def test_amounts_as_text_lose_nothing_and_have_no_exponent(amount: Decimal) -> None:
    text = plain(amount)
    assert Decimal(text) == amount
    assert "E" not in text
    assert not ("." in text and text.endswith("0"))
