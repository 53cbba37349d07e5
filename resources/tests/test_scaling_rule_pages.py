"""Scaling rules as programs and people meet them: the API, its refusals, and the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import ScalingRule
from resources.tests.conftest import Connected
from resources.tests.scaling import Api, Scene, acting


@pytest.fixture
def scene(simulator: SimulatorHandle, connected: Connected, operator: User, api: Api) -> Iterator[Scene]:
    with acting(simulator, connected("development"), operator, api) as made:
        yield made


def test_a_preview_tells_the_last_day_from_real_points(scene: Scene) -> None:
    rule = scene.make(armed=False)
    scene.cpu(90)
    scene.world.later(hours=2)
    scene.cpu(5)
    scene.world.later(hours=2)
    found = scene.api.get(f"/api/automation/scaling-rules/{rule.pk}/preview").json()
    assert [one["action"] for one in found["moments"]][-2:] == ["start", "stop"]
    assert (len(found["points"]), found["instances"]) == (288, 1)


def test_readings_and_decisions_tell_the_points(scene: Scene) -> None:
    rule = scene.make()
    scene.cpu(90)
    scene.after(20)
    [reading] = scene.api.get(f"/api/automation/scaling-rules/{rule.pk}/readings").json()["results"]
    assert (reading["action"], reading["acted_on"], [point["value"] for point in reading["points"]]) == ("start", 1, [90.0] * 3)
    [decision] = scene.api.get("/api/automation/decisions", {"scaling_rule": rule.pk}).json()["results"]
    assert (decision["scaling_rule_name"], decision["schedule"], decision["outcome"]) == ("Spare build machine", None, "asked")
    assert decision["points"] == reading["points"]


@pytest.mark.parametrize(
    ("changes", "attr"),
    [
        ({"start_above": None, "stop_below": None}, "start_above"),
        ({"stop_below": 70}, "stop_below"),
        ({"start_above": 101}, "start_above"),
        ({"start_above": None}, "stops"),
        ({"metric": "requests"}, "metric"),
        ({"statistic": "p99"}, "statistic"),
        ({"watched": "build-1"}, "watched"),
        ({"kind": "group", "watched": "   ", "metric": "cpu"}, "watched"),
        ({"needed": 4}, "needed"),
        ({"instances": []}, "instances"),
        ({"region": "the moon"}, "region"),
        ({"period_s": 10}, "period_s"),
    ],
)  # fmt: skip
def test_what_is_no_rule_is_refused_at_its_field(scene: Scene, changes: dict[str, object], attr: str) -> None:
    answer = scene.api.post("/api/automation/scaling-rules", scene.plan(**changes), format="json")
    assert (answer.status_code, answer.json()["errors"][0]["attr"].split(".")[0]) == (400, attr)


def test_what_is_watched_is_never_among_what_is_started(scene: Scene) -> None:
    answer = scene.api.post("/api/automation/scaling-rules", scene.plan(instances=[scene.watched.instance_id]), format="json")
    assert answer.status_code == 400


def test_strangers_find_nothing_and_viewers_change_nothing(scene: Scene, api: Api, viewer: User, stranger: User) -> None:
    address = f"/api/automation/scaling-rules/{scene.make().pk}"
    assert api(stranger).get(address).status_code == 404
    assert api(stranger).get(f"{address}/readings").status_code == 404
    assert api(stranger).get("/api/automation/scaling-rules").json()["count"] == 0
    assert api(viewer).get(address).status_code == 200
    assert api(viewer).put(address, scene.plan(), format="json").status_code == 403
    assert api(viewer).get(f"{address}/preview").status_code == 403


def test_the_pages_make_try_show_and_delete_a_rule(scene: Scene, client: Client, operator: User) -> None:
    client.force_login(operator)
    assert b"Nothing scales by itself" in client.get("/automation/scaling").content
    scene.cpu(90)
    scene.world.later(hours=2)
    form: dict[str, Any] = {**scene.plan(), "account": scene.world.account.pk, "instances": scene.spare.instance_id}
    form |= {"statistic": "Average", "period_s": 300, "needed": 3, "window": 3, "cooldown_min": 15, "starts_per_hour": 2}
    form |= {"at_once": 1, "stops": "started", "tags": ""}
    tried = client.post("/automation/scaling/add", {**form, "try": "yes"})
    assert (tried.status_code, b"It would have acted" in tried.content) == (200, True)
    assert not ScalingRule.objects.exists()
    wrong = client.post("/automation/scaling/add", {**form, "stop_below": 80})
    assert (wrong.status_code, b"to and fro" in wrong.content) == (400, True)
    made = client.post("/automation/scaling/add", form, follow=True).content.decode()
    assert "on trial for a week" in made
    scene.after(10)
    rule = ScalingRule.objects.get()
    page = client.get(f"/automation/scaling/{rule.pk}").content.decode()
    assert "3 of 3 points above" in page
    assert "Would have acted" in page
    assert "<polyline" in page
    assert "90\u00a0%" in client.get("/automation/scaling").content.decode()
    assert "(copy)" in client.get(f"/automation/scaling/add?like={rule.pk}").content.decode()
    assert rule.name in client.get("/automation/decisions").content.decode()
    assert client.post(f"/automation/scaling/{rule.pk}/pause", follow=True).status_code == 200
    assert client.post(f"/automation/scaling/{rule.pk}/delete", {"confirm": "no"}).status_code == 400
    client.post(f"/automation/scaling/{rule.pk}/delete", {"confirm": rule.name})
    assert not ScalingRule.objects.exists()


def test_a_list_of_forty_takes_as_many_queries_as_one_of_two(
    scene: Scene, client: Client, operator: User, django_assert_num_queries: Any
) -> None:
    client.force_login(operator)
    for number in range(2):
        scene.make(name=f"Rule {number}")
    client.get("/automation/scaling")  # the first request of a session asks more
    counts = []
    for more in (0, 38):
        for number in range(more):
            scene.make(name=f"More {number}", armed=False)
        with django_assert_num_queries(100, exact=False) as seen:
            client.get("/automation/scaling")
        counts.append(len(seen))
    assert counts[0] == counts[1]
