"""Trouble on order, as the product will meet it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.parsers import ResponseParserError

from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.tests.conftest import Aws, refused

PERIOD = ("2026-11-02", "2026-11-04")


def ask_costs(aws: Aws) -> Callable[[], object]:
    return lambda: aws.costs(*PERIOD)


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (FaultKind.THROTTLE, "LimitExceededException", 400),
        (FaultKind.HTTP500, "InternalServerException", 500),
        (FaultKind.EXPIRED, "ExpiredTokenException", 400),
        (FaultKind.SKEWED_CLOCK, "InvalidSignatureException", 400),
        (FaultKind.DENIED, "AccessDeniedException", 400),
        (FaultKind.NOT_ENABLED, "AccessDeniedException", 400),
    ],
)
def test_a_fault_strikes_once_and_in_aws_words(aws: Aws, kind: FaultKind, code: str, status: int) -> None:
    aws.simulator.add_faults(Fault("ce", kind))
    answer = refused(ask_costs(aws))

    assert (answer.code, answer.status) == (code, status)
    assert answer.message
    assert aws.costs(*PERIOD)["ResultsByTime"]


@pytest.mark.parametrize(
    ("kind", "code", "status"),
    [
        (FaultKind.THROTTLE, "Throttling", 400),
        (FaultKind.HTTP500, "InternalFailure", 500),
        (FaultKind.EXPIRED, "ExpiredToken", 403),
        (FaultKind.SKEWED_CLOCK, "SignatureDoesNotMatch", 403),
    ],
)
def test_the_query_protocol_words_the_same_faults_its_way(aws: Aws, kind: FaultKind, code: str, status: int) -> None:
    aws.simulator.add_faults(Fault("sts", kind, operation="GetCallerIdentity"))
    answer = refused(lambda: aws.client("sts").get_caller_identity())

    assert (answer.code, answer.status) == (code, status)


def test_organizations_throttles_by_its_own_name(aws: Aws) -> None:
    aws.simulator.add_faults(Fault("organizations", FaultKind.THROTTLE))

    assert refused(lambda: aws.client("organizations").list_accounts()).code == "TooManyRequestsException"


def test_a_fault_waits_and_repeats_as_told(aws: Aws) -> None:
    aws.simulator.add_faults(Fault("ce", FaultKind.THROTTLE, after=1, times=2))

    assert aws.costs(*PERIOD)
    assert refused(ask_costs(aws)).code == refused(ask_costs(aws)).code == "LimitExceededException"
    assert aws.costs(*PERIOD)


def test_a_fault_strikes_only_whom_it_names(aws: Aws) -> None:
    aws.simulator.add_faults(Fault("ce", FaultKind.THROTTLE, account="433333333333", operation="GetCostAndUsage"))

    assert aws.costs(*PERIOD)
    assert refused(lambda: aws.costs(*PERIOD, key="development")).code == "LimitExceededException"


def test_a_page_token_can_be_refused_once(aws: Aws) -> None:
    aws.simulator.set_page_size(10)
    aws.simulator.add_faults(Fault("ce", FaultKind.TOKEN_REFUSED))
    token = aws.costs(*PERIOD, "SERVICE")["NextPageToken"]

    assert refused(lambda: aws.costs(*PERIOD, "SERVICE", NextPageToken=token)).code == "InvalidNextTokenException"
    assert aws.costs(*PERIOD, "SERVICE", NextPageToken=token)["ResultsByTime"]


def test_a_chosen_page_fails(aws: Aws) -> None:
    aws.simulator.set_page_size(10)
    aws.simulator.add_faults(Fault("ce", FaultKind.HTTP500, page=2))
    token = aws.costs(*PERIOD, "SERVICE")["NextPageToken"]

    assert refused(lambda: aws.costs(*PERIOD, "SERVICE", NextPageToken=token)).status == 500


def test_duplicate_keys_add_up_to_the_same(aws: Aws) -> None:
    plain = aws.costs(*PERIOD, "SERVICE", "RECORD_TYPE")
    aws.simulator.add_faults(Fault("ce", FaultKind.DUPLICATE_KEYS))
    doubled = aws.costs(*PERIOD, "SERVICE", "RECORD_TYPE")

    shown, whole = doubled["ResultsByTime"][0]["Groups"], plain["ResultsByTime"][0]["Groups"]
    assert [group["Keys"] for group in shown[::2]] == [group["Keys"] for group in whole]
    assert [group["Keys"] for group in shown[1::2]] == [group["Keys"] for group in whole]
    for first, second, expected in zip(shown[::2], shown[1::2], whole, strict=True):
        parts = [Decimal(group["Metrics"]["UnblendedCost"]["Amount"]) for group in (first, second, expected)]
        assert parts[0] + parts[1] == parts[2]


def test_garbage_is_no_answer(aws: Aws) -> None:
    aws.simulator.add_faults(Fault("ce", FaultKind.GARBAGE), Fault("sts", FaultKind.GARBAGE))

    # botocore takes JSON that it cannot read for a message, and raises nothing.
    assert "ResultsByTime" not in aws.costs(*PERIOD)
    with pytest.raises(ResponseParserError):
        aws.client("sts").get_caller_identity()
    assert aws.costs(*PERIOD)["ResultsByTime"]


def test_a_connection_is_reset(aws: Aws) -> None:
    aws.simulator.add_faults(Fault("ce", FaultKind.RESET))

    with pytest.raises(ConnectionClosedError):
        aws.costs(*PERIOD)
    assert [call.status for call in aws.simulator.calls()] == [0]


def test_a_silent_answer_runs_into_the_clients_timeout(aws: Aws) -> None:
    aws.simulator.add_faults(Fault("ce", FaultKind.TIMEOUT))

    with pytest.raises(ReadTimeoutError):
        aws.client("ce", "hub", "us-east-1", 0.2).get_cost_and_usage(
            TimePeriod={"Start": PERIOD[0], "End": PERIOD[1]}, Granularity="DAILY", Metrics=["UnblendedCost"]
        )


def test_a_slow_answer_is_a_right_one(aws: Aws) -> None:
    aws.simulator.add_faults(Fault("ce", FaultKind.SLOW, seconds=0.05))

    assert aws.costs(*PERIOD)["ResultsByTime"]


def test_cleared_faults_strike_nobody(aws: Aws) -> None:
    aws.simulator.add_faults(Fault("ce", FaultKind.THROTTLE, times=9))
    aws.simulator.clear_faults()

    assert aws.costs(*PERIOD)


def test_calls_are_counted_with_account_key_and_page(aws: Aws) -> None:
    aws.simulator.set_page_size(10)
    token = aws.costs(*PERIOD, "SERVICE")["NextPageToken"]
    aws.costs(*PERIOD, "SERVICE", NextPageToken=token)
    refused(lambda: aws.client("sts", "unknown").get_caller_identity())

    calls = aws.simulator.calls()
    assert [(call.service, call.operation, call.account, call.page, call.status, call.error) for call in calls] == [
        ("ce", "GetCostAndUsage", "111111111111", 1, 200, ""),
        ("ce", "GetCostAndUsage", "111111111111", 2, 200, ""),
        ("sts", "GetCallerIdentity", "", 1, 403, "InvalidClientTokenId"),
    ]
    assert calls[0].access_key_id == aws.keys["hub"].access_key_id
    aws.simulator.clear_calls()
    assert aws.simulator.calls() == []
