"""Good and bad credentials, as AWS tells them apart."""

from __future__ import annotations

from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
import time_machine

from cloudconsole.core import clock
from cloudconsole.simulator.tests.conftest import Aws, refused


@pytest.mark.parametrize(
    ("key", "arn"),
    [
        ("hub", "arn:aws:iam::111111111111:user/cloudconsole-hub"),
        ("development", "arn:aws:iam::433333333333:user/cloudconsole"),
        ("sandbox", "arn:aws:iam::444444444444:user/cloudconsole"),
    ],
)
def test_a_good_key_is_who_it_says(aws: Aws, key: str, arn: str) -> None:
    who = aws.client("sts", key).get_caller_identity()

    assert who["Arn"] == arn
    assert who["Account"] == arn.split(":")[4]
    assert who["ResponseMetadata"]["RequestId"]


@pytest.mark.parametrize(
    ("key", "query_code", "json_code"),
    [
        ("unknown", "InvalidClientTokenId", "UnrecognizedClientException"),
        ("deactivated", "InvalidClientTokenId", "UnrecognizedClientException"),
        ("wrong-secret", "SignatureDoesNotMatch", "InvalidSignatureException"),
        ("expired", "ExpiredToken", "ExpiredTokenException"),
    ],
)
def test_a_bad_key_is_refused_in_the_words_of_each_protocol(aws: Aws, key: str, query_code: str, json_code: str) -> None:
    by_query = refused(lambda: aws.client("sts", key).get_caller_identity())
    by_json = refused(lambda: aws.costs("2026-11-01", "2026-11-02", key=key))

    assert (by_query.code, by_query.status) == (query_code, 403)
    assert (by_json.code, by_json.status) == (json_code, 400)


def test_a_session_key_without_its_token_is_unknown(aws: Aws) -> None:
    half = aws.keys["development"].__class__(
        "half", "", "444444444444", aws.keys["sandbox"].access_key_id, aws.keys["sandbox"].secret_access_key
    )

    assert refused(lambda: aws.client("sts", half).get_caller_identity()).code == "InvalidClientTokenId"


@pytest.mark.parametrize(("hours", "words"), [(-72, "Signature expired"), (72, "Signature not yet current")])
def test_a_clock_that_is_far_off_is_told_apart_from_a_wrong_secret(aws: Aws, hours: int, words: str) -> None:
    clocks = (clock.now(), aws.simulator.now())  # both are in time; the simulated one stands still
    moment = (max if hours > 0 else min)(clocks) + timedelta(hours=hours)
    with time_machine.travel(moment, tick=False):
        answer = refused(lambda: aws.client("sts").get_caller_identity())

    assert answer.code == "SignatureDoesNotMatch"
    assert answer.message.startswith(words)


def test_a_client_that_travels_with_the_simulated_clock_is_in_time(aws: Aws) -> None:
    moment = clock.now() + timedelta(days=400)
    aws.simulator.set_now(moment)

    with time_machine.travel(moment, tick=False):
        assert aws.client("sts").get_caller_identity()["Account"] == "111111111111"


def test_a_session_runs_out_at_its_expiry(aws: Aws) -> None:
    expiry = aws.keys["sandbox"].expires_at
    assert expiry is not None
    aws.simulator.set_now(expiry)

    with time_machine.travel(expiry - timedelta(seconds=1), tick=False):
        assert aws.client("sts", "sandbox").get_caller_identity()["Account"] == "444444444444"
    with time_machine.travel(expiry, tick=False):
        assert refused(lambda: aws.client("sts", "sandbox").get_caller_identity()).code == "ExpiredToken"


def test_a_region_that_is_not_opted_in_knows_no_key(aws: Aws) -> None:
    sts = refused(lambda: aws.client("sts", "hub", "me-central-1").get_caller_identity())
    ec2 = refused(lambda: aws.client("ec2", "hub", "me-central-1").describe_vpcs())

    assert (sts.code, sts.status) == ("InvalidClientTokenId", 403)
    assert (ec2.code, ec2.status) == ("AuthFailure", 401)


def test_cost_explorer_has_one_endpoint_whatever_the_region(aws: Aws) -> None:
    answer = aws.client("ce", "hub", "me-central-1").get_cost_and_usage(
        TimePeriod={"Start": "2026-11-01", "End": "2026-11-02"}, Granularity="DAILY", Metrics=["UnblendedCost"]
    )

    assert len(answer["ResultsByTime"]) == 1


def test_a_request_without_a_signature_is_refused(aws: Aws) -> None:
    connection = HTTPConnection(urlsplit(aws.simulator.url).netloc)
    connection.request("POST", "/", body="Action=GetCallerIdentity&Version=2011-06-15")
    answer = connection.getresponse()

    assert answer.status == 403
    assert b"<Code>MissingAuthenticationToken</Code>" in answer.read()
    connection.close()


def test_a_body_changed_on_the_way_is_noticed(aws: Aws) -> None:
    client = aws._client("organizations")
    client.meta.events.register("before-send.organizations.ListAccounts", _with_another_body)

    assert refused(client.list_accounts).code == "InvalidSignatureException"


def test_s3_words_its_refusals_its_own_way(aws: Aws) -> None:
    unknown = refused(lambda: aws.client("s3", "unknown").list_buckets())
    with time_machine.travel(aws.simulator.now() + timedelta(days=3), tick=False):
        late = refused(lambda: aws.client("s3").list_buckets())

    assert (unknown.code, unknown.status) == ("InvalidAccessKeyId", 403)
    assert (late.code, late.status) == ("RequestTimeTooSkewed", 403)


def test_a_body_that_is_not_the_signed_one_is_noticed(aws: Aws) -> None:
    client = aws._client("s3")
    client.meta.events.register("before-send.s3.CreateBucket", _with_another_body)

    assert refused(lambda: client.create_bucket(Bucket="changed")).code == "SignatureDoesNotMatch"


def _with_another_body(request: object, **_: object) -> None:
    request.body = b'{"MaxResults":5}'  # type: ignore[attr-defined]
    request.headers["Content-Length"] = "16"  # type: ignore[attr-defined]
