"""Moving stored secrets from key to key, at rest and while everybody reads and writes."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from io import StringIO
from threading import Event
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import CommandError
from rest_framework.test import APIClient

from accounts.mfa import MFAAdapter, SecondFactors
from accounts.models import AwsAccount, AwsCredential, EncryptionKey, User
from accounts.services import credentials, encryption
from accounts.services.inputs import KeyInput
from audit.models import AuditEvent
from cloudconsole.sealing import Context, Sealed, keyring
from cloudconsole.sealing.columns import all_columns
from cloudconsole.sealing.keyring import Keyring

OLD, NEW = "o" * 43, "n" * 43
KEY_ID = "AKIAIOSFODNN7EXAMPLE"


@pytest.fixture(autouse=True)
def _old_key(settings: Any) -> None:
    settings.FERNET_KEYS = [OLD]


def ids(settings: Any, *keys: str) -> list[str]:
    """The public ids of `keys`, which become the settings'."""
    settings.FERNET_KEYS = list(keys)
    return list(keyring().keys)


def made(number: int) -> AwsAccount:
    account = AwsAccount.objects.create(alias=f"account-{number}", auth_method="access_key")
    credentials.store(account=account, key=KeyInput(KEY_ID, f"secret-{number}-0"))
    return account


def opened(account: AwsAccount) -> str:
    source: Any = credentials.access_for(account, None).source
    return str(source.secret_access_key)


def rotated(*options: str) -> str:
    out = StringIO()
    call_command("rotate_keys", *options, stdout=out)
    return out.getvalue()


def complaints() -> dict[str, str]:
    return {str(found.id): f"{found.msg} {found.hint}" for found in run_checks(tags=["keys"], databases=["default"])}


def test_every_sealed_column_of_every_app_is_found() -> None:
    found = [column.name for column in all_columns()]
    assert {
        "accounts.AwsCredential.sealed",
        "audit.RememberedAnswer.body",
        "mfa.Authenticator.secret",
        "mfa.Authenticator.seed",
    } <= set(found)


@pytest.mark.django_db
def test_a_key_id_tells_keys_apart_and_no_key(settings: Any) -> None:
    old, new = ids(settings, OLD, NEW)
    assert old != new
    assert OLD not in old + new
    account = made(1)
    assert AwsCredential.objects.get(account=account).sealed_with == old


@pytest.mark.django_db
def test_everything_moves_to_the_new_key_and_the_old_one_may_go(settings: Any) -> None:
    accounts = [made(number) for number in range(5)]
    new, old = ids(settings, NEW, OLD)
    out = rotated("--batch-size", "2")
    assert f"Moved 5 from {old}." in out
    assert f"{old} is needed by nothing stored any more" in out
    settings.FERNET_KEYS = [NEW]
    assert [opened(account) for account in accounts] == [f"secret-{number}-0" for number in range(5)]
    assert set(AwsCredential.objects.values_list("sealed_with", "version")) == {(new, 1)}
    assert complaints() == {}
    event = AuditEvent.objects.get(action="keys.rotated")
    assert (event.subject, event.detail["rows"]) == (new, 5)


@pytest.mark.django_db
def test_second_factors_move_with_everything_else(settings: Any, viewer: User) -> None:
    TOTP.activate(viewer, "JBSWY3DPEHPK3PXP")
    codes = RecoveryCodes.activate(viewer).get_unused_codes()
    new, old = ids(settings, NEW, OLD)
    assert encryption.rows_per_key() == {old: 2}
    assert f"Moved 2 from {old}." in rotated("--batch-size", "1")
    assert encryption.rows_per_key() == {new: 2}
    settings.FERNET_KEYS = [NEW]
    assert MFAAdapter().decrypt(Authenticator.objects.get(type="totp").data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert Authenticator.objects.get(type="recovery_codes").wrap().get_unused_codes() == codes
    assert complaints() == {}


@pytest.mark.django_db
def test_answers_to_idempotency_keys_move_with_everything_else(
    settings: Any, admin: User, api: Callable[[User | None], APIClient]
) -> None:
    def made_token() -> Any:
        return api(admin).post("/api/auth/tokens", {"name": "ci"}, headers={"Idempotency-Key": "k1"})

    first = made_token()
    _, old = ids(settings, NEW, OLD)
    assert encryption.rows_per_key() == {old: 1}
    out = rotated()
    assert f"Moved 1 from {old}." in out
    assert f"{old} is needed by nothing stored any more" in out
    settings.FERNET_KEYS = [NEW]
    again = made_token()
    assert (again.status_code, again.json()["token"]) == (201, first.json()["token"])
    assert complaints() == {}


@pytest.mark.django_db
def test_a_second_factor_whose_key_is_gone_keeps_the_key_from_being_forgotten(settings: Any, viewer: User) -> None:
    TOTP.activate(viewer, "JBSWY3DPEHPK3PXP")
    (old,) = ids(settings, OLD)
    settings.FERNET_KEYS = [NEW]
    assert old in complaints()["cloudconsole.E004"]


@pytest.mark.django_db
def test_a_recovery_code_used_while_its_seed_moves_stays_used(settings: Any, viewer: User) -> None:
    codes = RecoveryCodes.activate(viewer).get_unused_codes()
    ids(settings, NEW, OLD)
    (row,) = SecondFactors("seed").to_rotate(keyring().current.key_id, after=None, limit=10)
    assert Authenticator.objects.get().wrap().validate_code(codes[0])
    assert SecondFactors("seed").swap(row, keyring().seal(keyring().open(row.sealed, row.context), row.context))
    assert Authenticator.objects.get().wrap().get_unused_codes() == codes[1:]
    assert not SecondFactors("seed").swap(row, row.sealed), "what was read before is not there any more"


@pytest.mark.django_db
def test_a_dry_run_counts_and_changes_nothing(settings: Any) -> None:
    made(1), made(2)
    ids(settings, NEW, OLD)
    before = list(AwsCredential.objects.values_list("pk", "sealed", "sealed_with"))
    assert "2 secrets would be moved" in rotated("--dry-run", "--batch-size", "1")
    assert list(AwsCredential.objects.values_list("pk", "sealed", "sealed_with")) == before
    assert not AuditEvent.objects.filter(action="keys.rotated").exists()


@pytest.mark.django_db
def test_a_rotation_that_was_broken_off_goes_on_where_it_was(settings: Any) -> None:
    for number in range(4):
        made(number)
    new, old = ids(settings, NEW, OLD)

    def stop(progress: encryption.Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        encryption.rotate(batch_size=3, on_batch=stop)
    assert encryption.rows_per_key() == {new: 3, old: 1}
    assert encryption.rotate(batch_size=3).rotated == {old: 1}


@pytest.mark.django_db
def test_a_row_that_does_not_open_is_named_and_left_alone(settings: Any) -> None:
    good, bad = made(1), made(2)
    AwsCredential.objects.filter(account=bad).update(sealed=b"damaged")
    ids(settings, NEW, OLD)
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("rotate_keys", stdout=out)
    assert ended.value.code == 2
    assert f"Does not open: accounts.AwsCredential.sealed {bad.credential.pk}" in out.getvalue()
    assert bytes(AwsCredential.objects.get(account=bad).sealed) == b"damaged"
    assert opened(good) == "secret-1-0"


@pytest.mark.django_db
def test_a_secret_replaced_meanwhile_stays_the_newer_one(settings: Any) -> None:
    account = made(1)
    ids(settings, NEW, OLD)
    column = all_columns()[0]
    (row,) = column.to_rotate(keyring().current.key_id, after=None, limit=10)
    settings.FERNET_KEYS = [OLD]  # a process that has not been restarted yet
    credentials.store(account=account, key=KeyInput(KEY_ID, "the newer one"))
    ids(settings, NEW, OLD)
    assert not column.swap(row, keyring().seal("the older one", row.context))
    encryption.rotate(batch_size=10)
    assert opened(account) == "the newer one"


@pytest.mark.django_db
def test_a_key_that_is_gone_is_an_error_until_it_is_back_or_given_up(settings: Any) -> None:
    account = made(1)
    (old,) = ids(settings, OLD)
    settings.FERNET_KEYS = [NEW]
    assert old in complaints()["cloudconsole.E004"]
    with pytest.raises(credentials.CredentialsUnreadable):
        opened(account)
    settings.FERNET_KEYS = [NEW, OLD]
    assert complaints() == {}
    settings.FERNET_KEYS = [NEW]
    assert "Given up: 1" in rotated("--give-up", old)
    assert complaints() == {}


@pytest.mark.django_db
def test_a_secret_without_a_key_id_opens_when_its_key_is_back(settings: Any) -> None:
    account = made(1)
    AwsCredential.objects.update(sealed_with="")
    settings.FERNET_KEYS = [NEW]
    assert "cloudconsole.E004" in complaints()
    with pytest.raises(credentials.CredentialsUnreadable):
        opened(account)
    settings.FERNET_KEYS = [NEW, OLD]
    assert encryption.rotate(batch_size=10).rotated == {"": 1}
    assert opened(account) == "secret-1-0"
    assert complaints() == {}


@pytest.mark.django_db
def test_a_key_in_use_cannot_be_given_up(settings: Any) -> None:
    made(1)
    with pytest.raises(CommandError, match="is configured"):
        rotated("--give-up", ids(settings, OLD)[0])
    with pytest.raises(CommandError, match="Nothing stored"):
        rotated("--give-up", "fernet:0123456789ab")


@pytest.mark.django_db
def test_a_canary_that_its_key_does_not_open_is_an_error(settings: Any) -> None:
    made(1)
    EncryptionKey.objects.update(canary=b"something else")
    assert "cloudconsole.E005" in complaints()


@pytest.mark.parametrize("seed", range(3))
def test_rotation_under_continuous_reads_and_writes_loses_nothing(seed: int, settings: Any, threads: Callable[..., None]) -> None:
    """Writers with today's key and writers that still hold the old one, readers, and two rotations, all at once."""
    accounts = [made(number) for number in range(12)]
    stale = keyring()
    settings.FERNET_KEYS = [NEW, OLD]
    written, over = dict.fromkeys(range(12), ""), [Event(), Event()]
    moved = [0, 0]

    def writer(part: int) -> Callable[[], None]:
        chance = random.Random(seed * 2 + part)

        def write() -> None:
            for turn in range(1, 150):
                number = chance.randrange(part, 12, 2)
                written[number] = f"secret-{number}-{turn}"
                ring = chance.choice([stale, keyring()])
                sealed = _sealed_by(ring, accounts[number], written[number])
                credentials.put(account=accounts[number], sealed=sealed)
            over[part].set()

        return write

    def read() -> None:
        while not all(event.is_set() for event in over):
            for number, account in enumerate(accounts):
                assert opened(account).startswith(f"secret-{number}-")

    def rotator(number: int) -> Callable[[], None]:
        def rotate() -> None:
            while not all(event.is_set() for event in over):
                moved[number] += encryption.rotate(batch_size=3).rotated.total()

        return rotate

    threads(writer(0), writer(1), read, rotator(0), rotator(1))
    encryption.rotate(batch_size=3)
    settings.FERNET_KEYS = [NEW]
    assert sum(moved) > 0
    for number, account in enumerate(accounts):
        assert opened(account) == (written[number] or f"secret-{number}-0")


def _sealed_by(ring: Keyring, account: AwsAccount, secret: str) -> Sealed:
    body = {"account": str(account.uuid), "field": "aws_credential.sealed", "access_key_id": KEY_ID, "session_token": ""}
    return ring.seal(json.dumps({**body, "secret_access_key": secret}), Context(str(account.uuid), "aws_credential.sealed"))
