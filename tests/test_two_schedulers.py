"""Several schedulers and their workers at the same moment: whatever is due is done, and nothing is done twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db.models import Count
from rest_framework.test import APIClient

from accounts import tasks
from accounts.models import Adoption, AdoptionStatus, AwsAccount, OrganizationMember, User
from accounts.services import adoptions, health
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import CostExplorerRequest, CostSnapshot, CostSource, SnapshotStatus
from costs.services import runs, ticks

Api = Callable[[User | None], APIClient]
SCHEDULERS = 4
ROLE = "CloudconsoleReadOnly"
CHOSEN = ("411111111111", "422222222222")


@pytest.fixture
def payer(simulator: SimulatorHandle, admin: User, api: Api) -> AwsAccount:
    """The management account, whose first check is over and whose organization is known."""
    key = simulator.key("hub")
    body = {"alias": "management", "access_key_id": key.access_key_id, "secret_access_key": key.secret_access_key}
    made = api(admin).post("/api/accounts", {"auth_method": "access_key", **body})
    assert made.status_code == 201, made.json()
    api(admin).post(f"/api/accounts/{made.json()['id']}/discover")
    return AwsAccount.objects.get()


def make_due(account: AwsAccount) -> None:
    AwsAccount.objects.filter(pk=account.pk).update(next_check_at=clock.now() - timedelta(hours=1))


def checking(simulator: SimulatorHandle) -> Counter[tuple[str, str]]:
    """What a check asks with the management account's own key; costs and adoptions ask other things with it."""
    key = simulator.key("hub").access_key_id
    calls = [call for call in simulator.calls() if call.access_key_id == key and call.service not in ("ce", "organizations")]
    return Counter((call.service, call.operation) for call in calls if call.operation != "AssumeRole")


def scheduler() -> None:
    """One scheduler's rings, each heard by a worker of its own."""
    tasks.tick()
    ticks.tick()
    for pk in AwsAccount.objects.values_list("pk", flat=True):
        health.check(account_id=pk)
    for pk in Adoption.objects.values_list("pk", flat=True):
        adoptions.run(adoption_id=pk)
    for pk in CostSnapshot.objects.filter(source__account__alias="management").values_list("pk", flat=True):
        runs.run(snapshot_id=pk)


def test_nothing_is_done_twice(
    threads: Callable[..., None], payer: AwsAccount, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    make_due(payer)
    simulator.clear_calls()
    health.check(account_id=payer.pk)
    one_check = checking(simulator)
    assert one_check
    simulator.deploy_stack_set(ROLE, dict(OrganizationMember.objects.values_list("number", "external_id")))
    api(admin).post(f"/api/accounts/{payer.pk}/import", {"accounts": CHOSEN, "role_name": ROLE})
    AwsAccount.objects.filter(pk=payer.pk).update(credentials_expire_at=clock.now() + timedelta(hours=3))
    make_due(payer)
    simulator.clear_calls()
    threads(*[scheduler] * SCHEDULERS)

    assert checking(simulator) == one_check
    assert AuditEvent.objects.filter(action="account.credentials_expiring").count() == 1
    adopted = Adoption.objects.values_list("number", "status")
    assert sorted(adopted) == [(number, AdoptionStatus.SUCCEEDED) for number in CHOSEN]
    assert AwsAccount.objects.filter(account_id__in=CHOSEN).count() == len(CHOSEN)
    assert AuditEvent.objects.filter(action="account.added", account_number__in=CHOSEN).count() == len(CHOSEN)
    assert not CostSource.objects.values("account").annotate(count=Count("pk")).filter(count__gt=1).exists()
    snapshot = CostSnapshot.objects.get(source__account=payer)
    assert snapshot.status == SnapshotStatus.SUCCEEDED, snapshot.error_detail
    asked = [call for call in simulator.calls() if call.service == "ce" and call.account == payer.account_id]
    assert len(asked) == CostExplorerRequest.objects.filter(snapshot=snapshot).count() == snapshot.requests
    assert sum(snapshot.windows.values_list("pages", flat=True)) == snapshot.requests
