from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudconsole.aws import sts
from cloudconsole.aws.credentials import (
    Access,
    AssumedRole,
    Keys,
    RoleSession,
    SessionCache,
    SessionKey,
    StaticKey,
    requested_duration,
    session_name,
)
from cloudconsole.aws.errors import AwsError, AwsErrorKind, DeadlineExceeded
from cloudconsole.aws.tests.scripted import Endpoint, Reply, Request, Script, role_reply, whoami_reply, xml_error
from cloudconsole.core import clock

HUB = StaticKey("AKIAHUB", "secret-of-the-hub")
ROLE = AssumedRole("arn:aws:iam::222222222222:role/console", "external-id", HUB)
MEMBER = Access("member:1", ROLE, actor="alice@example.org")


def granting(*replies: Reply) -> Script:
    """AssumeRole is answered by `replies` in turn, the last one for ever; everything else is whoami."""
    left = list(replies)

    def script(request: Request) -> Reply:
        if request.operation != "AssumeRole":
            return whoami_reply(request)
        return left.pop(0) if len(left) > 1 else left[0]

    return script


def assumptions(endpoint: Endpoint) -> list[Request]:
    return [request for request in endpoint.requests if request.operation == "AssumeRole"]


def test_the_hub_assumes_the_role_with_the_external_id_and_the_actors_name(endpoint: Endpoint) -> None:
    endpoint.script = granting(role_reply("ASIAMEMBER"))
    assert sts.whoami(MEMBER).arn.endswith("ASIAMEMBER")
    asked, used = endpoint.requests
    assert (asked.key_id, asked.params["ExternalId"]) == ("AKIAHUB", "external-id")
    assert asked.params["RoleSessionName"] == "alice@example.org"
    assert (used.key_id, used.token) == ("ASIAMEMBER", "session-token")


def test_one_caller_assumes_the_role_while_63_others_wait(endpoint: Endpoint) -> None:
    together, asked, may_answer = Barrier(65), Event(), Event()

    def script(request: Request) -> Reply:
        if request.operation != "AssumeRole":
            return whoami_reply(request)
        asked.set()
        may_answer.wait(10)
        return role_reply("ASIAMEMBER")

    endpoint.script = script

    def ask(_: int) -> str:
        together.wait()
        return sts.whoami(MEMBER).arn

    with ThreadPoolExecutor(64) as pool:
        answers = [pool.submit(ask, number) for number in range(64)]
        together.wait()
        asked.wait(10)
        may_answer.set()
        assert {answer.result() for answer in answers} == {"arn:aws:iam::111111111111:user/ASIAMEMBER"}
    assert len(assumptions(endpoint)) == 1


def test_those_who_wait_for_a_refused_role_are_refused_with_it(endpoint: Endpoint) -> None:
    asked, may_answer = Event(), Event()

    def script(request: Request) -> Reply:
        asked.set()
        may_answer.wait(10)
        return xml_error("AccessDenied", "User: arn:x is not authorized to perform: sts:AssumeRole")

    endpoint.script = script
    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(sts.whoami, MEMBER)
        asked.wait(10)
        others = [pool.submit(sts.whoami, MEMBER) for _ in range(7)]
        # Waiting threads hold the pending renewal; the eighth thread is the one that asks.
        may_answer.set()
        failures = [future.exception() for future in (first, *others)]
    assert {failure.cause for failure in failures if isinstance(failure, AwsError)} == {AwsErrorKind.ACCESS_DENIED}
    assert len({id(failure) for failure in failures}) == 8


def test_a_caller_who_runs_out_of_time_does_not_take_the_waiting_ones_along(endpoint: Endpoint) -> None:
    cache = SessionCache()
    key = SessionKey(ROLE, "alice", "us-east-1", endpoint.url)
    asked, may_fail, asked_again = Event(), Event(), Event()
    session = RoleSession(Keys("ASIA", "s", "t"), clock.now(), clock.now() + timedelta(hours=1))

    def out_of_time() -> RoleSession:
        asked.set()
        may_fail.wait(10)
        raise DeadlineExceeded("Too late.")

    def in_time() -> RoleSession:
        asked_again.set()
        return session

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(cache.get, key, out_of_time)
        asked.wait(10)
        second = pool.submit(cache.get, key, in_time)
        assert not asked_again.is_set()
        may_fail.set()
        assert isinstance(first.exception(), DeadlineExceeded)
        assert second.result() is session


def test_the_cache_forgets_what_was_used_longest_ago(endpoint: Endpoint) -> None:
    cache = SessionCache(capacity=2)
    session = RoleSession(Keys("ASIA", "s", "t"), clock.now(), clock.now() + timedelta(hours=1))
    made: list[str] = []

    def use(name: str) -> None:
        def assume() -> RoleSession:
            made.append(name)
            return session

        cache.get(SessionKey(ROLE, name, "us-east-1", endpoint.url), assume)

    for name in ("first", "second", "first", "third", "first", "second"):
        use(name)
    assert made == ["first", "second", "third", "second"]


def test_a_refusal_is_not_remembered(endpoint: Endpoint) -> None:
    endpoint.script = granting(xml_error("AccessDenied"), role_reply("ASIAMEMBER"))
    with pytest.raises(AwsError):
        sts.whoami(MEMBER)
    assert sts.whoami(MEMBER).arn.endswith("ASIAMEMBER")


def test_a_session_is_kept_until_shortly_before_it_expires(endpoint: Endpoint) -> None:
    endpoint.script = granting(role_reply("ASIAMEMBER", lasts=timedelta(hours=1)))
    for _ in range(3):
        sts.whoami(MEMBER)
    assert len(assumptions(endpoint)) == 1


def test_a_session_at_its_end_is_renewed_before_the_call(endpoint: Endpoint) -> None:
    endpoint.script = granting(role_reply("ASIAOLD", lasts=timedelta(0)), role_reply("ASIANEW"))
    sts.whoami(MEMBER)
    assert sts.whoami(MEMBER).arn.endswith("ASIANEW")


def test_an_expired_session_is_renewed_once(endpoint: Endpoint) -> None:
    def script(request: Request) -> Reply:
        if request.operation == "AssumeRole":
            return role_reply("ASIANEW" if len(assumptions(endpoint)) > 1 else "ASIAOLD")
        return xml_error("ExpiredToken") if request.key_id == "ASIAOLD" else whoami_reply(request)

    endpoint.script = script
    assert sts.whoami(MEMBER).arn.endswith("ASIANEW")


def test_a_session_that_stays_expired_fails_after_one_renewal(endpoint: Endpoint) -> None:
    def script(request: Request) -> Reply:
        return role_reply("ASIAMEMBER") if request.operation == "AssumeRole" else xml_error("ExpiredToken")

    endpoint.script = script
    with pytest.raises(AwsError) as caught:
        sts.whoami(MEMBER)
    assert caught.value.cause is AwsErrorKind.CREDENTIALS_EXPIRED
    assert endpoint.operations() == ["AssumeRole", "GetCallerIdentity"] * 2


def test_an_expired_session_token_is_not_tried_again(endpoint: Endpoint) -> None:
    endpoint.script = lambda _: xml_error("ExpiredToken")
    with pytest.raises(AwsError) as caught:
        sts.whoami(Access("temporary:1", StaticKey("ASIATEMPORARY", "secret", "token")))
    assert caught.value.cause is AwsErrorKind.CREDENTIALS_EXPIRED
    assert len(endpoint.requests) == 1


def test_other_credentials_or_another_actor_never_use_a_cached_session(endpoint: Endpoint) -> None:
    endpoint.script = granting(role_reply("ASIAMEMBER"))
    others = (
        MEMBER,
        replace(MEMBER, actor="bob@example.org"),
        replace(MEMBER, source=replace(ROLE, external_id="another-id")),
        replace(MEMBER, source=replace(ROLE, hub=StaticKey("AKIAHUB", "another-secret"))),
    )
    for access in others:
        sts.whoami(access)
    assert len(assumptions(endpoint)) == len(others)


def test_a_role_assumed_by_a_role_is_asked_for_one_hour_at_most(endpoint: Endpoint) -> None:
    endpoint.script = granting(role_reply("ASIAFIRST"), role_reply("ASIASECOND"))
    chained = replace(ROLE, hub=replace(ROLE, duration_s=7200), duration_s=7200)
    assert sts.whoami(replace(MEMBER, source=chained)).arn.endswith("ASIASECOND")
    first, second = assumptions(endpoint)
    assert (first.key_id, first.params["DurationSeconds"]) == ("AKIAHUB", "7200")
    assert (second.key_id, second.params["DurationSeconds"]) == ("ASIAFIRST", "3600")


def test_a_role_that_allows_less_is_taken_for_one_hour(endpoint: Endpoint) -> None:
    too_long = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
    endpoint.script = granting(xml_error("ValidationError", too_long, 400), role_reply("ASIAMEMBER"))
    sts.whoami(replace(MEMBER, source=replace(ROLE, duration_s=43_200)))
    assert [request.params["DurationSeconds"] for request in assumptions(endpoint)] == ["43200", "3600"]


def test_a_bad_key_of_the_hub_is_not_blamed_on_the_role(endpoint: Endpoint) -> None:
    endpoint.script = granting(xml_error("InvalidClientTokenId"))
    with pytest.raises(AwsError) as caught:
        sts.whoami(MEMBER)
    assert caught.value.cause is AwsErrorKind.CREDENTIALS_INVALID
    assert "that should assume the role" in caught.value.detail
    assert caught.value.operation == "AssumeRole"


@pytest.mark.parametrize(
    ("granted_to", "insists"),
    [
        (lambda external_id: False, True),
        (lambda external_id: external_id is None, False),
        (lambda external_id: external_id is not None, False),
    ],
    ids=["nobody", "without an external id", "with a wrong external id"],
)
def test_a_role_that_does_not_insist_on_its_external_id_is_found_out(
    endpoint: Endpoint, granted_to: object, insists: bool
) -> None:
    assert callable(granted_to)

    def script(request: Request) -> Reply:
        granted = granted_to(request.params.get("ExternalId"))
        return role_reply("ASIAMEMBER") if granted else xml_error("AccessDenied")

    endpoint.script = script
    assert sts.insists_on_external_id(MEMBER, ROLE) is insists
    assert "external-id" not in {request.params.get("ExternalId") for request in endpoint.requests}


@given(st.text(max_size=200))
def test_every_actor_becomes_a_session_name_that_aws_takes(actor: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_+=,.@-]{2,64}", session_name(actor))


@given(st.from_regex(r"[A-Za-z0-9_+=,.@][A-Za-z0-9_+=,.@-]{0,62}[A-Za-z0-9_+=,.@]", fullmatch=True))
def test_a_proper_session_name_is_left_alone(actor: str) -> None:
    assert session_name(actor) == actor


@given(st.integers(), st.booleans())
def test_the_requested_duration_is_one_that_aws_takes(wish: int, temporary: bool) -> None:
    hub = Keys("AKIAHUB", "secret", "token" if temporary else None)
    assert 900 <= requested_duration(replace(ROLE, duration_s=wish), hub) <= (3600 if temporary else 43_200)
