from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.core import charts, money, series
from cloudconsole.core.charts import Period, StackedChart

EC2 = "Amazon Elastic Compute Cloud - Compute"
amounts = st.decimals(min_value=-1000, max_value=10000, places=10, allow_nan=False)


def chart(rows: dict[str, list[Decimal | None]]) -> StackedChart:
    length = len(next(iter(rows.values())))
    periods = [
        Period(label=str(at), title=f"Day {at}", total=money.total(row[at] or Decimal(0) for row in rows.values()))
        for at in range(length)
    ]
    colours = series.slots(charts.largest(rows))
    return charts.stacked(name="daily", title="Daily cost", currency="USD", periods=periods, amounts=rows, colours=colours)


@given(st.dictionaries(st.text(min_size=1, max_size=20), st.lists(amounts, min_size=2, max_size=2), min_size=1, max_size=14))
def test_a_bar_always_adds_up_to_its_total(rows: dict[str, list[Decimal | None]]) -> None:
    drawn = chart(rows)
    for row in drawn.rows:
        assert money.total(amount or Decimal(0) for amount in row.amounts) == row.period.total


def test_eight_series_are_shown_and_the_rest_is_other() -> None:
    rows: dict[str, list[Decimal | None]] = {f"Service {at}": [Decimal(at)] for at in range(1, 12)}
    drawn = chart(rows)
    assert [one.name for one in drawn.series][:2] == ["Service 11", "Service 10"]
    assert len(drawn.series) == 9
    assert (drawn.series[-1].name, drawn.series[-1].amounts) == ("Other", (Decimal(6),))


def test_what_is_not_known_stays_unknown() -> None:
    drawn = chart({EC2: [Decimal(1), None]})
    assert drawn.data["series"][0]["amounts"] == ["1", None]
    assert drawn.data["series"][0]["texts"] == ["$1.00", "—"]


def test_the_newest_period_is_the_first_row_of_the_table() -> None:
    assert [row.period.title for row in chart({EC2: [Decimal(1), Decimal(2)]}).rows] == ["Day 1", "Day 0"]


@given(st.sets(st.text(max_size=12), max_size=11))
def test_a_known_service_has_its_colour_whatever_stands_beside_it(others: set[str]) -> None:
    assert series.slots([EC2, *others])[EC2] == series.slots([EC2])[EC2] == 1


@given(st.lists(st.text(min_size=1, max_size=12), unique=True, max_size=12))
def test_no_two_of_twelve_services_share_a_colour(names: list[str]) -> None:
    found = [slot for slot in series.slots(names).values() if slot != series.OTHER]
    assert len(found) == len(set(found)) == len([name for name in names if name != "Other"])


def test_colours_do_not_depend_on_the_order() -> None:
    names = ["Amazon Kinesis", "AWS Glue", "Amazon Athena", EC2]
    assert series.slots(names) == series.slots(names[::-1])
