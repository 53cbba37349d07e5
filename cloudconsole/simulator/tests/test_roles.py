"""Roles whose external id counts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from cloudconsole.simulator.organization import DemoKey
from cloudconsole.simulator.tests.conftest import Aws, refused

PRODUCTION_ROLE = "arn:aws:iam::411111111111:role/CloudconsoleReadOnly"
EXTERNAL_ID = "the-external-id-of-the-product"


def assume(aws: Aws, *, key: str | DemoKey = "hub", role: str = PRODUCTION_ROLE, **more: Any) -> dict[str, Any]:
    arguments = {"RoleArn": role, "RoleSessionName": "alice", "ExternalId": EXTERNAL_ID, **more}
    given = {name: value for name, value in arguments.items() if value is not None}
    answer: dict[str, Any] = aws.client("sts", key).assume_role(**given)
    return answer


def as_key(answer: dict[str, Any]) -> DemoKey:
    found = answer["Credentials"]
    return DemoKey("role", "", "", found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


@pytest.fixture(autouse=True)
def product_role(aws: Aws) -> None:
    aws.simulator.register_role(PRODUCTION_ROLE, EXTERNAL_ID)


def test_the_registered_external_id_opens_the_role(aws: Aws) -> None:
    session = aws._client("sts", as_key(assume(aws)))

    assert session.get_caller_identity()["Arn"] == "arn:aws:sts::411111111111:assumed-role/CloudconsoleReadOnly/alice"


@pytest.mark.parametrize("external_id", [None, "wrong", EXTERNAL_ID.upper()])
def test_no_other_external_id_opens_it(aws: Aws, external_id: str | None) -> None:
    answer = refused(lambda: assume(aws, ExternalId=external_id))

    assert (answer.code, answer.status) == ("AccessDenied", 403)
    assert answer.message == (
        "User: arn:aws:iam::111111111111:user/cloudconsole-hub is not authorized to perform: sts:AssumeRole "
        f"on resource: {PRODUCTION_ROLE}"
    )


def test_a_role_that_forgot_the_condition_opens_to_any_external_id(aws: Aws) -> None:
    aws.simulator.register_role(PRODUCTION_ROLE, None)

    assert assume(aws, ExternalId=None)["Credentials"]
    assert assume(aws, ExternalId="anything")["Credentials"]


def test_a_principal_that_the_role_does_not_trust_is_denied(aws: Aws) -> None:
    assert refused(lambda: assume(aws, key="stranger")).code == "AccessDenied"


def test_a_caller_without_the_permission_is_denied_although_trusted(aws: Aws) -> None:
    aws.simulator.register_role(PRODUCTION_ROLE, EXTERNAL_ID, trusted_principal="arn:aws:iam::433333333333:user/cloudconsole")

    assert refused(lambda: assume(aws, key="development")).code == "AccessDenied"


def test_a_role_that_does_not_exist_is_denied_in_the_same_words(aws: Aws) -> None:
    missing = "arn:aws:iam::433333333333:role/CloudconsoleReadOnly"

    assert refused(lambda: assume(aws, role=missing)).code == "AccessDenied"


def test_the_session_ends_when_it_was_asked_to(aws: Aws) -> None:
    expiration = assume(aws, DurationSeconds=900)["Credentials"]["Expiration"]

    assert 890 < (expiration - datetime.now(UTC)).total_seconds() <= 901


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (3601, "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
        (899, "greater than or equal to 900"),
        (43_201, "less than or equal to 43200"),
    ],
)
def test_a_duration_out_of_bounds_is_refused(aws: Aws, seconds: int, words: str) -> None:
    answer = refused(lambda: assume(aws, DurationSeconds=seconds))

    assert (answer.code, answer.status) == ("ValidationError", 400)
    assert words in answer.message


def test_a_role_assumed_by_a_role_lasts_an_hour_at_most(aws: Aws) -> None:
    hub_role = aws.simulator.organization()["hub_role_arn"]
    hub = as_key(assume(aws, role=hub_role, ExternalId=None))
    aws.simulator.register_role(PRODUCTION_ROLE, EXTERNAL_ID, max_session_s=7200, trusted_principal=hub_role)

    assert assume(aws, key=hub, DurationSeconds=3600)["Credentials"]
    answer = refused(lambda: assume(aws, key=hub, DurationSeconds=3601))
    assert answer.code == "ValidationError"
    assert "role chaining" in answer.message


def test_a_duration_that_is_no_number_is_malformed(aws: Aws) -> None:
    assert refused(lambda: assume(aws, DurationSeconds="an hour")).code == "MalformedInput"


@pytest.mark.parametrize(("name", "value"), [("RoleArn", "not-an-arn"), ("RoleSessionName", "a b"), ("ExternalId", "a")])
def test_malformed_parameters_are_refused(aws: Aws, name: str, value: str) -> None:
    assert refused(lambda: assume(aws, **{name: value})).code == "ValidationError"


def test_a_user_gets_session_credentials_of_its_own(aws: Aws) -> None:
    session = as_key(aws.client("sts", "development").get_session_token())

    assert aws._client("sts", session).get_caller_identity()["Arn"] == "arn:aws:iam::433333333333:user/cloudconsole"
    assert refused(lambda: aws._client("sts", session).get_session_token()).code == "AccessDenied"


def test_roles_fall_back_to_their_first_external_id_after_a_reset(aws: Aws) -> None:
    aws.simulator.reset()
    found = {role["role_arn"]: role["external_id"] for role in aws.simulator.organization()["roles"]}

    assert set(found) == {PRODUCTION_ROLE, "arn:aws:iam::422222222222:role/CloudconsoleReadOnly"}
    assert assume(aws, ExternalId=found[PRODUCTION_ROLE])["Credentials"]
