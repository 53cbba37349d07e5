"""Accounts are looked after without being asked: regions, checks on schedule, credentials that run out, old keys."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import Alert, AwsAccount, User
from accounts.rules import checks
from accounts.selectors import expiry
from accounts.services import health
from accounts.tests.conftest import Connect, key_fields
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)


@given(st.sampled_from(["ok", "degraded", "error", "pending"]), st.integers(0, 2000), st.integers(1, 10**9))
def test_the_next_check_comes_within_a_day_and_never_at_once(status: str, failed: int, account: int) -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    pause = checks.next_check(status, failed, account, now) - now
    assert timedelta(minutes=8) <= pause <= timedelta(hours=7.2)


def test_accounts_of_the_same_moment_drift_apart() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    assert len({checks.next_check("ok", 0, account, now) for account in range(50)}) == 50


def test_a_failing_account_is_asked_soon_and_then_less_and_less_often() -> None:
    now = datetime(2026, 11, 22, tzinfo=UTC)
    pauses = [checks.next_check("error", failed, 1, now) - now for failed in (1, 3, 9)]
    assert pauses == sorted(pauses)
    assert pauses[0] < timedelta(minutes=13)


def test_enabled_regions_are_found_stored_and_shown(connect: Connect, admin: User, api: Api) -> None:
    account = connect("development", regions=["eu-central-1", "af-south-1"])
    answer = api(admin).get(f"/api/accounts/{account.pk}").json()
    assert len(answer["enabled_regions"]) == 17
    assert answer["regions_observed_at"]
    browser = Client()
    browser.force_login(admin)
    page = " ".join(browser.get(f"/accounts/{account.pk}").content.decode().split())
    assert "Not enabled in AWS</span> af-south-1" in page


def test_regions_come_from_ec2_where_the_account_api_is_denied(connect: Connect, simulator: SimulatorHandle) -> None:
    simulator.add_faults(Fault("account", FaultKind.DENIED, times=9))
    account = connect("development")
    assert "eu-central-1" in account.enabled_regions
    assert account.checks.get(capability="regions").status == "ok"


def test_regions_that_neither_tells_are_a_denied_capability(connect: Connect, simulator: SimulatorHandle) -> None:
    simulator.add_faults(Fault("account", FaultKind.DENIED, times=9), Fault("ec2", FaultKind.DENIED, times=9))
    account = connect("development")
    assert account.enabled_regions == []
    assert account.checks.get(capability="regions").status == "denied"


def _make_due(account: AwsAccount) -> None:
    AwsAccount.objects.filter(pk=account.pk).update(next_check_at=clock.now() - _HOUR)


def test_a_due_account_is_checked_once_and_gets_its_next_time(connect: Connect, simulator: SimulatorHandle) -> None:
    account = connect("development")
    simulator.clear_calls()
    health.check(account_id=account.pk)
    assert simulator.calls() == []
    _make_due(account)
    health.check(account_id=account.pk)
    assert simulator.calls()
    account.refresh_from_db()
    assert account.next_check_at
    assert account.next_check_at > clock.now() + 4 * _HOUR


def test_a_check_on_schedule_is_an_event_only_when_it_finds_news(connect: Connect, simulator: SimulatorHandle) -> None:
    account = connect("development")
    checked = AuditEvent.objects.filter(action="account.verified")
    before = checked.count()
    _make_due(account)
    health.check(account_id=account.pk)
    assert checked.count() == before
    simulator.add_faults(Fault("sts", FaultKind.EXPIRED, times=9))
    _make_due(account)
    health.check(account_id=account.pk)
    assert checked.count() == before + 1


def test_what_fails_elsewhere_makes_the_account_due(connect: Connect) -> None:
    account = connect("development")
    health.soon(account=account)
    account.refresh_from_db()
    assert account.next_check_at
    assert account.next_check_at <= clock.now()


def test_the_end_of_a_session_token_is_stored_and_a_long_lived_key_has_none(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    key = simulator.key("sandbox")
    account = connect("sandbox", expires_at=key.expires_at)
    assert account.credentials_expire_at == key.expires_at
    body = {"alias": "other", "auth_method": "access_key", **key_fields(simulator.key("development"))}
    for moment in ("2126-01-01T00:00:00Z", "2020-01-01T00:00:00Z"):
        answer = api(admin).post("/api/accounts", {**body, "expires_at": moment})
        assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, "expires_at")


def test_credentials_found_expired_say_since_when(connect: Connect, simulator: SimulatorHandle) -> None:
    account = connect("sandbox")
    simulator.add_faults(Fault("sts", FaultKind.EXPIRED, times=9))
    _make_due(account)
    health.check(account_id=account.pk)
    account.refresh_from_db()
    assert account.credentials_expire_at
    assert account.credentials_expire_at <= clock.now()


def test_each_threshold_is_announced_once(connect: Connect, time_machine: Any) -> None:
    expires_at = datetime(2026, 12, 24, 12, tzinfo=UTC)
    account = connect("development")
    AwsAccount.objects.filter(pk=account.pk).update(credentials_expire_at=expires_at)
    told = AuditEvent.objects.filter(action="account.credentials_expiring")
    counts = []
    for before in (8 * _DAY, 6 * _DAY, 5 * _DAY, 23 * _HOUR, 2 * _HOUR, _HOUR / 2, -_HOUR):
        time_machine.move_to(expires_at - before, tick=False)
        health.announce_expiries()
        health.announce_expiries()
        counts.append(told.count())
    assert counts == [0, 1, 1, 2, 2, 3, 3]
    assert [event.detail["within"] for event in told.order_by("seq")] == ["7 days", "1 day", "1 hour"]
    alerts = Alert.objects.order_by("pk").values_list("severity", "accounts__alias")
    assert list(alerts) == [("warning", "development"), ("critical", "development"), ("critical", "development")]


def test_credentials_that_come_with_an_hour_left_are_announced_once_not_three_times(connect: Connect) -> None:
    account = connect("development")
    AwsAccount.objects.filter(pk=account.pk).update(credentials_expire_at=clock.now() + _HOUR / 2)
    health.announce_expiries()
    assert AuditEvent.objects.filter(action="account.credentials_expiring").count() == 1


@pytest.mark.parametrize("path", ["/", "/accounts", "/accounts/{pk}"])
def test_pages_show_credentials_that_run_out(path: str, connect: Connect, admin: User) -> None:
    account = connect("development")
    AwsAccount.objects.filter(pk=account.pk).update(credentials_expire_at=clock.now() + _HOUR * 3)
    browser = Client()
    browser.force_login(admin)
    assert "expire in less than a day" in browser.get(path.format(pk=account.pk)).content.decode()


def test_a_key_older_than_ninety_days_is_flagged_by_the_day_aws_made_it(connect: Connect, time_machine: Any) -> None:
    account = connect("development", capabilities=["identity", "key_rotation"])
    assert account.key_created_at == datetime(2026, 2, 2, 8, tzinfo=UTC)
    warning = expiry.warning_for(account)
    assert warning
    assert warning.state == "old_key"
    fresh = connect("hub")
    assert expiry.warning_for(fresh) is None
    time_machine.move_to(clock.now() + 91 * _DAY)
    assert expiry.warning_for(fresh) is not None
