"""Pages of an answer, and the tokens that lead from one to the next."""

from __future__ import annotations

from datetime import date

from cloudconsole.simulator.tests.conftest import Aws, refused
from cloudconsole.simulator.tests.test_cost_answers import groups

PERIOD = ("2026-11-01", "2026-11-08")
GROUP_BY = ("LINKED_ACCOUNT", "SERVICE")


def test_pages_split_a_day_and_lose_nothing(aws: Aws) -> None:
    whole = groups(aws.all_pages(*PERIOD, *GROUP_BY))
    aws.simulator.set_page_size(50)
    pages = aws.all_pages(*PERIOD, *GROUP_BY)

    assert len(pages) > 3
    assert all(sum(len(result["Groups"]) for result in page["ResultsByTime"]) <= 50 for page in pages)
    assert pages[0]["ResultsByTime"][-1]["TimePeriod"] == pages[1]["ResultsByTime"][0]["TimePeriod"]
    assert groups(pages) == whole
    assert sum(len(result["Groups"]) for page in pages for result in page["ResultsByTime"]) == len(whole)


def test_an_answer_that_just_fills_a_page_has_no_second_one(aws: Aws) -> None:
    count = len(groups([aws.costs(*PERIOD, *GROUP_BY)]))

    aws.simulator.set_page_size(count)
    assert "NextPageToken" not in aws.costs(*PERIOD, *GROUP_BY)
    aws.simulator.set_page_size(count - 1)
    assert "NextPageToken" in aws.costs(*PERIOD, *GROUP_BY)


def test_a_page_token_belongs_to_its_question(aws: Aws) -> None:
    aws.simulator.set_page_size(50)
    token = aws.costs(*PERIOD, *GROUP_BY)["NextPageToken"]

    fewer = refused(lambda: aws.costs(*PERIOD, *GROUP_BY, NextPageToken=token, Metrics=["UnblendedCost"]))
    monthly = refused(lambda: aws.costs(*PERIOD, *GROUP_BY, NextPageToken=token, Granularity="MONTHLY"))
    assert fewer.code == monthly.code == "RequestChangedException"
    assert aws.costs(*PERIOD, *GROUP_BY, NextPageToken=token)["ResultsByTime"]


def test_a_page_token_belongs_to_its_account(aws: Aws) -> None:
    aws.simulator.set_page_size(5)
    token = aws.costs(*PERIOD, *GROUP_BY)["NextPageToken"]

    answer = refused(lambda: aws.costs(*PERIOD, *GROUP_BY, key="development", NextPageToken=token))
    assert answer.code == "RequestChangedException"


def test_a_made_up_page_token_is_refused(aws: Aws) -> None:
    for token in ("nonsense", "bm9uc2Vuc2U=", "ü"):
        answer = refused(lambda: aws.costs(*PERIOD, *GROUP_BY, NextPageToken=token))  # noqa: B023 - called at once
        assert (answer.code, answer.status) == ("InvalidNextTokenException", 400)


def test_all_pages_are_of_the_moment_of_the_first(aws: Aws) -> None:
    whole = groups(aws.all_pages("2026-11-20", "2026-11-23", *GROUP_BY))
    aws.simulator.set_page_size(20)
    first = aws.costs("2026-11-20", "2026-11-23", *GROUP_BY)
    aws.simulator.set_today(date(2026, 11, 24))
    pages = [first]
    while "NextPageToken" in pages[-1]:
        pages.append(aws.costs("2026-11-20", "2026-11-23", *GROUP_BY, NextPageToken=pages[-1]["NextPageToken"]))

    assert groups(pages) == whole
    assert groups(aws.all_pages("2026-11-20", "2026-11-23", *GROUP_BY)) != whole
