from __future__ import annotations

import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from cloudconsole.aws import clients, sts
from cloudconsole.aws.clients import acting_as, client
from cloudconsole.aws.credentials import Access, Ambient, AssumedRole
from cloudconsole.aws.errors import AwsError, AwsErrorKind, NoIdentity
from cloudconsole.aws.identity import CurrentCredentialProvider
from cloudconsole.aws.tests.conftest import access_with
from cloudconsole.aws.tests.scripted import Endpoint, Reply, Request, role_reply, whoami_reply

REGIONS = ("us-east-1", "eu-central-1", "ap-southeast-2")


def test_64_threads_over_20_accounts_and_three_regions_never_mix_identities(endpoint: Endpoint) -> None:
    def script(request: Request) -> Reply:
        if request.operation == "AssumeRole":
            return role_reply(f"ASIA-{request.params['RoleArn'].rsplit('/', 1)[1]}")
        return whoami_reply(request)

    endpoint.script = script
    fixed = [access_with(f"AKIAEXAMPLE{number:09}") for number in range(10)]
    roles = [
        Access(f"role-{number}:1", AssumedRole(f"arn:aws:iam::111111111111:role/member-{number}", "external-id", fixed[0].source))
        for number in range(10)
    ]
    expected = {access.key: access.key.removesuffix(":1") for access in fixed}
    expected |= {access.key: f"ASIA-member-{number}" for number, access in enumerate(roles)}
    work = list(itertools.product([*fixed, *roles], REGIONS)) * 8
    together = Barrier(64)

    def ask(position: int) -> list[tuple[str, str, str, str]]:
        together.wait()
        seen = []
        for access, region in work[position::64]:
            with acting_as(access):
                answer = client("sts", region).get_caller_identity()
            seen.append((access.key, region, answer["Arn"].rsplit("/", 1)[1], answer["UserId"]))
        return seen

    with ThreadPoolExecutor(64) as pool:
        answers = [answer for answers in pool.map(ask, range(64)) for answer in answers]

    assert len(answers) == len(work) == 480
    assert [answer for answer in answers if answer[2:] != (expected[answer[0]], answer[1])] == []


def test_a_call_outside_acting_as_sends_nothing(endpoint: Endpoint) -> None:
    with pytest.raises(NoIdentity):
        client("sts", "us-east-1").get_caller_identity()
    assert endpoint.requests == []


def test_a_thread_started_inside_acting_as_calls_as_nobody(endpoint: Endpoint, access: Access) -> None:
    with acting_as(access), ThreadPoolExecutor(1) as pool:
        future = pool.submit(client("sts", "us-east-1").get_caller_identity)
    assert isinstance(future.exception(), NoIdentity)
    assert endpoint.requests == []


def test_an_inner_identity_ends_with_its_block(endpoint: Endpoint) -> None:
    with acting_as(access_with("AKIAOUTER")):
        with acting_as(access_with("AKIAINNER")):
            client("sts", "us-east-1").get_caller_identity()
        client("sts", "us-east-1").get_caller_identity()
    assert [request.key_id for request in endpoint.requests] == ["AKIAINNER", "AKIAOUTER"]


def test_all_accounts_share_one_client_per_service_and_region(endpoint: Endpoint) -> None:
    assert client("sts", "us-east-1") is client("sts", "us-east-1")
    assert client("sts", "us-east-1") is not client("sts", "eu-central-1")


def test_a_client_does_not_outlive_the_endpoint_it_was_made_for(endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    before = client("sts", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert client("sts", "us-east-1").meta.endpoint_url == "http://127.0.0.1:9"
    assert before.meta.endpoint_url == endpoint.url


def test_clients_are_made_once_however_many_threads_ask_first(endpoint: Endpoint) -> None:
    together = Barrier(16)

    def first(_: int) -> int:
        together.wait()
        return id(client("iam", "us-east-1"))

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(first, range(16)))) == 1


def test_botocore_still_takes_its_credentials_from_the_public_component() -> None:
    session = clients._new_session()
    provider = session.get_component("credential_provider")
    assert isinstance(provider, CurrentCredentialProvider)
    assert session.get_credentials() is provider.load_credentials()


def test_a_session_token_travels_with_its_key(endpoint: Endpoint) -> None:
    sts.whoami(access_with("ASIATEMPORARY", token="the-token"))
    assert [(request.key_id, request.token) for request in endpoint.requests] == [("ASIATEMPORARY", "the-token")]


def test_the_identity_of_the_server_is_found_beside_the_shared_session(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIASERVER")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-of-the-server")
    sts.whoami(Access("server:1", Ambient()))
    sts.whoami(access_with("AKIAOTHER"))
    assert [request.key_id for request in endpoint.requests] == ["AKIASERVER", "AKIAOTHER"]


def test_a_server_without_identity_is_told_what_to_give_it(endpoint: Endpoint) -> None:
    with pytest.raises(AwsError) as caught:
        sts.whoami(Access("server:1", Ambient()))
    assert caught.value.cause is AwsErrorKind.CREDENTIALS_INVALID
    assert "no AWS identity of its own" in caught.value.detail
    assert endpoint.requests == []


def test_whoami_brings_the_account_and_the_request_id(endpoint: Endpoint, access: Access) -> None:
    identity = sts.whoami(access)
    assert identity.account_id == "111111111111"
    assert identity.arn.endswith("AKIAEXAMPLE000000001")
    assert identity.request_id == "r-whoami"


def test_a_forked_process_has_clients_of_its_own() -> None:
    script = (
        "import os, sys\n"
        "from cloudconsole.aws.clients import client\n"
        "before = client('sts', 'us-east-1')\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    os._exit(3 if client('sts', 'us-east-1') is before else 0)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
