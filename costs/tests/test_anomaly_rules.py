"""The rules behind unusual costs: bounds of usage, verdicts and episodes, whatever the amounts are."""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cloudconsole.core.money import ZERO
from costs.rules import baselines, detection, episodes, usage
from costs.rules.baselines import Limits, Sensitivity, Series
from costs.rules.usage import Bounds, DayCharges

START = date(2026, 8, 1)
DAYS = [START + timedelta(days=number) for number in range(80)]
LIMITS = Limits(Decimal(10), Decimal(30), Sensitivity.MEDIUM)
money = st.decimals(0, 5000, places=2)
counts = st.integers(0, 5000)


def exact(amount: Decimal | int) -> Bounds:
    return Bounds(Decimal(amount), Decimal(amount))


def series(amounts: list[Decimal], **more: object) -> Series:
    return Series(DAYS[: len(amounts)], {day: exact(one) for day, one in zip(DAYS, amounts, strict=False)}, **more)  # type: ignore[arg-type]


# --- what was usage


@st.composite
def tables(draw: st.DrawFn) -> dict[tuple[str, str, str], Decimal]:
    """(account, service, record type) → amount; each record type has one sign."""
    signs = {"Usage": 1, "Tax": 1, "Credit": -1, "RIFee": 1, "Enterprise Discount Program Discount": -1}
    cells = st.tuples(st.sampled_from("abc"), st.sampled_from("xyz"), st.sampled_from([*signs]))
    return {cell: Decimal(draw(counts)) * signs[cell[2]] for cell in draw(st.lists(cells, unique=True, max_size=20))}


def charges(table: dict[tuple[str, str, str], Decimal]) -> DayCharges:
    sums: list[dict[tuple[str, str], Decimal]] = [{}, {}, {}]
    for (account, service, kind), amount in table.items():
        for told, key in zip(sums, [(account, service), (service, kind), (account, kind)], strict=True):
            told[key] = told.get(key, ZERO) + amount
    return DayCharges(sums[0], sums[1], sums[2], by_region={})


@settings(max_examples=25)
@given(tables())
def test_usage_lies_between_its_bounds_however_charges_are_split(table: dict[tuple[str, str, str], Decimal]) -> None:
    for (account, service), bounds in usage.by_account(charges(table)).items():
        assert bounds.low <= table.get((account, service, "Usage"), ZERO) <= bounds.high


@settings(max_examples=25)
@given(tables())
def test_where_one_account_or_one_service_stands_alone_usage_is_exact(table: dict[tuple[str, str, str], Decimal]) -> None:
    one_account = {cell: amount for cell, amount in table.items() if cell[0] == "a"}
    one_service = {cell: amount for cell, amount in table.items() if cell[1] == "x"}
    for part in (one_account, one_service):
        for (account, service), bounds in usage.by_account(charges(part)).items():
            assert bounds == exact(part.get((account, service, "Usage"), ZERO))


def test_a_service_without_usage_has_none() -> None:
    assert usage.by_account(charges({("a", "Tax", "Tax"): Decimal(900)})) == {}


# --- verdicts


@settings(max_examples=25)
@given(st.lists(money, min_size=57, max_size=80), st.integers(1, 1000))
def test_a_verdict_does_not_depend_on_the_unit_of_money(amounts: list[Decimal], factor: int) -> None:
    day = DAYS[len(amounts) - 1]
    scaled = Limits(LIMITS.floor * factor, LIMITS.percent, LIMITS.sensitivity)
    one, other = series(amounts).judge(day, LIMITS), series([amount * factor for amount in amounts]).judge(day, scaled)
    assert one is not None
    assert other is not None
    assert (one.is_unusual, one.expected * factor) == (other.is_unusual, other.expected)


@settings(max_examples=25)
@given(st.lists(money, min_size=57, max_size=80), st.randoms())
def test_a_verdict_does_not_depend_on_the_order_of_what_was_read(amounts: list[Decimal], random: object) -> None:
    day, told = DAYS[len(amounts) - 1], list(zip(DAYS, amounts, strict=False))
    random.shuffle(told)  # type: ignore[attr-defined]
    shuffled = Series([one for one, _ in told], {one: exact(amount) for one, amount in told})
    assert shuffled.judge(day, LIMITS) == series(amounts).judge(day, LIMITS)


@settings(max_examples=25)
@given(st.lists(money, min_size=70, max_size=80), st.lists(money, min_size=10, max_size=10))
def test_later_days_change_no_verdict(amounts: list[Decimal], later: list[Decimal]) -> None:
    day = DAYS[59]
    assert series(amounts).judge(day, LIMITS) == series([*amounts[:60], *later]).judge(day, LIMITS)


@settings(max_examples=25)
@given(money, st.integers(29, 80))
def test_a_constant_series_is_never_unusual(amount: Decimal, length: int) -> None:
    verdict = series([amount] * length).judge(DAYS[length - 1], LIMITS)
    assert verdict is not None
    assert not verdict.is_unusual


@settings(max_examples=25)
@given(st.lists(money, min_size=60, max_size=79))
def test_a_day_above_floor_percent_and_deviation_always_is(amounts: list[Decimal]) -> None:
    judged = series([*amounts, Decimal(0)]).judge(DAYS[len(amounts)], LIMITS)
    assert judged is not None
    for excess, is_unusual in ((Decimal(0), True), (Decimal("-0.01"), False)):
        again = series([*amounts, judged.limit + excess]).judge(DAYS[len(amounts)], LIMITS)
        assert again is not None
        assert again.is_unusual is is_unusual


@settings(max_examples=25)
@given(st.integers(0, 55), st.decimals(1000, 100000, places=2))
def test_a_past_spike_poisons_nothing(at: int, spike: Decimal) -> None:
    amounts = [Decimal(100)] * 57
    amounts[at] = spike
    verdict = series(amounts).judge(DAYS[56], LIMITS)
    assert verdict is not None
    assert verdict.expected == 100


@settings(max_examples=25)
@given(st.lists(money, min_size=1, max_size=28))
def test_without_enough_history_there_is_no_verdict(amounts: list[Decimal]) -> None:
    assert series(amounts).judge(DAYS[len(amounts) - 1], LIMITS) is None


@pytest.mark.parametrize(("amount", "is_unusual"), [("9.99", False), ("10", True)])
def test_the_first_money_in_four_weeks_counts_from_the_floor_on(amount: str, is_unusual: bool) -> None:
    verdict = series([*[Decimal(0)] * 40, Decimal(amount)]).judge(DAYS[40], LIMITS)
    assert verdict is not None
    assert (verdict.is_new, verdict.is_unusual) == (True, is_unusual)


def test_what_comes_on_the_same_day_of_every_month_is_no_news() -> None:
    monthly = [Decimal(500) if day.day == 5 else Decimal(20) for day in DAYS]  # 5 August, September and October
    day = date(2026, 10, 5)
    verdict = series(monthly).judge(day, LIMITS)
    assert verdict is not None
    assert not verdict.is_unusual
    once = [Decimal(20) if day == date(2026, 8, 5) else amount for day, amount in zip(DAYS, monthly, strict=True)]
    again = series(once).judge(day, LIMITS)
    assert again is not None
    assert again.is_unusual


def test_a_new_level_counts_a_week_after_it_was_accepted() -> None:
    amounts = [*[Decimal(100)] * 60, *[Decimal(300)] * 20]
    accepted = series(amounts, restart=DAYS[60])
    assert accepted.judge(DAYS[66], LIMITS) is None
    verdict = accepted.judge(DAYS[67], LIMITS)
    assert verdict is not None
    assert (verdict.expected, verdict.is_unusual) == (Decimal(300), False)
    before = accepted.judge(DAYS[59], LIMITS)
    assert before is not None
    assert before.expected == 100


def test_days_left_out_are_compared_with_nothing() -> None:
    amounts = [*[Decimal(100)] * 40, *[Decimal(900)] * 30]
    lasting = series(amounts).judge(DAYS[69], LIMITS)
    assert lasting is not None
    assert lasting.expected > 100  # half of the days it is compared with are like it
    kept = series(amounts, left_out=frozenset(DAYS[40:69])).judge(DAYS[68], LIMITS)
    assert kept is not None
    assert kept.is_unusual


@settings(max_examples=25)
@given(st.lists(st.tuples(money, money), min_size=57, max_size=57))
def test_a_region_counts_only_where_no_account_does(told: list[tuple[Decimal, Decimal]]) -> None:
    own, region = series([one for one, _ in told]), series([other for _, other in told])
    found = detection.unusual({("1", "", "s"): own, ("", "r", "s"): region}, DAYS[:57], lambda account: LIMITS)
    assert not set(found.get(("1", "", "s"), {})) & set(found.get(("", "r", "s"), {}))


# --- episodes


@settings(max_examples=25)
@given(st.sets(st.sampled_from(DAYS), min_size=1))
def test_episodes_hold_every_unusual_day_once_and_lie_apart(days: set[date]) -> None:
    found = episodes.episodes(days, DAYS)
    assert [day for episode in found for day in episode.days] == sorted(days)
    assert all(second.start - first.last > episodes.REOPEN for first, second in itertools.pairwise(found))
    assert all(not episode.is_open for episode in found[:-1])


@settings(max_examples=25)
@given(st.sets(st.sampled_from(DAYS), min_size=1))
def test_what_is_found_again_is_what_is_stored(days: set[date]) -> None:
    found = episodes.episodes(days, DAYS)
    stored = {at + 1: episode.days for at, episode in enumerate(found)}
    matched = episodes.match(found, stored)
    assert matched.gone == ()
    assert [pk for _, pk in matched.found] == [*stored]


def test_two_normal_days_close_an_episode_and_a_week_opens_it_again() -> None:
    spike = DAYS[:1]
    assert episodes.episodes(spike, DAYS[:2])[0].is_open
    assert not episodes.episodes(spike, DAYS[:3])[0].is_open
    assert episodes.episodes(spike, DAYS[:1])[0].is_open  # days without a verdict end nothing
    assert len(episodes.episodes([DAYS[0], DAYS[7]], DAYS)) == 1
    assert len(episodes.episodes([DAYS[0], DAYS[8]], DAYS)) == 2


def test_of_two_stored_episodes_that_have_become_one_the_older_stays() -> None:
    found = episodes.episodes([DAYS[0], DAYS[5], DAYS[10]], DAYS)
    matched = episodes.match(found, {8: [DAYS[10]], 3: [DAYS[0]], 9: [DAYS[50]]})
    assert [pk for _, pk in matched.found] == [3]
    assert matched.gone == (8, 9)


def test_the_same_day_of_an_earlier_month() -> None:
    assert baselines.a_month_before(date(2026, 10, 5), months=1) == date(2026, 9, 5)
    assert baselines.a_month_before(date(2026, 10, 31), months=1) == date(2026, 9, 30)
    assert baselines.a_month_before(date(2026, 3, 30), months=1) is None


@settings(max_examples=50)
@given(st.lists(money, min_size=60, max_size=80), st.sets(st.integers(0, 58), max_size=3))
def test_a_quick_no_never_hides_what_is_unusual(amounts: list[Decimal], left_out: set[int]) -> None:
    told = series(amounts, left_out=frozenset(DAYS[at] for at in left_out))
    for day in DAYS[28 : len(amounts)]:
        verdict = told.judge(day, LIMITS)
        assert told.may_be_unusual(day, LIMITS) or verdict is None or not verdict.is_unusual
    assert not series([Decimal(9)] * 60).may_be_unusual(DAYS[59], LIMITS)
    assert not series([Decimal(100)] * 60).may_be_unusual(DAYS[59], LIMITS)
