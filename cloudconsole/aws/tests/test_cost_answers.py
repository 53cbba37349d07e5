from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast

from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.aws.cost_answers import CostAnswer, Merge
from cloudconsole.aws.tests.cost_pages import group, page, period

START, DAYS = date(2026, 2, 27), 4

amounts = st.decimals(min_value=-(10**9), max_value=10**9, places=10).map(str)
lines = st.lists(
    st.tuples(st.integers(0, DAYS - 1), st.sampled_from(["EC2", "S3", "Tax"]), st.sampled_from(["Usage", "Credit"]), amounts),
    max_size=30,
)

Line = tuple[int, str, str, str]


def merged(pages: list[list[Line]]) -> CostAnswer:
    """Pages that each hold some lines, one period per line, as a nasty Cost Explorer would send them."""
    merge = Merge(start=START, end=START + timedelta(days=DAYS), keys_per_group=2)
    for lines in pages:
        periods = [
            period(START + timedelta(days=day), group(amount, service, kind), estimated=day == 3)
            for day, service, kind, amount in lines
        ]
        merge.add(cast(Any, page(periods) | {"ResponseMetadata": {"RequestId": "r"}}))
    return merge.answer()


@given(lines, st.data())
def test_pages_cut_and_shuffled_in_any_way_give_the_same_answer(lines: list[Line], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(lines))
    cuts = sorted(data.draw(st.sets(st.integers(0, len(lines)), max_size=5)))
    bounds = list(zip([0, *cuts], [*cuts, len(lines)], strict=True))
    whole, cut = merged([lines]), merged([list(shuffled[start:end]) for start, end in bounds])
    assert cut.days == whole.days
    assert (cut.payload_hash, cut.currency) == (whole.payload_hash, whole.currency)


@given(lines)
def test_every_line_is_counted_exactly(lines: list[Line]) -> None:
    expected: dict[tuple[date, tuple[str, ...]], list[int]] = defaultdict(list)
    for day, service, kind, amount in lines:
        expected[START + timedelta(days=day), (service, kind)].append(int(Decimal(amount).scaleb(10)))
    told = {
        (day.day, keys): int(amounts.amortized.scaleb(10)) for day in merged([lines]).days for keys, amounts in day.groups.items()
    }
    assert told == {key: sum(integers) for key, integers in expected.items()}


@given(lines.filter(bool))
def test_another_amount_is_another_hash(lines: list[Line]) -> None:
    day, service, kind, amount = lines[0]
    changed = [(day, service, kind, str(Decimal(amount) + Decimal("0.0000000001"))), *lines[1:]]
    assert merged([changed]).payload_hash != merged([lines]).payload_hash


def test_trailing_zeros_do_not_change_the_hash() -> None:
    assert merged([[(0, "EC2", "Usage", "1.50")]]).payload_hash == merged([[(0, "EC2", "Usage", "1.5000")]]).payload_hash


def test_an_empty_answer_has_no_currency() -> None:
    answer = merged([[]])
    assert (answer.days, answer.currency, answer.pages) == ((), None, 1)
