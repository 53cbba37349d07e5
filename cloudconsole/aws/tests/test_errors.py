from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from threading import Event
from typing import Any

import botocore.session
import pytest
from botocore.config import Config
from botocore.session import Session

from cloudconsole.aws import codes, function_codes, integrity, storage_codes, sts, translation
from cloudconsole.aws.codes import CODES, reading_of
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.readings import Reading
from cloudconsole.aws.tests.conftest import access_with
from cloudconsole.aws.tests.scripted import (
    Endpoint,
    Hang,
    Reply,
    Reset,
    Script,
    in_turn,
    json_error,
    whoami_reply,
    xml_error,
)
from cloudconsole.core.errors import Kind

Ask = Callable[[str, str], AwsError]


@pytest.fixture(scope="module")
def bare_session() -> Session:
    """Not the shared one: its clients may have timeouts and attempts of their own. Loading its models takes a while."""
    session = botocore.session.get_session()
    integrity.guard(session)
    return session


@contextmanager
def asking(session: Session, *, within_s: float) -> Iterator[Ask]:
    """Asks one service once, waits so long at most, and brings the error."""
    config = Config(connect_timeout=within_s, read_timeout=within_s, retries={"mode": "standard", "total_max_attempts": 1})
    with ExitStack() as stack:

        def ask(service: str, url: str) -> AwsError:
            client: Any = session.create_client(
                service, "us-east-1", endpoint_url=url, config=config, aws_access_key_id="AKIA", aws_secret_access_key="s"
            )
            stack.callback(client.close)
            request = client.get_caller_identity if service == "sts" else client.get_cost_categories
            params = {} if service == "sts" else {"TimePeriod": {"Start": "2026-01-01", "End": "2026-02-01"}}
            operation = "GetCallerIdentity" if service == "sts" else "GetCostCategories"
            with pytest.raises(AwsError) as caught:
                translation.guarded(service, operation, (), lambda: request(**params))
            return caught.value

        yield ask


@pytest.fixture
def once(endpoint: Endpoint, bare_session: Session) -> Iterator[Ask]:
    """Waits longer than a loaded machine needs for an answer that does come."""
    with asking(bare_session, within_s=30) as ask:
        yield ask


@pytest.fixture
def impatient(endpoint: Endpoint, bare_session: Session) -> Iterator[Ask]:
    """For answers that never come."""
    with asking(bare_session, within_s=0.3) as ask:
        yield ask


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_of_the_table_is_recognized_in_xml_and_in_json(endpoint: Endpoint, once: Ask, code: str) -> None:
    endpoint.script = lambda request: (xml_error if request.service == "sts" else json_error)(code, "words")
    for service, operation in (("sts", "GetCallerIdentity"), ("ce", "GetCostCategories")):
        error = once(service, endpoint.url)
        assert (error.aws_code, error.aws_message) == (code, "words")
        assert error.cause is reading_of(service, operation, code, "words", 400).cause
        assert error.meaning.endswith(".")
        assert error.remedy.endswith(".")


@pytest.mark.parametrize(
    ("service", "code", "message", "cause", "kind", "public"),
    [
        ("sts", "InvalidClientTokenId", "", "credentials_invalid", Kind.AWS_ACCOUNT, "aws_credentials_invalid"),
        ("sts", "ExpiredToken", "", "credentials_expired", Kind.AWS_ACCOUNT, "aws_credentials_expired"),
        ("sts", "RegionDisabledException", "", "region_disabled", Kind.AWS_ACCOUNT, "aws_region_disabled"),
        ("ce", "AccessDeniedException", "", "access_denied", Kind.AWS_ACCOUNT, "aws_access_denied"),
        (
            "ce",
            "AccessDeniedException",
            "User not enabled for cost explorer access",
            "not_enabled",
            Kind.AWS_ACCOUNT,
            "aws_not_enabled",
        ),
        (
            "ce",
            "AccessDeniedException",
            "Linked account doesn't have access to cost allocation tags.",
            "not_enabled",
            Kind.AWS_ACCOUNT,
            "aws_not_enabled",
        ),
        ("ce", "LimitExceededException", "Rate exceeded", "throttled", Kind.BUSY, "aws_throttled"),
        ("iam", "LimitExceededException", "", "conflict", Kind.CONFLICT, "aws_conflict"),
        ("ce", "DataUnavailableException", "", "data_unavailable", Kind.CONFLICT, "aws_data_unavailable"),
        ("ce", "BillExpirationException", "", "data_unavailable", Kind.CONFLICT, "aws_data_unavailable"),
        ("ce", "InvalidNextTokenException", "", "token_refused", Kind.UPSTREAM, "aws_token_refused"),
        ("ce", "RequestChangedException", "", "token_refused", Kind.UPSTREAM, "aws_token_refused"),
        ("ce", "ValidationException", "", "invalid_request", Kind.INVALID, "aws_invalid_request"),
        ("sts", "RequestTimeTooSkewed", "", "clock_skewed", Kind.UNAVAILABLE, "aws_clock_skewed"),
        ("iam", "NoSuchEntity", "", "not_found", Kind.NOT_FOUND, "aws_not_found"),
        ("ce", "InternalFailure", "", "internal", Kind.UPSTREAM, "aws_internal"),
    ],
)
def test_codes_lead_to_the_public_code_of_their_cause(
    service: str, code: str, message: str, cause: str, kind: Kind, public: str
) -> None:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}}
    error = translation.from_answer(service, "Operation", answer)
    assert (error.cause, error.kind, error.code) == (cause, kind, public)


@pytest.mark.parametrize(
    ("status", "cause"),
    [(400, "invalid_request"), (401, "access_denied"), (403, "access_denied"), (404, "not_found"), (429, "throttled")]
    + [(status, "internal") for status in (500, 502, 503, 504)],
)
def test_an_answer_without_an_aws_error_is_judged_by_its_status(endpoint: Endpoint, once: Ask, status: int, cause: str) -> None:
    endpoint.script = lambda _: Reply(status=status, body=b"{}")
    assert once("ce", endpoint.url).cause == cause


@pytest.mark.parametrize("status", [500, 502, 503])
def test_a_proxys_html_page_is_a_failure_of_the_other_side(endpoint: Endpoint, once: Ask, status: int) -> None:
    endpoint.script = lambda _: Reply(status=status, body=b"<html><body>Bad gateway</body></html>", content_type="text/html")
    assert once("sts", endpoint.url).cause in (AwsErrorKind.INTERNAL, AwsErrorKind.GARBLED)
    assert once("ce", endpoint.url).cause is AwsErrorKind.INTERNAL


def test_an_unreadable_answer_is_garbled_and_not_quoted(endpoint: Endpoint, once: Ask) -> None:
    endpoint.script = lambda _: Reply(body=b"<<< \xff nonsense", content_type="text/xml")
    error = once("sts", endpoint.url)
    assert (error.cause, error.code, error.aws_message) == (AwsErrorKind.GARBLED, "aws_garbled", "")


def test_a_reset_connection_is_unreachable(endpoint: Endpoint, once: Ask) -> None:
    endpoint.script = lambda _: Reset()
    error = once("sts", endpoint.url)
    assert error.cause is AwsErrorKind.UNREACHABLE
    assert "broke off" in error.detail


def test_an_answer_that_breaks_off_is_unreachable(endpoint: Endpoint, once: Ask) -> None:
    endpoint.script = lambda _: Reply(body=b'{"ResultsBy', claimed_length=5000)
    assert once("ce", endpoint.url).cause is AwsErrorKind.UNREACHABLE


def test_json_that_is_none_is_garbled(endpoint: Endpoint, once: Ask) -> None:
    endpoint.script = lambda _: Reply(body=b"<<< nonsense")
    assert once("ce", endpoint.url).cause is AwsErrorKind.GARBLED


def test_silence_is_unreachable(endpoint: Endpoint, impatient: Ask) -> None:
    released = Event()
    endpoint.script = lambda _: Hang(released)
    error = impatient("sts", endpoint.url)
    released.set()
    assert error.cause is AwsErrorKind.UNREACHABLE
    assert "did not answer in time" in error.detail


def test_a_refused_connection_is_unreachable(once: Ask) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = once("sts", f"http://127.0.0.1:{unused.getsockname()[1]}")
    assert (error.cause, error.retryable) == (AwsErrorKind.UNREACHABLE, True)


def test_a_connection_that_is_never_accepted_is_unreachable(impatient: Ask) -> None:
    with socket.socket() as deaf, ExitStack() as stack:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):  # fill the queue of the kernel, so that the next handshake hangs
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(deaf.getsockname())
        error = impatient("sts", f"http://127.0.0.1:{deaf.getsockname()[1]}")
    assert "did not accept a connection in time" in error.detail


def test_throttling_is_tried_again(endpoint: Endpoint, access: Access) -> None:
    replies = iter([xml_error("Throttling", status=400)])
    endpoint.script = lambda request: next(replies, None) or whoami_reply(request)
    sts.whoami(access)
    assert len(endpoint.requests) == 2


@pytest.mark.parametrize(
    "code",
    ["AccessDenied", "InvalidClientTokenId", "SignatureDoesNotMatch", "ExpiredToken", "OptInRequired", "ValidationError"],
)
def test_a_denial_is_never_tried_again(endpoint: Endpoint, access: Access, code: str) -> None:
    endpoint.script = lambda _: xml_error(code)
    with pytest.raises(AwsError):
        sts.whoami(access)
    assert len(endpoint.requests) == 1


def in_regions(disabled: str, refusal: Reply) -> Script:
    return lambda request: refusal if request.region == disabled else whoami_reply(request)


def test_a_refusal_in_one_region_only_means_that_the_region_is_disabled(endpoint: Endpoint) -> None:
    endpoint.script = in_regions("eu-south-2", xml_error("InvalidClientTokenId"))
    with pytest.raises(AwsError) as caught:
        sts.whoami(access_with("AKIAGOOD", region="eu-south-2"))
    assert caught.value.cause is AwsErrorKind.REGION_DISABLED
    assert "eu-south-2" in caught.value.detail


def test_a_refusal_everywhere_means_that_the_key_is_unknown(endpoint: Endpoint) -> None:
    endpoint.script = lambda _: xml_error("InvalidClientTokenId")
    with pytest.raises(AwsError) as caught:
        sts.whoami(access_with("AKIABAD", region="eu-south-2"))
    assert caught.value.cause is AwsErrorKind.CREDENTIALS_INVALID
    assert [request.region for request in endpoint.requests] == ["eu-south-2", "us-east-1"]


def test_in_the_default_region_nothing_more_is_asked(endpoint: Endpoint) -> None:
    endpoint.script = lambda _: xml_error("InvalidClientTokenId")
    with pytest.raises(AwsError):
        sts.whoami(access_with("AKIABAD"))
    assert len(endpoint.requests) == 1


@pytest.mark.parametrize(("ahead", "words"), [(-42, "42 minutes ahead of"), (17, "17 minutes behind")])
@pytest.mark.parametrize("code", ["SignatureDoesNotMatch", "RequestExpired", "RequestTimeTooSkewed"])
def test_a_wrong_clock_is_told_in_minutes(endpoint: Endpoint, access: Access, code: str, ahead: int, words: str) -> None:
    theirs = format_datetime(datetime.now(UTC) + timedelta(minutes=ahead), usegmt=True)
    endpoint.script = lambda _: xml_error(code, Date=theirs)
    with pytest.raises(AwsError) as caught:
        sts.whoami(access)
    assert (caught.value.cause, caught.value.code) == (AwsErrorKind.CLOCK_SKEWED, "aws_clock_skewed")
    assert words in caught.value.detail
    assert caught.value.clock_skew_s == pytest.approx(-ahead * 60, abs=10)


def test_what_aws_says_of_the_clock_counts_even_when_the_clocks_agree_again(endpoint: Endpoint, access: Access) -> None:
    said = "Signature expired: 20261122T000000Z is now earlier than 20261122T001500Z (20261122T003000Z - 15 min.)"
    now = format_datetime(datetime.now(UTC), usegmt=True)
    endpoint.script = lambda _: xml_error("SignatureDoesNotMatch", said, Date=now)
    with pytest.raises(AwsError) as caught:
        sts.whoami(access)
    assert caught.value.cause == AwsErrorKind.CLOCK_SKEWED
    assert "minutes" not in caught.value.detail


def test_a_wrong_secret_under_a_right_clock_is_the_secrets_fault(endpoint: Endpoint, access: Access) -> None:
    endpoint.script = lambda _: xml_error("SignatureDoesNotMatch", "The request signature we calculated does not match")
    with pytest.raises(AwsError) as caught:
        sts.whoami(access)
    assert caught.value.cause is AwsErrorKind.CREDENTIALS_INVALID
    assert "secret" in caught.value.detail


def test_an_answer_of_the_wrong_kind_is_garbled() -> None:
    assert translation.garbled("ce", "GetCostAndUsage", "It is empty.").cause is AwsErrorKind.GARBLED


def test_every_reading_says_what_to_do() -> None:
    modules = (codes, function_codes, storage_codes)
    readings = [value for module in modules for value in vars(module).values() if isinstance(value, Reading)]
    assert len(readings) > 30
    assert [reading for reading in readings if not (reading.meaning.endswith(".") and reading.remedy.endswith("."))] == []


def test_a_long_series_of_failures_ends_with_the_last_one(endpoint: Endpoint, access: Access) -> None:
    endpoint.script = in_turn(Reset(), Reset(), xml_error("InternalFailure", status=500))
    with pytest.raises(AwsError) as caught:
        sts.whoami(access)
    assert (caught.value.cause, len(endpoint.requests)) == (AwsErrorKind.INTERNAL, 3)
