"""Stored credentials under a KMS key: sealed and opened through the simulated KMS, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from io import StringIO
from typing import Any
from unittest.mock import ANY

import boto3
import pytest
import time_machine
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import AwsAccount, AwsCredential, User
from accounts.services import credentials, encryption, keys_health
from accounts.tests.conftest import Connect, key_fields
from audit.services.answers import DatabaseStore
from cloudconsole.api.answers import Answer, Verdict
from cloudconsole.aws import clients, kms
from cloudconsole.core import clock
from cloudconsole.core.tasks import heartbeat
from cloudconsole.sealing import Context, KeyUnavailable, Unreadable, keyring
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]
REGION = "eu-central-1"


@pytest.fixture(autouse=True)
def _host(simulator: SimulatorHandle, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This server runs as the hub, as an ECS task would, and holds no data key from another test."""
    hub = simulator.key("hub")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", hub.access_key_id)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", hub.secret_access_key)
    clients.close()
    kms.forget_data_keys()
    yield
    clients.close()
    kms.forget_data_keys()


@pytest.fixture
def admin_of_kms(simulator: SimulatorHandle) -> Iterator[Any]:
    """KMS as the person sees it who owns the keys."""
    hub = simulator.key("hub")
    client: Any = boto3.client(
        "kms",
        region_name=REGION,
        endpoint_url=simulator.url,
        aws_access_key_id=hub.access_key_id,
        aws_secret_access_key=hub.secret_access_key,
    )
    yield client
    client.close()


@pytest.fixture
def key(admin_of_kms: Any, settings: Any) -> str:
    """A new KMS key, which the settings name; every use asks KMS."""
    settings.KMS_KEY_ID = admin_of_kms.create_key()["KeyMetadata"]["Arn"]
    settings.KMS_DATA_KEY_CACHE_MINUTES = 0
    return str(settings.KMS_KEY_ID)


def secret_of(account: AwsAccount) -> str:
    source: Any = credentials.access_for(account, None).source
    return str(source.secret_access_key)


def asked(simulator: SimulatorHandle) -> list[str]:
    return [call.operation for call in simulator.calls() if call.service == "kms" and call.operation != "CreateKey"]


def short(arn: str) -> str:
    return arn.rpartition("/")[2]


def rotated() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def test_a_secret_is_sealed_by_kms_and_opens_again(key: str, connect: Connect, simulator: SimulatorHandle) -> None:
    account = connect("development")
    stored = AwsCredential.objects.get(account=account)
    assert stored.sealed_with == f"kms:{key}"
    assert secret_of(account) == simulator.key("development").secret_access_key
    assert {"GenerateDataKey", "Decrypt"} <= set(asked(simulator))


def test_a_ciphertext_opens_only_for_what_it_was_sealed_for(key: str) -> None:
    ring = keyring()
    sealed = ring.seal("secret", Context("one", "purpose"))
    assert ring.open(sealed, Context("one", "purpose")) == "secret"
    for other in (Context("other", "purpose"), Context("one", "other")):
        with pytest.raises(Unreadable):
            ring.open(sealed, other)


def test_what_is_no_message_of_the_key_is_refused(key: str, admin_of_kms: Any, settings: Any) -> None:
    sealed = keyring().seal("secret", Context("one", "purpose"))
    arn = admin_of_kms.create_key()["KeyMetadata"]["Arn"]
    for key_arn, ciphertext in ((key, b"\x02nonsense"), (key, sealed.ciphertext[:-3] + b"abc"), (arn, sealed.ciphertext)):
        with pytest.raises(kms.CiphertextRefused):
            kms.decrypt(kms.KmsKey(key_arn, 0), ciphertext, {})


def test_data_keys_are_kept_for_minutes_and_for_one_context_each(key: str, simulator: SimulatorHandle, settings: Any) -> None:
    settings.KMS_DATA_KEY_CACHE_MINUTES = 5
    ring = keyring()
    for _ in range(3):
        sealed = ring.seal("secret", Context("one", "purpose"))
        ring.open(sealed, Context("one", "purpose"))
    assert asked(simulator) == ["GenerateDataKey", "Decrypt"]
    ring.seal("secret", Context("other", "purpose"))
    assert asked(simulator) == ["GenerateDataKey", "Decrypt", "GenerateDataKey"]


def test_rotation_moves_from_fernet_to_kms_to_another_key_and_back(
    connect: Connect, admin_of_kms: Any, settings: Any, simulator: SimulatorHandle
) -> None:
    accounts = [connect("development"), connect("sandbox")]
    expected = [simulator.key(name).secret_access_key for name in ("development", "sandbox")]
    first, second = (admin_of_kms.create_key()["KeyMetadata"]["Arn"] for _ in range(2))
    (fernet,) = keyring().keys
    steps: tuple[tuple[str, list[str]], ...] = ((first, []), (second, [first]), ("", [second]))
    for current, old in steps:
        settings.KMS_KEY_ID, settings.KMS_OLD_KEY_IDS = current, old
        assert "Moved 2 from" in rotated()
        kind = f"kms:{current}" if current else fernet
        assert set(AwsCredential.objects.values_list("sealed_with", flat=True)) == {kind}
        assert [secret_of(account) for account in accounts] == expected
    settings.KMS_OLD_KEY_IDS = []
    assert [secret_of(account) for account in accounts] == expected
    assert run_checks(tags=["keys"], databases=["default"]) == []


def broken_by_disabling(admin: Any, key: str, simulator: SimulatorHandle) -> None:
    admin.disable_key(KeyId=short(key))


def broken_by_deleting(admin: Any, key: str, simulator: SimulatorHandle) -> None:
    admin.schedule_key_deletion(KeyId=short(key), PendingWindowInDays=7)


def broken_by_denying(admin: Any, key: str, simulator: SimulatorHandle) -> None:
    simulator.add_faults(Fault(service="kms", fault=FaultKind.DENIED, times=1000))


def broken_by_silence(admin: Any, key: str, simulator: SimulatorHandle) -> None:
    simulator.add_faults(Fault(service="kms", fault=FaultKind.RESET, times=1000))


TROUBLES = (
    (broken_by_disabling, "kms_key_disabled", "Enable the key"),
    (broken_by_deleting, "kms_key_unusable", "Cancel the deletion"),
    (broken_by_denying, "kms_denied", "kms:GenerateDataKey"),
    (broken_by_silence, "kms_unreachable", ""),
)


@pytest.mark.parametrize(("harm", "code", "remedy"), TROUBLES, ids=lambda given: getattr(given, "__name__", None))
def test_without_kms_actions_are_refused_with_the_reason_and_pages_still_served(
    harm: Callable[..., None],
    code: str,
    remedy: str,
    key: str,
    connect: Connect,
    admin_of_kms: Any,
    admin: User,
    api: Api,
    simulator: SimulatorHandle,
) -> None:
    account = connect("development")
    harm(admin_of_kms, key, simulator)
    with pytest.raises(KeyUnavailable) as refused:
        credentials.access_for(account, admin)
    assert (refused.value.code, remedy in refused.value.remedy) == (code, True)
    body = {"alias": "sandbox", "auth_method": "access_key", **key_fields(simulator.key("sandbox"))}
    answer = api(admin).post("/api/accounts", body)
    assert (answer.status_code, answer.json()["code"]) == (503, code)
    assert answer.json()["remedy"] == refused.value.remedy
    assert not AwsAccount.objects.filter(alias="sandbox").exists()
    browser = Client()
    browser.force_login(admin)
    page = browser.post("/accounts/add", {**body, "environment": "sandbox"})
    assert page.status_code == 503
    assert f"{refused.value.detail} {refused.value.remedy}" in unescape(page.content.decode())
    assert [browser.get(path).status_code for path in ("/", "/accounts", f"/accounts/{account.pk}", "/audit")] == [200] * 4
    api(admin).post(f"/api/accounts/{account.pk}/verify")
    account.refresh_from_db()
    assert (account.status_code, account.status_remedy) == (code, refused.value.remedy)
    (warning,) = run_checks(tags=["keys"], databases=["default"])
    assert (warning.id, warning.is_serious()) == ("cloudconsole.W007", False)


def test_a_request_whose_answer_could_not_be_kept_does_not_act(key: str, admin_of_kms: Any, admin: User, api: Api) -> None:
    def made_token() -> Any:
        return api(admin).post("/api/auth/tokens", {"name": "ci"}, headers={"Idempotency-Key": "k1"})

    admin_of_kms.disable_key(KeyId=short(key))
    refused = made_token()
    assert (refused.status_code, refused.json()["code"]) == (503, "kms_key_disabled")
    assert not admin.personal_tokens.exists()
    admin_of_kms.enable_key(KeyId=short(key))
    assert made_token().json()["token"] == made_token().json()["token"]


def test_readiness_tells_a_kms_that_is_away_as_degraded_and_does_not_ask_it_for_every_caller(
    key: str, connect: Connect, admin_of_kms: Any, simulator: SimulatorHandle
) -> None:
    connect("development")
    heartbeat()
    assert Client().get("/readyz").json() == {"status": "ok", "parts": ANY}
    admin_of_kms.disable_key(KeyId=short(key))
    with time_machine.travel(clock.now() + timedelta(seconds=keys_health.ASKED_EVERY_S + 1), tick=False):
        heartbeat()
        answers = [Client().get("/readyz")]
        asked_once = len(asked(simulator))
        answers += [Client().get("/readyz") for _ in range(3)]
    assert {(answer.status_code, answer.json()["status"], answer.json()["parts"]["keys"]) for answer in answers} == {
        (200, "degraded", "degraded")
    }
    assert len(asked(simulator)) == asked_once


@pytest.mark.django_db
def test_kms_going_away_while_a_request_acts_does_not_let_it_act_twice(key: str, simulator: SimulatorHandle) -> None:
    store = DatabaseStore()
    assert store.claim(1, "k1", "same") is Verdict.CLAIMED
    simulator.add_faults(Fault(service="kms", fault=FaultKind.DENIED, times=1))
    store.keep(1, "k1", Answer(201, {}, "the answer"))
    assert store.claim(1, "k1", "same") is Verdict.ANSWER_LOST


def test_rotation_ends_with_the_reason_when_kms_is_away_and_goes_on_later(
    key: str, connect: Connect, admin_of_kms: Any, settings: Any
) -> None:
    account = connect("development")
    settings.KMS_KEY_ID, settings.KMS_OLD_KEY_IDS = "", [key]
    admin_of_kms.disable_key(KeyId=short(key))
    with pytest.raises(CommandError, match=r"disabled.*Enable the key"):
        rotated()
    assert encryption.rows_per_key() == {f"kms:{key}": 1}
    admin_of_kms.enable_key(KeyId=short(key))
    assert "Moved 1" in rotated()
    assert secret_of(account)


def test_a_kms_key_that_the_settings_no_longer_name_is_an_error(key: str, connect: Connect, settings: Any) -> None:
    account = connect("development")
    settings.KMS_KEY_ID = ""
    (error,) = run_checks(tags=["keys"], databases=["default"])
    assert error.id == "cloudconsole.E004"
    with pytest.raises(credentials.CredentialsUnreadable):
        credentials.access_for(account, None)


def test_an_alias_is_no_name_for_a_key(settings: Any) -> None:
    settings.KMS_KEY_ID = "alias/cloudconsole"
    assert "cloudconsole.E006" in {message.id for message in run_checks(tags=["installation"])}
