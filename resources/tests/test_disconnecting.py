"""What becomes of operations when their account is disconnected: nothing waits any more, and admins still read what was done."""

from __future__ import annotations

import inspect

import pytest
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks

from accounts.models import AwsAccount, User
from accounts.services import aws_accounts
from audit.models import AuditEvent
from resources.models import Operation
from resources.services import operations
from resources.services.operations import moves
from resources.tests.test_operation_pages import made, page

pytestmark = pytest.mark.django_db


@pytest.fixture
def account() -> AwsAccount:
    return AwsAccount.objects.create(alias="web", auth_method="access_key", environment="production")


def disconnect(account: AwsAccount, by: User) -> None:
    aws_accounts.delete(account=account, confirm=account.alias, by=by)


@pytest.mark.parametrize("status", ["awaiting_approval", "queued"])
def test_what_waits_is_cancelled_and_says_why(account: AwsAccount, admin: User, status: str) -> None:
    waiting = made(account, status=status)
    over, other = made(account, status="succeeded"), AwsAccount.objects.create(alias="other", auth_method="access_key")
    elsewhere = made(other, status="awaiting_approval")
    disconnect(account, admin)
    operations.tick()
    waiting.refresh_from_db()
    assert (waiting.status, waiting.outcome_code) == ("cancelled", "account_disconnected")
    assert waiting.outcome_detail == "“web” was disconnected before it was sent. Nothing was changed."
    assert waiting.finished_at is not None
    assert AuditEvent.objects.filter(action="operation.dropped", subject=str(waiting.pk)).exists()
    assert Operation.objects.get(pk=over.pk).status == "succeeded"
    assert Operation.objects.get(pk=elsewhere.pk).status == "awaiting_approval"


def test_what_is_queued_is_not_taken_any_more(account: AwsAccount, admin: User) -> None:
    queued = made(account, status="queued")
    disconnect(account, admin)
    assert moves.claim(queued.pk) is None
    assert Operation.objects.get(pk=queued.pk).status == "queued"


def test_what_waits_is_ended_at_once_when_the_account_goes(
    account: AwsAccount, admin: User, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    with django_capture_on_commit_callbacks() as rung:
        disconnect(account, admin)
    assert "resources.sweep_operations" in {inspect.getclosurevars(ring).nonlocals.get("task") for ring in rung}


def test_the_confirmation_says_how_many_wait(account: AwsAccount, admin: User) -> None:
    client = page(admin)
    made(account, status="succeeded")
    assert "operation is cancelled" not in client.get(f"/accounts/{account.pk}/remove").content.decode()
    made(account, status="awaiting_approval")
    assert "1 waiting operation is cancelled" in client.get(f"/accounts/{account.pk}/remove").content.decode()


def test_admins_read_what_was_done_and_nobody_else_does(account: AwsAccount, admin: User, operator: User) -> None:
    done = made(account, status="succeeded", action="ec2.stop")
    disconnect(account, admin)
    admins, others = page(admin), page(operator)
    shown = admins.get(f"/operations/{done.pk}")
    assert shown.status_code == 200
    assert "disconnected" in shown.content.decode()
    assert admins.get(f"/api/operations/{done.pk}").status_code == 200
    assert f'href="/operations/{done.pk}"' in admins.get(f"/disconnected/{account.pk}").content.decode()
    assert [others.get(f"/operations/{done.pk}").status_code, others.get(f"/api/operations/{done.pk}").status_code] == [404, 404]


def test_nobody_decides_on_what_waited_in_an_account_that_is_gone(account: AwsAccount, admin: User) -> None:
    waiting = made(account, status="awaiting_approval")
    disconnect(account, admin)
    client: Client = page(admin)
    assert client.post(f"/api/operations/{waiting.pk}/approve", {}, content_type="application/json").status_code == 403
    assert Operation.objects.get(pk=waiting.pk).status == "awaiting_approval"
