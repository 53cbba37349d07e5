"""Spans, pivots and drivers: properties of the pure rules behind the pages about costs."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.core.money import ZERO, total
from costs.rules import drivers, pivots, spans
from costs.rules.drivers import Cell, Kind, Told
from costs.rules.pivots import Before
from costs.rules.spans import Comparison, Pair, Preset
from costs.rules.windows import DayRange

DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
RANGES = st.builds(lambda start, length: DayRange(start, start + timedelta(days=length)), DAYS, st.integers(1, 500))
AMOUNTS = st.decimals(-(10**9), 10**9, places=10, allow_nan=False)
NAMES = st.sampled_from(["a", "b", "c", "d", "e", "f"])
CELLS = st.dictionaries(st.tuples(NAMES, NAMES), AMOUNTS, max_size=20)


@given(today=DAYS, preset=st.sampled_from(Preset))
def test_every_preset_ends_with_today_or_before_this_month(today: date, preset: Preset) -> None:
    days = spans.days_of(preset, today)
    assert days.end == (today.replace(day=1) if preset is Preset.LAST_MONTH else today + timedelta(days=1))


@given(days=RANGES)
def test_the_span_before_ends_where_the_span_starts_or_is_the_same_days_of_the_month_before(days: DayRange) -> None:
    before = spans.previous(days)
    whole_months = days.start.day == 1 and days.end.day == 1
    in_one_month = days.start.day == 1 and (days.end - timedelta(days=1)).month == days.start.month and days.days <= 31
    assert before.end <= days.start
    if whole_months:
        assert (before.start.day, before.end) == (1, days.start)
    elif in_one_month:
        assert before.start.day == 1
        assert before.days == min(days.days, (days.start - before.start).days)
    else:
        assert (before.days, before.end) == (days.days, days.start)


@given(before=RANGES, after=RANGES, last=DAYS)
def test_only_complete_days_are_compared_and_as_many_are_cut_off_both(before: DayRange, after: DayRange, last: date) -> None:
    found = spans.settled(Pair(before, after), last)
    if found is None:
        assert after.start > last or before.start > last
        return
    assert max(found.before.end, found.after.end) <= last + timedelta(days=1)
    assert (found.before.start, found.after.start) == (before.start, after.start)
    if found.after != after and before.days >= after.days:
        assert found.before.days <= found.after.days


@given(last=DAYS, comparison=st.sampled_from(Comparison))
def test_usual_comparisons_hold_complete_days_that_do_not_overlap(last: date, comparison: Comparison) -> None:
    pair = spans.pair_of(comparison, last)
    assert pair.before.end <= pair.after.start
    assert pair.after.end <= last + timedelta(days=1)


@given(amounts=CELLS, residual=AMOUNTS, before=st.dictionaries(NAMES, AMOUNTS), top=st.integers(0, 7), columns=st.integers(1, 7))
def test_rows_and_columns_of_a_pivot_add_up_to_the_total(
    amounts: dict[tuple[str, str], Decimal], residual: Decimal, before: dict[str, Decimal], top: int, columns: int
) -> None:
    now = pivots.Told(amounts, total([*amounts.values(), residual]))
    shown = pivots.largest(pivots.sums(amounts, 0), top)
    known = Before(before, total([*before.values(), residual]))
    found = pivots.pivot(now, known, shown=shown, heads=pivots.heads_of(pivots.sums(amounts, 1), columns))
    *parts, whole = found.rows
    assert total(row.amount for row in parts) == whole.amount == now.total
    assert total(row.before or ZERO for row in parts) == whole.before == known.total
    assert parts[-1].amount == residual
    for row in parts[:-1]:
        assert total(cell or ZERO for cell in row.cells) == row.amount
    told = [total(row.cells[at] or ZERO for row in parts[:-1]) for at in range(len(found.heads))]
    assert told == list(whole.cells)


BOTH = st.tuples(CELLS, CELLS)


@given(by_account=BOTH, by_region=BOTH, unexplained=AMOUNTS)
def test_drivers_and_residual_add_up_to_the_change(
    by_account: tuple[dict[tuple[str, str], Decimal], dict[tuple[str, str], Decimal]],
    by_region: tuple[dict[tuple[str, str], Decimal], dict[tuple[str, str], Decimal]],
    unexplained: Decimal,
) -> None:
    told = Told(*by_account)
    found = drivers.drivers(told, Told(*by_region), None)
    whole = Cell(total(by_account[0].values()), total([*by_account[1].values(), unexplained]))
    assert total([*(driver.cell.change for driver in found), drivers.rest(whole, found)]) == whole.change
    assert drivers.rest(whole, found) == unexplained
    sizes = [abs(driver.cell.change) for driver in found]
    assert sizes == sorted(sizes, reverse=True)


def test_a_region_is_told_where_there_is_no_doubt() -> None:
    before = {("EC2", "one"): Decimal(1), ("S3", "one"): Decimal(2), ("S3", "two"): Decimal(3), ("RDS", "two"): Decimal(9)}
    after = {("EC2", "one"): Decimal(5), ("S3", "one"): Decimal(4), ("S3", "two"): Decimal(1), ("SQS", "two"): Decimal(1)}
    regions = Told(
        {("EC2", "us"): Decimal(1), ("S3", "eu"): Decimal(5), ("RDS", "us"): Decimal(4), ("RDS", "eu"): Decimal(5)},
        {("EC2", "us"): Decimal(3), ("EC2", "eu"): Decimal(2), ("S3", "eu"): Decimal(5), ("SQS", "us"): Decimal(1)},
    )
    found = {(one.service, one.account, one.region): one.cell for one in drivers.drivers(Told(before, after), regions, None)}
    assert set(found) == {
        ("RDS", "two", "eu"),
        ("RDS", "two", "us"),
        ("EC2", "one", "us"),
        ("EC2", "one", "eu"),
        ("S3", "one", "eu"),
        ("S3", "two", "eu"),
        ("SQS", "two", "us"),
    }
    assert found["SQS", "two", "us"].kind is found["EC2", "one", "eu"].kind is Kind.NEW
    assert found["RDS", "two", "eu"].kind is Kind.GONE


def test_regions_that_do_not_add_up_to_the_accounts_are_not_told() -> None:
    accounts = Told({("EC2", "one"): Decimal(1)}, {("EC2", "one"): Decimal(5)})
    regions = Told({("EC2", "us"): Decimal(1)}, {("EC2", "us"): Decimal(4)})
    assert [one.region for one in drivers.drivers(accounts, regions, None)] == [None]
