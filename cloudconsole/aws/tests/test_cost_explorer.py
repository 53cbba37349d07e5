from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from cloudconsole.aws.cost_explorer import (
    Amounts,
    CostAnswer,
    CostQuery,
    Dimension,
    RequestRecord,
    TooManyPages,
    get_cost_and_usage,
)
from cloudconsole.aws.credentials import Access, AssumedRole
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.tests.cost_pages import group, metrics, page, period
from cloudconsole.aws.tests.scripted import Endpoint, Reply, Reset, in_turn, json_error, json_reply, role_reply, whoami_reply
from cloudconsole.core.errors import CloudconsoleError

FIRST, SECOND = date(2026, 11, 1), date(2026, 11, 2)
BY_SERVICE = CostQuery(FIRST, date(2026, 11, 3), group_by=(Dimension.SERVICE,))
UNGROUPED = CostQuery(FIRST, date(2026, 11, 3))


class Ledger:
    """A meter that writes everything down, and refuses when there is nothing left to spend."""

    def __init__(self, allowed: int = 1_000) -> None:
        self.allowed = allowed
        self.records: list[RequestRecord] = []

    def before_request(self) -> None:
        if len(self.records) >= self.allowed:
            raise CapReached("The cap is reached.")

    def after_request(self, record: RequestRecord) -> None:
        self.records.append(record)

    def told(self) -> list[tuple[str, int, bool]]:
        return [(record.outcome, record.page, record.charged) for record in self.records]


class CapReached(CloudconsoleError):
    code = "cap_reached"


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def ask(endpoint: Endpoint, access: Access, ledger: Ledger) -> Callable[..., CostAnswer]:
    def ask(query: CostQuery = BY_SERVICE, **options: Any) -> CostAnswer:
        return get_cost_and_usage(access, query, meter=options.pop("meter", ledger), **options)

    return ask


Ask = Callable[..., CostAnswer]


def pages(*bodies: dict[str, Any]) -> Any:
    return in_turn(*(json_reply(body, **{"x-amzn-RequestId": f"r-{n}"}) for n, body in enumerate(bodies, 1)))


def test_all_pages_are_fetched_with_the_same_parameters(endpoint: Endpoint, ask: Ask, ledger: Ledger) -> None:
    endpoint.script = pages(
        page([period(FIRST, group("1.10", "EC2"))], "t1"),
        page([period(FIRST, group("0.0000000001", "S3")), period(SECOND, group("2", "EC2"), estimated=True)], "t2"),
        page([period(SECOND, group("-0.5", "S3"))]),
    )
    answer = ask()

    first, *others = (dict(request.params) for request in endpoint.requests)
    assert first == {
        "TimePeriod": {"Start": "2026-11-01", "End": "2026-11-03"},
        "Granularity": "DAILY",
        "Metrics": ["UnblendedCost", "BlendedCost", "AmortizedCost", "NetUnblendedCost", "NetAmortizedCost"],
        "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
    }
    assert others == [first | {"NextPageToken": "t1"}, first | {"NextPageToken": "t2"}]
    assert (answer.pages, answer.request_ids, answer.currency) == (3, ("r-1", "r-2", "r-3"), "USD")
    assert [(day.day, day.estimated, day.total) for day in answer.days] == [(FIRST, False, None), (SECOND, True, None)]
    assert {keys: amounts.unblended for keys, amounts in answer.days[0].groups.items()} == {
        ("EC2",): Decimal("1.10"),
        ("S3",): Decimal("0.0000000001"),
    }
    assert ledger.told() == [("ok", 1, True), ("ok", 2, True), ("ok", 3, True)]


def test_a_group_that_comes_twice_is_added_up(endpoint: Endpoint, ask: Ask) -> None:
    endpoint.script = pages(
        page([period(FIRST, group("1.25", "EC2"), group("2", "EC2"))], "t1"), page([period(FIRST, group("-0.25", "EC2"))])
    )
    assert ask().days[0].groups == {("EC2",): Amounts(*[Decimal("3.00")] * 5)}


def test_an_ungrouped_answer_has_totals_and_keeps_days_without_cost(endpoint: Endpoint, ask: Ask) -> None:
    endpoint.script = pages(page([period(FIRST, total=metrics("0", "N/A")), period(SECOND, total=metrics("9.99"))]))
    answer = ask(UNGROUPED)
    assert "GroupBy" not in endpoint.requests[0].params
    assert [day.total and day.total.net_amortized for day in answer.days] == [Decimal(0), Decimal("9.99")]
    assert (answer.currency, answer.days[0].groups) == ("USD", {})


def test_a_day_without_groups_is_kept(endpoint: Endpoint, ask: Ask) -> None:
    endpoint.script = pages(page([period(FIRST), period(SECOND, group("1", "EC2"))]))
    assert [(day.day, len(day.groups)) for day in ask().days] == [(FIRST, 0), (SECOND, 1)]


def test_names_of_accounts_are_brought_along(endpoint: Endpoint, ask: Ask) -> None:
    names = {"411111111111": "production", "EC2": "not an account"}
    endpoint.script = pages(page([period(FIRST)], names=names))
    assert ask().labels == {"411111111111": "production"}


def test_cost_explorer_is_asked_in_its_one_region(endpoint: Endpoint, ask: Ask) -> None:
    endpoint.script = pages(page([]))
    ask()
    assert [(request.service, request.region) for request in endpoint.requests] == [("ce", "us-east-1")]


def test_a_refused_page_token_leads_to_one_fresh_start(endpoint: Endpoint, ask: Ask, ledger: Ledger) -> None:
    endpoint.script = in_turn(
        json_reply(page([period(FIRST, group("1", "EC2"))], "t1")),
        json_error("InvalidNextTokenException"),
        json_reply(page([period(FIRST, group("1", "EC2"))], "t2")),
        json_reply(page([period(SECOND, group("2", "EC2"))])),
    )
    answer = ask()
    assert [day.groups[("EC2",)].unblended for day in answer.days] == [Decimal(1), Decimal(2)]
    assert [request.params.get("NextPageToken") for request in endpoint.requests] == [None, "t1", None, "t2"]
    assert ledger.told() == [("ok", 1, True), ("token_refused", 2, False), ("ok", 1, True), ("ok", 2, True)]


@pytest.mark.parametrize("code", ["InvalidNextTokenException", "RequestChangedException"])
def test_a_page_token_refused_again_ends_the_query(endpoint: Endpoint, ask: Ask, code: str) -> None:
    first = json_reply(page([], "t1"))
    endpoint.script = in_turn(first, json_error(code), first, json_error(code))
    with pytest.raises(AwsError) as caught:
        ask()
    assert (caught.value.cause, caught.value.retryable) == (AwsErrorKind.TOKEN_REFUSED, True)
    assert len(endpoint.requests) == 4


def test_more_pages_than_allowed_bring_nothing(endpoint: Endpoint, ask: Ask, ledger: Ledger) -> None:
    numbers = itertools.count()
    endpoint.script = lambda _: json_reply(page([period(FIRST, group("1", "EC2"))], f"t{next(numbers)}"))
    with pytest.raises(TooManyPages):
        ask(max_pages=3)
    assert len(ledger.records) == 3


def test_exactly_as_many_pages_as_allowed_are_fine(endpoint: Endpoint, ask: Ask) -> None:
    endpoint.script = pages(page([], "t1"), page([], "t2"), page([]))
    assert ask(max_pages=3).pages == 3


def test_a_page_token_that_repeats_itself_ends_the_query(endpoint: Endpoint, ask: Ask) -> None:
    endpoint.script = lambda _: json_reply(page([], "for-ever"))
    with pytest.raises(AwsError) as caught:
        ask()
    assert (caught.value.cause, len(endpoint.requests)) == (AwsErrorKind.GARBLED, 2)


def test_every_retry_is_metered_and_only_answers_are_charged(endpoint: Endpoint, ask: Ask, ledger: Ledger) -> None:
    endpoint.script = in_turn(json_error("LimitExceededException", "Rate exceeded"), Reset(), json_reply(page([period(FIRST)])))
    ask()
    assert ledger.told() == [("throttled", 1, False), ("unreachable", 1, True), ("ok", 1, True)]
    assert [record.aws_request_id for record in ledger.records] == ["r-refused", "", "r-json"]


def test_a_meter_that_refuses_keeps_the_request_back(endpoint: Endpoint, ask: Ask) -> None:
    endpoint.script = pages(page([], "t1"), page([]))
    with pytest.raises(CapReached):
        ask(meter=Ledger(allowed=1))
    assert len(endpoint.requests) == 1


def test_a_meter_that_cannot_record_stops_the_query(endpoint: Endpoint, ask: Ask) -> None:
    class Broken(Ledger):
        def after_request(self, record: RequestRecord) -> None:
            raise CapReached("The ledger cannot be written.")

    endpoint.script = pages(page([], "t1"), page([]))
    with pytest.raises(CapReached):
        ask(meter=Broken())
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(
    ("code", "message", "cause"),
    [
        (
            "AccessDeniedException",
            "User: alice is not authorized to perform: ce:GetCostAndUsage",
            "access_denied",
        ),
        ("AccessDeniedException", "User not enabled for cost explorer access", "not_enabled"),
        ("DataUnavailableException", "Data is not available. Please try to adjust the time period.", "data_unavailable"),
        ("ValidationException", "Start date (and hour) should be before end date (and hour)", "invalid_request"),
        ("UnrecognizedClientException", "The security token included in the request is invalid.", "credentials_invalid"),
        ("ExpiredTokenException", "The security token included in the request is expired", "credentials_expired"),
    ],
)
def test_a_refusal_is_told_once_and_costs_nothing(
    endpoint: Endpoint, ask: Ask, ledger: Ledger, code: str, message: str, cause: str
) -> None:
    endpoint.script = lambda _: json_error(code, message)
    with pytest.raises(AwsError) as caught:
        ask()
    assert caught.value.cause == cause
    assert ledger.told() == [(cause, 1, False)]


def broken(**changes: Any) -> dict[str, Any]:
    return page([period(FIRST, group("1", "EC2")) | changes])


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"<html>captive portal</html>"),
        Reply(body=b'{"ResultsByTime": [{"TimePeriod"', claimed_length=9_000),
        json_reply({}),
        json_reply({"ResultsByTime": None}),
        json_reply(broken(TimePeriod={})),
        json_reply(broken(TimePeriod={"Start": "yesterday", "End": "today"})),
        json_reply(broken(TimePeriod={"Start": "2025-01-01", "End": "2025-01-02"})),
        json_reply(broken(Groups=[group("1", "EC2", "Usage")])),
        json_reply(broken(Groups=[{"Keys": ["EC2"], "Metrics": {}}])),
        json_reply(broken(Groups=[group("NaN", "EC2")])),
        json_reply(broken(Groups=[group("one", "EC2")])),
        json_reply(broken(Groups=[group("1", "EC2"), {"Keys": ["S3"], "Metrics": metrics("1", "EUR")}])),
        json_reply(broken(Groups=[{"Keys": ["S3"], "Metrics": metrics("1", "N/A")}, group("1", "EC2")])),
    ],
    ids=lambda reply: reply.body.decode()[:60],
)
@pytest.mark.parametrize("before", [[], [json_reply(page([period(FIRST, group("1", "EC2"))], "t1"))]], ids=["first", "second"])
def test_nonsense_on_any_page_fails_the_whole_answer(
    endpoint: Endpoint, ask: Ask, ledger: Ledger, reply: Reply, before: list[Reply]
) -> None:
    endpoint.script = in_turn(*before, reply)
    with pytest.raises(AwsError) as caught:
        ask()
    assert caught.value.cause in (AwsErrorKind.GARBLED, AwsErrorKind.UNREACHABLE)
    assert len(endpoint.requests) == len(ledger.records) == len(before) + 1
    assert ledger.records[-1].charged


def test_the_calls_that_fetch_a_role_session_are_not_on_the_meter(endpoint: Endpoint, ledger: Ledger, access: Access) -> None:
    at_its_end = role_reply("ASIAROLE", lasts=timedelta(0))  # so that even signing fetches another one
    replies = {"AssumeRole": at_its_end, "GetCostAndUsage": json_reply(page([]))}
    endpoint.script = lambda request: replies.get(request.operation) or whoami_reply(request)
    role = AssumedRole("arn:aws:iam::222222222222:role/console", "external-id", access.source)
    get_cost_and_usage(Access("role:1", role), BY_SERVICE, meter=ledger)
    assert endpoint.operations() == ["AssumeRole", "AssumeRole", "GetCostAndUsage"]
    assert len(ledger.records) == 1


@pytest.mark.usefixtures("real_rates")
def test_after_a_burst_one_account_is_asked_twice_a_second(endpoint: Endpoint, ask: Ask) -> None:
    numbers = itertools.count(1)
    endpoint.script = lambda _: json_reply(page([], f"t{n}" if (n := next(numbers)) < 42 else None))
    started = time.monotonic()
    assert ask(max_pages=42).pages == 42
    assert time.monotonic() - started >= 0.5


@pytest.mark.parametrize(
    ("start", "end", "group_by"),
    [
        (SECOND, SECOND, ()),
        (SECOND, FIRST, ()),
        (FIRST, SECOND, (Dimension.SERVICE, Dimension.REGION, Dimension.RECORD_TYPE)),
        (FIRST, SECOND, (Dimension.SERVICE, Dimension.SERVICE)),
    ],
)
def test_a_query_that_aws_would_refuse_cannot_be_made(start: date, end: date, group_by: tuple[Dimension, ...]) -> None:
    with pytest.raises(ValueError, match=r"exclusive|two different"):
        CostQuery(start, end, group_by=group_by)
