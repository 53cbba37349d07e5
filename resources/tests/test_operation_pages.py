"""The pages on which instances are operated and operations followed. Everything here works without a script."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AwsAccount, User
from audit.models import AuditEvent
from cloudconsole.core import clock
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Instance, Operation
from resources.tests.conftest import Connected
from resources.tests.operating import Operating, operating

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def console(simulator: SimulatorHandle, connected: Connected, operator: User) -> Iterator[Operating]:
    with operating(simulator, connected("development"), operator) as made:
        made.scan()
        yield made


@pytest.fixture
def instance(db: None) -> Instance:
    """Known to the inventory; AWS is not asked in the tests that use it."""
    account = AwsAccount.objects.create(
        alias="web", auth_method="access_key", environment="production", capabilities=["ec2.operate"]
    )
    seen = {"observed_at": clock.now(), "first_seen_at": clock.now()}
    return Instance.objects.create(
        account=account, region="us-east-1", instance_id="i-0abc", name=HOSTILE, state="running", instance_type="m5.large", **seen
    )


def page(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def made(account: AwsAccount, **fields: object) -> Operation:
    given = {"action": "ec2.stop", "target_type": "ec2", "target": "i-0abc", "region": "us-east-1", "environment": "production"}
    return Operation.objects.create(account=account, **{**given, **fields})


def test_what_happens_is_said_before_it_is_asked_for(instance: Instance, operator: User) -> None:
    shown = page(operator).get(f"/ec2/operate?action=terminate&target={instance.pk}").content.decode()
    assert "cannot be brought back" in shown
    assert "A second person has to approve this" in shown
    assert 'Type <strong class="mono">i-0abc</strong>' in shown
    assert not Operation.objects.exists()


def test_names_from_aws_are_shown_as_text(instance: Instance, operator: User) -> None:
    made(instance.account, target_name=HOSTILE, reason=HOSTILE, outcome_detail=HOSTILE, aws_message=HOSTILE, status="failed")
    pk = Operation.objects.get().pk
    for path in (f"/ec2/operate?action=stop&target={instance.pk}", "/operations", f"/operations/{pk}"):
        shown = page(operator).get(path).content.decode()
        assert HOSTILE not in shown, path
        assert escape(HOSTILE) in shown, path


def test_nothing_chosen_leads_back_to_the_list(operator: User) -> None:
    answer = page(operator).get("/ec2/operate?action=stop")
    assert (answer.status_code, answer["Location"]) == (302, "/ec2")


@pytest.mark.parametrize("query", ["action=stop&target=999999", "action=explode&target={pk}", "action=stop&target=x"])
def test_what_means_nothing_is_not_found(instance: Instance, operator: User, query: str) -> None:
    assert page(operator).get(f"/ec2/operate?{query.format(pk=instance.pk)}").status_code == 404


def test_a_stop_asked_for_on_the_page_ends_with_the_instance_stopped(console: Operating, operator: User) -> None:
    instance = console.instance("running")
    answer = page(operator).post("/ec2/operate", {"action": "stop", "target": instance.pk, "reason": "Nightly"})
    assert answer.status_code == 302
    assert answer["Location"] == f"/ec2/{console.account.pk}/{instance.region}/{instance.instance_id}"
    operation = console.finish(Operation.objects.get())
    assert (operation.status, operation.reason, operation.requested_by) == ("succeeded", "Nightly", operator)
    shown = page(operator).get(answer["Location"]).content.decode()
    assert "Succeeded" in shown
    assert 'value="start"' in shown


def test_a_confirmation_that_is_not_typed_is_asked_for_again(console: Operating, operator: User) -> None:
    instance = console.instance("running")
    answer = page(operator).post("/ec2/operate", {"action": "terminate", "target": instance.pk, "confirm": "yes"})
    assert answer.status_code == 400
    assert f"Confirm by typing “{instance.instance_id}”" in answer.content.decode()
    assert not Operation.objects.exists()


def test_a_viewer_is_refused_and_the_trail_says_what_they_tried(instance: Instance, viewer: User) -> None:
    answer = page(viewer).post("/ec2/operate", {"action": "stop", "target": instance.pk})
    assert answer.status_code == 403
    refused = AuditEvent.objects.get(action="operation.refused")
    assert (refused.actor_name, refused.target, refused.detail["code"]) == ("viewer", "i-0abc", "permission_denied")


def test_a_viewer_sees_operations_and_no_button(instance: Instance, viewer: User) -> None:
    operation = made(instance.account, status="awaiting_approval", action="ec2.terminate")
    shown = page(viewer).get(f"/operations/{operation.pk}").content.decode()
    assert "Awaiting approval" in shown
    for word in ("approve", "reject", "cancel"):
        assert f"/operations/{operation.pk}/{word}" not in shown
    place = page(viewer).get(f"/ec2/{instance.account_id}/us-east-1/i-0abc").content.decode()
    assert 'name="action"' not in place


def test_a_second_person_decides_on_the_page_and_the_author_cannot(instance: Instance, operator: User, admin: User) -> None:
    operation = made(
        instance.account,
        status="awaiting_approval",
        action="ec2.terminate",
        requested_by=operator,
        expires_at=clock.now().replace(year=2999),
    )
    assert "/approve" not in page(operator).get(f"/operations/{operation.pk}").content.decode()
    page(operator).post(f"/operations/{operation.pk}/approve")
    operation.refresh_from_db()
    assert operation.status == "awaiting_approval"
    assert "Your decision" in page(admin).get(f"/operations/{operation.pk}").content.decode()
    page(admin).post(f"/operations/{operation.pk}/reject", {"reason": "Still needed"})
    operation.refresh_from_db()
    assert (operation.status, operation.decision_reason) == ("rejected", "Still needed")


def test_an_unknown_outcome_says_what_to_look_at(instance: Instance, operator: User) -> None:
    told = {"outcome_detail": "AWS was asked to stop it, but no answer came.", "outcome_remedy": "Look at it in AWS."}
    operation = made(instance.account, status="unknown", phase="verifying", **told)
    shown = page(operator).get(f"/operations/{operation.pk}").content.decode()
    assert "Nobody knows whether AWS did it" in shown
    assert "Look at it in AWS." in shown


def test_what_is_under_way_is_on_the_overview(instance: Instance, operator: User) -> None:
    made(instance.account, status="running", target_name="web-1")
    assert "web-1" in page(operator).get("/operations/running").content.decode()
    assert "web-1" in page(operator).get("/").content.decode()


def test_a_longer_list_takes_no_more_queries(instance: Instance, operator: User) -> None:
    client = page(operator)

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get("/operations").status_code == 200
        return len(seen)

    for number in range(2):
        made(instance.account, target=f"i-{number}", requested_by=operator)
    queries()
    few = queries()
    for number in range(38):
        made(instance.account, target=f"i-more-{number}", requested_by=operator)
    assert queries() == few


def test_a_dry_run_is_called_one_when_it_is_asked_for(console: Operating, operator: User) -> None:
    rows = list(Instance.objects.filter(account=console.account, state="running", gone_at=None)[:2])
    client = page(operator)
    one = client.post("/ec2/operate", {"action": "stop", "target": rows[0].pk, "dry_run": "on"}, follow=True).content.decode()
    assert "Dry run of" in one
    assert "is on its way" not in one
    wish = {"action": "stop", "target": [row.pk for row in rows], "dry_run": "on"}
    several = client.post("/ec2/operate", wish, follow=True).content.decode()
    assert f"{len(rows)} dry runs" in several


def test_what_an_operation_brought_is_told_in_words(instance: Instance, operator: User) -> None:
    operation = made(instance.account, status="succeeded", result={"markers": 1, "objects": 2, "created": True, "etag": ""})
    shown = page(operator).get(f"/operations/{operation.pk}").content.decode()
    for label, value in (("Delete markers", "1"), ("Objects", "2"), ("New", "yes")):
        assert f"<dt>{label}</dt><dd>{value}</dd>" in shown
    assert "etag" not in shown.lower()
