from __future__ import annotations

import pytest

from accounts.models import AwsAccount, User
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role
from cloudconsole.management import demo
from cloudconsole.management.demo import Mode
from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT, PRODUCTION

OWN = "123456789012"
UNPROVEN = ""


@pytest.mark.parametrize(
    ("wanted", "endpoint", "connected", "expected"),
    [
        (True, "", [], Mode.DEMO),
        (True, "", [MANAGEMENT, DEVELOPMENT], Mode.DEMO),
        (True, "", [MANAGEMENT, UNPROVEN], Mode.DEMO),
        (True, "", [UNPROVEN], Mode.AWS),
        (True, "", [OWN], Mode.AWS),
        (True, "", [OWN, MANAGEMENT], Mode.LEAVING),
        (False, "", [], Mode.AWS),
        (False, "", [MANAGEMENT], Mode.LEAVING),
        (False, "", [OWN], Mode.AWS),
        (True, "http://127.0.0.1:4566", [], Mode.AWS),
        (False, "http://127.0.0.1:4566", [MANAGEMENT], Mode.AWS),
    ],
)
def test_what_answers_aws_calls_follows_from_what_is_connected(
    wanted: bool, endpoint: str, connected: list[str], expected: Mode
) -> None:
    assert demo.mode(wanted=wanted, endpoint=endpoint, connected=connected) is expected


@pytest.mark.django_db
def test_leaving_disconnects_the_simulated_accounts_and_only_them() -> None:
    User.objects.create_user("admin", role=Role.ADMIN)
    hub = AwsAccount.objects.create(alias="management", account_id=MANAGEMENT, auth_method="access_key")
    arn = f"arn:aws:iam::{PRODUCTION}:role/Reader"
    AwsAccount.objects.create(alias="production", account_id=PRODUCTION, auth_method="assume_role", role_arn=arn, hub=hub)
    AwsAccount.objects.create(alias="own", account_id=OWN, auth_method="access_key")
    AwsAccount.objects.create(alias="unproven", auth_method="access_key")
    assert demo.leave() == ["production", "management"]
    assert sorted(demo.connected_numbers()) == [UNPROVEN, OWN]
    told = AuditEvent.objects.filter(action="account.deleted")
    assert {(event.actor_id, event.actor_name) for event in told} == {(None, "cloudconsole up")}
