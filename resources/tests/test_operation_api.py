"""Operating instances over the API, by every role, and following what becomes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Operation
from resources.selectors import instances
from resources.tests.conftest import Connected
from resources.tests.operating import Operating, operating

Api = Callable[[User | None], APIClient]


@pytest.fixture
def console(simulator: SimulatorHandle, connected: Connected, operator: User) -> Iterator[Operating]:
    with operating(simulator, connected("development"), operator) as made:
        made.scan()
        simulator.clear_calls()
        yield made


def body(answer: Any) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("word", ["stop", "reboot"])
def test_a_wish_is_answered_with_its_operation(console: Operating, api: Api, operator: User, word: str) -> None:
    instance = console.instance("running")
    answer = api(operator).post(f"/api/ec2/{word}/{instance.instance_id}")
    assert answer.status_code == 202
    told = body(answer)
    assert (told["action"], told["status"], told["requested_by"]) == (f"ec2.{word}", "queued", "operator")
    assert (told["target"], told["region"], told["account"]) == (instance.instance_id, instance.region, console.account.pk)
    assert answer["Location"] == f"/api/operations/{told['id']}"
    console.finish(Operation.objects.get(pk=told["id"]))
    told = body(api(operator).get(answer["Location"]))
    assert told["status"] == "succeeded"
    assert len(told["aws_request_ids"]) == 1
    assert {call["operation"] for call in told["calls"]} >= {"DescribeInstances"}


def test_a_viewer_cannot_stop_an_instance_and_the_trail_says_who_tried(console: Operating, api: Api, viewer: User) -> None:
    instance = console.instance("running")
    answer = api(viewer).post(f"/api/ec2/stop/{instance.instance_id}")
    assert answer.status_code == 403
    refused = AuditEvent.objects.get(action="operation.refused")
    assert (refused.actor_name, refused.target, refused.outcome) == ("viewer", instance.instance_id, "refused")
    assert not Operation.objects.exists()


def test_what_a_stranger_may_not_see_does_not_exist(console: Operating, api: Api, stranger: User) -> None:
    instance = console.instance("running")
    operation = console.request("stop", instance)
    for method, path in (
        ("post", f"/api/ec2/stop/{instance.instance_id}"),
        ("get", f"/api/operations/{operation.pk}"),
        ("post", f"/api/operations/{operation.pk}/approve"),
        ("post", f"/api/operations/{operation.pk}/cancel"),
    ):
        assert getattr(api(stranger), method)(path).status_code == 404
    assert body(api(stranger).get("/api/operations"))["count"] == 0


@pytest.mark.parametrize("as_query", [True, False])
def test_terminating_wants_its_confirmation_in_the_query_or_the_body(
    console: Operating, api: Api, operator: User, as_query: bool
) -> None:
    instance = console.instance("running")
    path = f"/api/ec2/terminate/{instance.instance_id}"
    refused = api(operator).delete(path)
    assert (refused.status_code, body(refused)["code"]) == (400, "confirmation_required")
    assert body(refused)["errors"][0]["attr"] == "confirm"
    confirm = {"confirm": instance.instance_id}
    taken = api(operator).delete(f"{path}?confirm={instance.instance_id}") if as_query else api(operator).delete(path, confirm)
    assert taken.status_code == 202


def test_a_protected_instance_is_a_conflict_and_stays(console: Operating, api: Api, operator: User) -> None:
    instance = console.instance("running")
    console.aws.ec2.protect(console.account.account_id, instance.region, instance.instance_id)
    answer = api(operator).delete(f"/api/ec2/terminate/{instance.instance_id}?confirm={instance.instance_id}")
    assert (answer.status_code, body(answer)["code"]) == (409, "termination_protected")
    assert body(answer)["remedy"]
    assert console.sent() == []


def test_a_dry_run_is_asked_for_in_the_query(console: Operating, api: Api, operator: User) -> None:
    answer = api(operator).post(f"/api/ec2/stop/{console.instance('running').instance_id}?dry_run=true")
    assert (answer.status_code, body(answer)["dry_run"]) == (202, True)
    operation = console.finish(Operation.objects.get(pk=body(answer)["id"]))
    assert operation.status == "succeeded"
    assert body(api(operator).get(f"/api/operations/{operation.pk}"))["outcome"]["detail"].startswith("AWS would allow it")


def test_the_same_key_asks_once(console: Operating, api: Api, operator: User) -> None:
    path = f"/api/ec2/stop/{console.instance('running').instance_id}"
    first, second = (api(operator).post(path, headers={"Idempotency-Key": "a-key-of-mine"}) for _ in range(2))
    assert (first.status_code, second.status_code) == (202, 202)
    assert second["Idempotent-Replayed"] == "true"
    assert body(first)["id"] == body(second)["id"]
    assert Operation.objects.count() == 1


def test_many_at_once_have_one_operation_each_and_bad_ids_stop_no_other(console: Operating, api: Api, operator: User) -> None:
    good = console.instance("running").instance_id
    wish = {"action": "stop", "targets": [good, "i-0123456789abcdef0"]}
    refused = api(operator).post("/api/ec2/bulk", wish, format="json")
    assert (refused.status_code, body(refused)["code"]) == (400, "confirmation_required")
    assert "stop 2" in body(refused)["detail"]
    answer = api(operator).post("/api/ec2/bulk", {**wish, "confirm": "stop 2"}, format="json")
    assert answer.status_code == 202
    told = body(answer)
    assert [one["target"] for one in told["results"]] == [good]
    assert [(one["target"], one["code"]) for one in told["refused"]] == [("i-0123456789abcdef0", "instance_not_found")]
    assert body(api(operator).get(f"/api/operations?batch={told['batch']}"))["count"] == 1


def test_looking_for_many_takes_no_more_queries_than_for_one(console: Operating, operator: User) -> None:
    def queries(count: int) -> int:
        with CaptureQueriesContext(connection) as seen:
            found = instances.several(operator, [f"i-{number:017x}" for number in range(count)], account=console.account.alias)
        assert len(found) == count
        return len(seen)

    queries(1)
    assert queries(200) == queries(1)


def test_production_waits_for_somebody_else(console: Operating, api: Api, operator: User, admin: User) -> None:
    console.account.environment = "production"
    console.account.save(update_fields=["environment"])
    instance_id = console.instance("running").instance_id
    told = body(api(operator).delete(f"/api/ec2/terminate/{instance_id}?confirm={instance_id}"))
    assert told["status"] == "awaiting_approval"
    path = f"/api/operations/{told['id']}"
    own = api(operator).post(f"{path}/approve")
    assert (own.status_code, body(own)["code"]) == (403, "own_operation")
    agreed = api(admin).post(f"{path}/approve", {"reason": "Agreed"}, format="json")
    assert (agreed.status_code, body(agreed)["status"], body(agreed)["approved_by"]) == (200, "queued", "admin")
    again = api(admin).post(f"{path}/reject")
    assert (again.status_code, body(again)["code"]) == (409, "operation_not_waiting")
    console.finish(Operation.objects.get(pk=told["id"]))
    over = api(operator).post(f"{path}/cancel")
    assert (over.status_code, body(over)["code"]) == (409, "operation_is_over")


def test_lists_are_narrowed_by_what_they_say_and_refuse_what_they_do_not_know(
    console: Operating, api: Api, operator: User
) -> None:
    console.request("stop", console.instance("running"))
    for query, count in (
        ("status=open", 1), ("status=queued&status=failed", 1), ("status=failed", 0), ("action=ec2.stop", 1),
        ("action=ec2.start", 0), ("mine=true", 1),
        ("region=eu-central-1", 1), ("region=us-east-1", 0), (f"account={console.account.alias}", 1), ("target=i-nothing", 0),
    ):  # fmt: skip
        assert body(api(operator).get(f"/api/operations?{query}"))["count"] == count, query
    assert api(operator).get("/api/operations?status=nonsense").status_code == 400
    assert api(operator).get("/api/operations?account=nobodys").status_code == 400


def test_a_longer_list_takes_no_more_queries(console: Operating, api: Api, operator: User) -> None:
    def operations(count: int) -> None:
        made = {"account": console.account, "target_type": "ec2", "environment": "development", "status": "succeeded"}
        Operation.objects.bulk_create(
            Operation(action="ec2.stop", target=f"i-{number}", requested_by=operator, **made) for number in range(count)
        )

    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert api(operator).get("/api/operations?page_size=100").status_code == 200
        return len(seen)

    operations(2)
    queries()
    few = queries()
    operations(38)
    assert queries() == few
