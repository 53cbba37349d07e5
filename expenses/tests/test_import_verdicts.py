"""What is judged of rows, without a database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from expenses.rules.entries import Entry
from expenses.rules.importing import verdicts
from expenses.rules.importing.verdicts import Candidate, Judgement, Known, Seen, Verdict

PURCHASES = st.builds(
    Entry,
    date=st.sampled_from([date(2026, 1, day) for day in (1, 2, 9)]),
    cost=st.sampled_from([Decimal("3.50"), Decimal("4.00")]),
    currency=st.just("EUR"),
    payee=st.sampled_from(["Café", "Baker"]),
)


def known_of(purchases: Sequence[Entry], source: str = "bank") -> list[Known]:
    return [
        Known(
            UUID(int=n), one.date, one.cost, one.currency, one.payee, one.description, one.payment_method, source, one.external_id
        )
        for n, one in enumerate(purchases)
    ]


def judged(file: Sequence[Entry], ledger: Sequence[Known] = (), source: str = "bank") -> list[Judgement]:
    return verdicts.judge([Candidate(n, one) for n, one in enumerate(file, 1)], ledger, Seen(), source=source)


def created(file: Sequence[Entry], ledger: Sequence[Known]) -> Counter[Entry]:
    """What is imported when somebody takes everything that is only like something else."""
    taken = (Verdict.NEW, Verdict.KEPT, Verdict.NEAR)
    return Counter(one for one, judgement in zip(file, judged(file, ledger), strict=True) if judgement.verdict in taken)


@given(st.lists(PURCHASES, max_size=12), st.lists(PURCHASES, max_size=12))
def test_of_k_in_the_file_and_m_that_are_there_k_less_m_are_new(file: list[Entry], there: list[Entry]) -> None:
    k, m = Counter(file), Counter(there)
    assert created(file, known_of(there)) == Counter({one: k[one] - m[one] for one in k if k[one] > m[one]})


@given(st.lists(PURCHASES, max_size=12))
def test_the_same_file_twice_adds_nothing_and_two_coffees_stay_two(file: list[Entry]) -> None:
    assert created(file, ()) == Counter(file)
    assert not created(file, known_of(file))


@given(st.lists(PURCHASES, min_size=1, max_size=12), st.lists(PURCHASES, max_size=8), st.integers(1, 11))
def test_it_makes_no_difference_how_a_file_is_cut_into_chunks(file: list[Entry], there: list[Entry], cut: int) -> None:
    candidates = [Candidate(n, one) for n, one in enumerate(file, 1)]
    first = verdicts.judge(candidates[:cut], known_of(there), Seen(), source="bank")
    counts = Counter(one.fingerprint for one in candidates[:cut])
    second = verdicts.judge(candidates[cut:], known_of(there), Seen(counts), source="bank")
    assert first + second == judged(file, known_of(there))


COFFEE = Entry(date(2026, 1, 5), Decimal("3.50"), "EUR", "Starbucks Coffee")


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        (Entry(date(2026, 1, 8), Decimal("3.50"), "EUR", "STARBUCKS #123"), Verdict.NEAR),
        (Entry(date(2026, 1, 9), Decimal("3.50"), "EUR", "Starbucks Coffee"), Verdict.NEW),
        (Entry(date(2026, 1, 5), Decimal("3.51"), "EUR", "Starbucks Coffee"), Verdict.NEW),
        (Entry(date(2026, 1, 5), Decimal("3.50"), "USD", "Starbucks Coffee"), Verdict.NEW),
        (Entry(date(2026, 1, 5), Decimal("3.50"), "EUR", "Tesco"), Verdict.NEW),
        (Entry(date(2026, 1, 5), Decimal("3.50"), "EUR", "starbucks  coffee"), Verdict.DUPLICATE),
        (Entry(date(2026, 1, 5), Decimal("3.50"), "EUR", "Starbucks Coffee", payment_method="Visa"), Verdict.NEAR),
    ],
)
def test_what_is_only_alike_is_shown_and_neither_merged_nor_dropped(other: Entry, verdict: Verdict) -> None:
    [found] = judged([other], known_of([COFFEE]))
    assert found.verdict == verdict


def test_an_id_at_the_source_decides_before_any_likeness() -> None:
    told = Entry(date(2026, 1, 5), Decimal("3.50"), "EUR", "Café", external_id="A1")
    later = Entry(date(2026, 1, 6), Decimal("3.60"), "EUR", "Café", external_id="A1")
    other = Entry(date(2026, 1, 5), Decimal("3.50"), "EUR", "Café", external_id="A2")
    ledger = known_of([told])
    assert [one.verdict for one in judged([told], ledger)] == [Verdict.DUPLICATE]
    [changed] = judged([later], ledger)
    assert (changed.verdict, dict(changed.diff)) == (
        Verdict.CHANGED,
        {"date": ("2026-01-05", "2026-01-06"), "cost": ("3.50", "3.60")},
    )
    # The bank says that these are two, however alike they are: neither a duplicate nor a near match.
    assert [one.verdict for one in judged([other], ledger)] == [Verdict.NEW]
    # The same id in one file twice: once only; and with other values it is said.
    assert [one.verdict for one in judged([told, told, later])] == [Verdict.NEW, Verdict.DUPLICATE, Verdict.INVALID]


def test_what_a_person_edited_is_no_change_at_the_source() -> None:
    told = Entry(date(2026, 1, 5), Decimal("3.50"), "EUR", "CAFE 0815 BLN", external_id="A1")
    edited = Known(UUID(int=1), told.date, told.cost, "EUR", "Café", "", "", "bank", "A1", verdicts.told(told))
    assert [one.verdict for one in judged([told], [edited])] == [Verdict.DUPLICATE]


@given(st.lists(st.tuples(st.integers(0, 20), st.sampled_from(["Café", "Cafe Nero", "Baker"])), max_size=8))
def test_a_near_match_is_within_three_days(rows: list[tuple[int, str]]) -> None:
    start = date(2026, 1, 10)
    there = known_of([Entry(start, Decimal(5), "EUR", "Café")])
    for offset, payee in rows:
        [found] = judged([Entry(start + timedelta(days=offset - 10), Decimal(5), "EUR", payee)], there)
        if abs(offset - 10) > 3:
            assert found.verdict == Verdict.NEW
