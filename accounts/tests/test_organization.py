"""An organization seen from one account, and adopting fifty accounts in one go with two of them broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Adoption, AdoptionBatch, AwsAccount, OrganizationMember, User
from accounts.services import adoptions
from accounts.tests.conftest import Connect
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle

Api = Callable[..., APIClient]
ROLE = "CloudconsoleReadOnly"


@pytest.fixture
def fifty(simulator: SimulatorHandle) -> Iterator[list[str]]:
    yield simulator.set_organization(50)
    simulator.reset()


def _external_ids() -> dict[str, str]:
    return dict(OrganizationMember.objects.values_list("number", "external_id"))


def _work(batch_id: int) -> None:
    for pk in Adoption.objects.filter(batch_id=batch_id).values_list("pk", flat=True):
        adoptions.run(adoption_id=pk)


def test_discovery_tells_state_address_unit_and_tags_of_every_account(
    connect: Connect, fifty: list[str], admin: User, api: Api
) -> None:
    hub = connect("hub")
    answer = api(admin).post(f"/api/accounts/{hub.pk}/discover").json()
    assert (answer["organization_id"], answer["management_number"], answer["gaps"]) == ("o-cloudcons1", "111111111111", [])
    found = {account["account_id"]: account for account in answer["accounts"]}
    assert set(found) == set(fifty)
    assert found["500000000006"]["unit_path"] == "/Teams/Team 2"
    assert found["500000000006"]["tags"] == {"team": "team-2", "cost-center": "4002"}
    assert found["500000000006"]["email"] == "aws+team-2-006@example.com"
    assert found["500000000009"]["state"] == "SUSPENDED"
    assert found["111111111111"]["connected"] == hub.pk
    assert len({account["external_id"] for account in answer["accounts"]}) == 50


def test_looking_again_keeps_the_external_ids(connect: Connect, fifty: list[str], admin: User, api: Api) -> None:
    hub = connect("hub")
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    before = _external_ids()
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    assert _external_ids() == before


def test_units_and_tags_that_may_not_be_read_are_gaps_and_not_failures(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    hub = connect("hub")
    simulator.add_faults(
        Fault("organizations", FaultKind.DENIED, operation="ListRoots"),
        Fault("organizations", FaultKind.DENIED, operation="ListTagsForResource", times=9),
    )
    answer = api(admin).post(f"/api/accounts/{hub.pk}/discover").json()
    assert [gap["part"] for gap in answer["gaps"]] == ["units", "tags"]
    assert all(account["tags"] is None and account["unit_path"] == "" for account in answer["accounts"])


def test_a_member_that_may_not_look_is_told_from_where_to(connect: Connect, admin: User, api: Api) -> None:
    account = connect("development")
    answer = api(admin).post(f"/api/accounts/{account.pk}/discover")
    assert (answer.status_code, answer.json()["code"]) == (424, "aws_access_denied")
    assert "111111111111" in answer.json()["remedy"]


def test_a_delegated_administrator_sees_the_organization(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    simulator.set_organization(0, delegated=["433333333333"])
    account = connect("development")
    assert len(api(admin).post(f"/api/accounts/{account.pk}/discover").json()["accounts"]) == 5


def test_the_stack_set_holds_an_external_id_for_each_account(connect: Connect, admin: User, api: Api) -> None:
    hub = connect("hub")
    assert api(admin).get(f"/api/accounts/{hub.pk}/stack-set").json()["code"] == "not_discovered"
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    template = api(admin).get(f"/api/accounts/{hub.pk}/stack-set").json()
    assert {number: row["Id"] for number, row in template["Mappings"]["ExternalIds"].items()} == _external_ids()
    trust = template["Resources"]["Role"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    assert trust["Condition"]["StringEquals"]["sts:ExternalId"] == {
        "Fn::FindInMap": ["ExternalIds", {"Ref": "AWS::AccountId"}, "Id"]
    }
    assert template["Parameters"]["TrustedPrincipal"]["Default"] == "arn:aws:iam::111111111111:user/cloudconsole-hub"


def test_fifty_accounts_are_adopted_in_one_go_and_the_broken_ones_say_why(
    connect: Connect, fifty: list[str], simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    hub = connect("hub")
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    simulator.deploy_stack_set(ROLE, _external_ids())
    chosen = [number for number in fifty if number not in ("111111111111", "500000000009")]
    answer = api(admin).post(f"/api/accounts/{hub.pk}/import", {"accounts": chosen, "role_name": ROLE})
    assert (answer.status_code, answer.json()["total"], answer.json()["done"]) == (202, 48, 0)
    _work(answer.json()["id"])
    told = api(admin).get(f"/api/adoptions/{answer.json()['id']}").json()
    assert (told["connected"], told["failed"]) == (46, 2)
    broken = {row["account_id"]: row for row in told["adoptions"] if row["status"] == "failed"}
    assert set(broken) == {"500000000017", "500000000033"}
    assert all(row["error_aws_code"] == "AccessDenied" and row["error_remedy"] for row in broken.values())
    adopted = AwsAccount.objects.get(account_id="500000000001")
    assert (adopted.status, adopted.alias, adopted.external_id) == ("ok", "team-1-001", _external_ids()["500000000001"])
    assert AwsAccount.objects.filter(deleted_at=None).count() == 47


def test_a_suspended_account_is_not_tried_at_all(
    connect: Connect, fifty: list[str], simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    hub = connect("hub")
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    batch = api(admin).post(f"/api/accounts/{hub.pk}/import", {"accounts": ["500000000009"]}).json()
    simulator.clear_calls()
    _work(batch["id"])
    assert Adoption.objects.get().error_code == "account_not_active"
    assert simulator.calls() == []


def test_the_failed_ones_are_tried_again_once_mended(
    connect: Connect, fifty: list[str], simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    hub = connect("hub")
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    batch = api(admin).post(f"/api/accounts/{hub.pk}/import", {"accounts": ["500000000017", "500000000001"]}).json()
    _work(batch["id"])
    simulator.register_role(f"arn:aws:iam::500000000017:role/{ROLE}", _external_ids()["500000000017"])
    assert api(admin).post(f"/api/adoptions/{batch['id']}/retry").json()["done"] == 0
    _work(batch["id"])
    assert set(Adoption.objects.values_list("number", "status")) == {("500000000017", "succeeded"), ("500000000001", "failed")}


def test_a_worker_that_died_after_connecting_is_followed_by_one_that_finds_it_done(
    connect: Connect, simulator: SimulatorHandle, admin: User, api: Api
) -> None:
    hub = connect("hub")
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    simulator.deploy_stack_set(ROLE, {"444444444444": _external_ids()["444444444444"]})
    batch = api(admin).post(f"/api/accounts/{hub.pk}/import", {"accounts": ["444444444444"]}).json()
    _work(batch["id"])
    Adoption.objects.update(status="running", lease_until="2026-01-01T00:00:00Z", account=None)
    _work(batch["id"])
    adoption = Adoption.objects.get()
    assert (adoption.status, adoption.account) == ("succeeded", AwsAccount.objects.get(account_id="444444444444"))


def test_an_adoption_that_somebody_holds_is_left_alone(connect: Connect, admin: User, api: Api) -> None:
    hub = connect("hub")
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    batch = api(admin).post(f"/api/accounts/{hub.pk}/import", {"accounts": ["444444444444"]}).json()
    Adoption.objects.update(status="running", lease_until="2126-01-01T00:00:00Z")
    _work(batch["id"])
    assert Adoption.objects.get().status == "running"
    again = api(admin).post(f"/api/accounts/{hub.pk}/import", {"accounts": ["444444444444"]})
    assert (again.status_code, again.json()["code"]) == (409, "adoption_running")


@pytest.mark.parametrize(
    ("given", "attr"),
    [({"accounts": ["999999999999"]}, "accounts"), ({"accounts": ["444444444444"], "role_name": "a b"}, "role_name")],
)
def test_a_wish_that_cannot_be_is_refused(given: dict[str, object], attr: str, connect: Connect, admin: User, api: Api) -> None:
    hub = connect("hub")
    api(admin).post(f"/api/accounts/{hub.pk}/discover")
    answer = api(admin).post(f"/api/accounts/{hub.pk}/import", given)
    assert (answer.status_code, answer.json()["errors"][0]["attr"]) == (400, attr)


def test_the_pages_lead_from_discovery_to_the_outcome(connect: Connect, simulator: SimulatorHandle, admin: User) -> None:
    hub, browser = connect("hub"), Client()
    browser.force_login(admin)
    assert "Nothing seen yet" in browser.get(f"/accounts/{hub.pk}/organization").content.decode()
    page = browser.post(f"/accounts/{hub.pk}/discover", follow=True).content.decode()
    assert "/Workloads/Production" in page
    simulator.deploy_stack_set(ROLE, {"444444444444": _external_ids()["444444444444"]})
    answer = browser.post(f"/accounts/{hub.pk}/adopt", {"role_name": ROLE, "environment": "sandbox", "everything": "on"})
    batch = AdoptionBatch.objects.get()
    assert answer["Location"] == f"/adoptions/{batch.pk}"
    _work(batch.pk)
    page = browser.get(f"/adoptions/{batch.pk}").content.decode()
    assert "Try the failed ones again" in page
    assert "trust policy" in page
    assert AwsAccount.objects.get(account_id="444444444444").environment == "sandbox"
    nothing = browser.post(f"/accounts/{hub.pk}/adopt", {"role_name": ROLE, "environment": "sandbox"})
    assert nothing.status_code == 400
