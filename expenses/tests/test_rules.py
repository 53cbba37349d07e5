"""Pure decisions: amounts and shares, words, recurrence, rules that categorise, receipts' names."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from expenses.forms.entry import plain_number
from expenses.rules import categorising, currencies, grouping, identifiers, receipts, recurrence, wording
from expenses.rules.categorising import Facts
from expenses.rules.currencies import NotAnAmount
from expenses.rules.grouping import Days, GroupBy

CODES = st.sampled_from(["USD", "JPY", "KWD", "EUR", "CLF"])


@given(code=CODES, units=st.integers(-(10**12), 10**12), weights=st.lists(st.integers(0, 1000), min_size=1, max_size=12))
def test_shares_add_up_exactly_and_differ_by_less_than_one_unit(code: str, units: int, weights: list[int]) -> None:
    unit = currencies.smallest(code)
    if not sum(weights):
        return
    amount = units * unit
    parts = currencies.shares(amount, [Decimal(one) for one in weights], code)
    assert sum(parts) == amount
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - amount * weight / sum(weights)) < unit


def test_a_third_loses_no_cent() -> None:
    parts = currencies.shares(Decimal("100.00"), [Decimal(1)] * 3, "USD")
    assert parts == [Decimal("33.34"), Decimal("33.33"), Decimal("33.33")]
    assert currencies.shares(Decimal(100), [Decimal(1)] * 3, "JPY") == [Decimal(34), Decimal(33), Decimal(33)]


def test_an_amount_has_the_places_of_its_currency_and_is_never_rounded() -> None:
    assert str(currencies.amount_of("12.5", "USD")) == "12.50"
    assert str(currencies.amount_of("1200", "JPY")) == "1200"
    assert str(currencies.amount_of("1.234", "KWD")) == "1.234"
    for text, code in (("1.5", "JPY"), ("0.001", "USD"), ("NaN", "USD"), ("Infinity", "USD"), ("1e13", "USD"), ("1", "ABC")):
        with pytest.raises(NotAnAmount):
            currencies.amount_of(text, code)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("4,80", "4.80"),
        ("1,234.5", "1234.5"),
        ("1.234,56", "1234.56"),
        ("1 234,5", "1234.5"),
        ("1,234", "1234"),
        ("-3", "-3"),
        ("7.5", "7.5"),
    ],
)
def test_an_amount_is_read_as_people_type_it(typed: str, meant: str) -> None:
    assert Decimal(plain_number(typed)) == Decimal(meant)


def test_tags_and_payees_are_compared_in_any_case() -> None:
    assert wording.tags_of(["Team", " lunch ", "team", ""]) == ["lunch", "Team"]
    assert wording.key_of("  CAFÉ  Berlin ") == wording.key_of("café berlin")
    assert wording.searched(["A-B", "b.c"]) == " a b c"


@given(st.dates(date(1990, 1, 1), date(2100, 1, 1)), st.integers(1, 400))
def test_the_period_before_ends_where_this_one_starts(start: date, length: int) -> None:
    days = Days(start, start + timedelta(days=length))
    before = grouping.previous(days)
    assert before is not None
    assert before.end == days.start
    assert before.start < before.end


def test_whole_months_are_held_against_whole_months() -> None:
    assert grouping.previous(Days(date(2026, 3, 1), date(2026, 4, 1))) == Days(date(2026, 2, 1), date(2026, 3, 1))
    assert grouping.previous(Days(date(1, 1, 2), date(9999, 1, 1))) is None
    assert grouping.period_of(GroupBy.WEEK, date(2026, 11, 2)).last == date(2026, 11, 8)


def test_identifiers_sort_by_when_they_were_made() -> None:
    made = [identifiers.new_id() for _ in range(100)]
    assert {one.version for one in made} == {7}
    assert [one.int >> 80 for one in made] == sorted(one.int >> 80 for one in made)
    assert len(set(made)) == 100


def test_what_is_longer_than_any_word_is_found_by_its_beginning() -> None:
    [word] = wording.words("x" * 5_000)
    assert len(word) == 200
    assert wording.words("x" * 250) == [word]


# --- recurrence


def test_the_last_day_of_every_month_is_the_last_day_of_every_month() -> None:
    rule = recurrence.checked("rrule:freq=monthly;bymonthday=-1")
    found = recurrence.due(rule, date(2026, 1, 31), first=date(2026, 1, 1), last=date(2026, 4, 30), at_most=50)
    assert [one.day for one in found] == [31, 28, 31, 30]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=MONTHLY", "Every month"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "Every 2 weeks on Monday and Wednesday"),
        ("FREQ=MONTHLY;BYDAY=-1FR;WKST=MO", "Every month on the last Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1", "Every month on day 1 and the last day"),
        ("FREQ=YEARLY;COUNT=3", "Every year, 3 times"),
        ("FREQ=DAILY;UNTIL=20261231", "Every day, until 2026-12-31"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=MO", "FREQ=YEARLY;BYMONTH=3;BYDAY=MO"),
        ("FREQ=MONTHLY;BYDAY=-2FR", "FREQ=MONTHLY;BYDAY=-2FR"),
        ("FREQ=MONTHLY;BYMONTHDAY=-3", "FREQ=MONTHLY;BYMONTHDAY=-3"),
    ],
)
def test_a_recurrence_rule_is_told_in_words_or_as_it_is_written(rule: str, words: str) -> None:
    assert recurrence.in_words(recurrence.checked(rule)) == words


def test_a_series_that_is_over_has_no_next_day() -> None:
    rule = recurrence.checked("FREQ=DAILY;COUNT=2")
    assert recurrence.first_on(rule, date(2026, 1, 1), date(2026, 1, 2)) == date(2026, 1, 2)
    assert recurrence.first_on(rule, date(2026, 1, 1), date(2026, 1, 3)) is None
    until = recurrence.checked("FREQ=DAILY;UNTIL=20260102T000000Z")
    assert recurrence.first_on(until, date(2026, 1, 1), date(2026, 1, 3)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "monthly",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYHOUR=3",
        "FREQ=DAILY\nDTSTART:20200101",
        "FREQ=NEVER",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=+7MO",
        "FREQ=YEARLY;BYEASTER=99999",
    ],
)
def test_what_is_no_rule_of_days_is_refused(text: str) -> None:
    with pytest.raises(recurrence.RecurrenceRefused):
        recurrence.checked(text)


# --- rules


def facts(**texts: str) -> Facts:
    known = dict.fromkeys(categorising.TEXTS, "")
    return Facts(texts={**known, **texts}, cost=Decimal("12.50"), tags=(), locked=frozenset())


def rule(number: int, field: str, operator: str, value: str, **actions: str) -> categorising.Rule:
    conditions = [{"field": field, "operator": operator, "value": value}]
    return categorising.rule_of(
        number, conditions, [{"field": one, "value": said} for one, said in actions.items()], match_any=False
    )


def test_the_first_rule_wins_and_later_ones_see_what_it_set() -> None:
    rules = [
        rule(1, "payee", "contains", "amzn", payee="Amazon"),
        rule(2, "payee", "is", "amazon", category="Shopping"),
        rule(3, "payee", "starts_with", "ama", category="Other", tags="late"),
    ]
    decision = categorising.decide(rules, facts(payee="AMZN*123"))
    assert decision.values == {"payee": "Amazon", "category": "Shopping"}
    assert (decision.tags, decision.rules) == (["late"], [1, 2, 3])


def test_what_a_person_set_is_left_alone() -> None:
    own = Facts(texts=facts(payee="x").texts, cost=Decimal(1), tags=(), locked=frozenset({"category"}))
    assert categorising.decide([rule(1, "payee", "is", "x", category="A")], own).rules == []


def test_amounts_and_tags_are_asked_by_their_own_questions() -> None:
    assert categorising.holds(rule(1, "cost", "more_than", "12.49", project="x"), facts())
    assert not categorising.holds(rule(1, "cost", "less_than", "12.50", project="x"), facts())
    assert categorising.holds(rule(1, "tags", "is_empty", "", project="x"), facts())
    for field, operator, value in (
        ("cost", "contains", "1"),
        ("tags", "contains", "a"),
        ("payee", "more_than", "1"),
        ("cost", "is", "x"),
    ):
        with pytest.raises(categorising.RuleRefused):
            rule(1, field, operator, value, project="x")


def test_the_name_of_a_receipt_is_harmless_and_ends_as_what_it_is() -> None:
    assert receipts.file_name("..\\..\\a<b>.html", receipts.PDF) == "a_b.pdf"
    assert receipts.file_name("", "image/png") == "receipt.png"


def test_a_picture_with_a_broken_place_and_camera_is_refused_or_read() -> None:
    exif, sent = Image.Exif(), io.BytesIO()
    exif[0x0112], exif[0x010E] = 6, "x" * 50
    Image.new("RGB", (8, 8)).save(sent, "JPEG", exif=exif)
    whole, refused = sent.getvalue(), 0
    for at in range(12, 140):
        try:
            receipts.read(whole[:at] + b"\0" + whole[at + 1 :])
        except receipts.ReceiptRefused:
            refused += 1
    assert refused
