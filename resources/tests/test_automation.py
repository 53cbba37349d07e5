"""Schedules: on trial, armed, claimed once, acting with their owner's rights, and saying why they did or did not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import Alert, AuthMethod, AwsAccount, Grant, User
from audit.models import AuditEvent
from cloudconsole.simulator.process import SimulatorHandle
from resources.models import Decision, Instance, Operation, Schedule, Slot
from resources.rules.automation import Fleet, Machine, Selection, attend
from resources.rules.schedules import Deed, Edge, Missed
from resources.services import automation
from resources.tests.conftest import Connected
from resources.tests.operating import REGION, Operating, operating

Api = Callable[[User | None], APIClient]
FRIDAY = datetime(2026, 11, 27, 12, tzinfo=UTC)
OFFICE = {"days": ["mon", "tue", "wed", "thu", "fri"], "begin": "08:00", "end": "18:00"}
PLAN = {"name": "Office hours", "zone": "UTC", "periods": [OFFICE], "tags": [{"key": "team", "value": "web"}]}


@pytest.fixture
def account(db: None) -> AwsAccount:
    return AwsAccount.objects.create(
        alias="web",
        account_id="123412341234",
        auth_method=AuthMethod.AMBIENT,
        capabilities=["ec2.read", "ec2.operate"],
        status="ok",
    )


def instance(account: AwsAccount, number: int, state: str = "running", **tags: str) -> Instance:
    return Instance.objects.create(
        account=account, region=REGION, instance_id=f"i-{number:017}", name=f"web-{number}", state=state,
        instance_type="t3.micro", tags={"team": "web", **tags}, observed_at=FRIDAY, first_seen_at=FRIDAY,
    )  # fmt: skip


@pytest.fixture
def clock() -> Any:
    with time_machine.travel(FRIDAY, tick=False) as traveller:
        yield traveller


def make(api: Api, user: User, **changes: object) -> Schedule:
    answer = api(user).post("/api/automation/schedules", {**PLAN, **changes}, format="json")
    assert answer.status_code == 201, answer.json()
    return Schedule.objects.get(pk=answer.json()["id"])


def arm(api: Api, user: User, schedule: Schedule) -> None:
    assert api(user).post(f"/api/automation/schedules/{schedule.pk}/arm").json()["state"] == "armed"


def look(*, times: int = 1) -> None:
    """What beat rings, and what workers then do."""
    for _ in range(times):
        automation.tick()
    for pk in Slot.objects.values_list("pk", flat=True):
        automation.run(slot_id=pk)


def outcomes() -> list[tuple[str, str, str]]:
    return list(Decision.objects.order_by("pk").values_list("instance_id", "outcome", "reason"))


def test_a_schedule_on_trial_tells_what_it_would_do_and_does_nothing(
    api: Api, operator: User, account: AwsAccount, clock: Any
) -> None:
    one = instance(account, 1)
    make(api, operator)
    clock.move_to(FRIDAY.replace(hour=18))
    look()
    assert outcomes() == [(one.instance_id, "would", "")]
    assert not Operation.objects.exists()


def test_an_armed_schedule_stops_what_runs_and_says_why_it_left_the_rest(
    api: Api, operator: User, account: AwsAccount, clock: Any
) -> None:
    runs, stopped, kept, moves = (
        instance(account, 1),
        instance(account, 2, "stopped"),
        instance(account, 3, **{"cloudconsole:automation": "off"}),
        instance(account, 4, "pending"),
    )
    Instance.objects.filter(pk=instance(account, 5).pk).update(tags={"team": "data"})
    arm(api, operator, make(api, operator))
    clock.move_to(FRIDAY.replace(hour=18, second=30))
    look(times=3)

    operation = Operation.objects.get()
    assert (operation.action, operation.target, operation.requested_by) == ("ec2.stop", runs.instance_id, operator)
    assert operation.reason == "Schedule “Office hours”, 2026-11-27 18:00 UTC"
    assert outcomes() == [
        (runs.instance_id, "asked", ""),
        (stopped.instance_id, "left", "It is so already"),
        (kept.instance_id, "left", "Its tag keeps automation away"),
        (moves.instance_id, "left", "It is just changing its state"),
    ]
    told = api(operator).get("/api/automation/decisions", {"outcome": "asked"}).json()["results"]
    assert [(one["instance_id"], one["action"], one["operation"]) for one in told] == [(runs.instance_id, "stop", operation.pk)]


def test_what_a_person_starts_by_hand_stays_until_the_next_edge(
    api: Api, operator: User, account: AwsAccount, clock: Any
) -> None:
    instance(account, 1)
    arm(api, operator, make(api, operator))
    clock.move_to(FRIDAY.replace(hour=18))
    look()
    Operation.objects.update(status="succeeded")
    clock.move_to(FRIDAY.replace(hour=22))
    look()  # it runs again, because somebody wanted it to
    assert Operation.objects.count() == 1


def test_an_enforced_schedule_puts_right_what_people_change(api: Api, operator: User, account: AwsAccount, clock: Any) -> None:
    instance(account, 1, "stopped")
    arm(api, operator, make(api, operator, mode="enforced"))
    clock.move_to(FRIDAY.replace(hour=12, minute=6))
    look(times=2)
    assert [one.action for one in Operation.objects.all()] == ["ec2.start"]


def test_what_ran_before_a_period_began_outlives_its_end(api: Api, operator: User, account: AwsAccount, clock: Any) -> None:
    ran, came = instance(account, 1), instance(account, 2, "stopped")
    arm(api, operator, make(api, operator, mode="retain", periods=[{**OFFICE, "days": ["sat"]}]))
    clock.move_to(FRIDAY + timedelta(hours=20))
    look()
    Operation.objects.update(status="succeeded")
    Instance.objects.filter(pk=came.pk).update(state="running")
    clock.move_to(FRIDAY + timedelta(hours=30))
    look()
    assert [one.target for one in Operation.objects.filter(action="ec2.stop")] == [came.instance_id]
    assert (ran.instance_id, "left", "It ran before the period began, and keeps running") in outcomes()


@pytest.mark.parametrize(("missed", "acts"), [("run_once", True), ("skip", False)])
def test_an_edge_that_nobody_attended_to_is_made_up_for_once_or_skipped(
    api: Api, operator: User, account: AwsAccount, clock: Any, missed: str, acts: bool
) -> None:
    instance(account, 1)
    arm(api, operator, make(api, operator, missed=missed))
    clock.move_to(FRIDAY + timedelta(days=4, hours=8))  # Tuesday evening: Friday's, Monday's and Tuesday's edges passed
    look()
    slots = list(Slot.objects.order_by("at").values_list("status", flat=True))
    assert slots == ["missed"] * 4 + (["done"] if acts else ["missed"])
    assert Operation.objects.exists() is acts


def test_an_override_keeps_things_running_until_it_ends(api: Api, operator: User, account: AwsAccount, clock: Any) -> None:
    one = instance(account, 1, "stopped")
    schedule = make(api, operator)
    arm(api, operator, schedule)
    until = FRIDAY + timedelta(hours=10)
    answer = api(operator).post(
        f"/api/automation/schedules/{schedule.pk}/override", {"action": "start", "until": until}, format="json"
    )
    assert answer.status_code == 200
    look()
    Operation.objects.update(status="succeeded")
    Instance.objects.filter(pk=one.pk).update(state="running")
    clock.move_to(FRIDAY.replace(hour=18))
    look()
    assert [(one.action) for one in Operation.objects.all()] == ["ec2.start"]
    clock.move_to(until + timedelta(seconds=1))
    look()
    assert sorted(one.action for one in Operation.objects.all()) == ["ec2.start", "ec2.stop"]


def test_it_acts_with_the_rights_its_owner_has_at_that_moment(api: Api, operator: User, account: AwsAccount, clock: Any) -> None:
    instance(account, 1)
    arm(api, operator, make(api, operator))
    Grant.objects.filter(user=operator).delete()
    clock.move_to(FRIDAY.replace(hour=18))
    look()
    assert not Operation.objects.exists()
    assert Slot.objects.get().matched == 0


def test_a_schedule_whose_owner_left_is_paused_and_told_of(api: Api, operator: User, account: AwsAccount, clock: Any) -> None:
    instance(account, 1)
    arm(api, operator, make(api, operator))
    User.objects.filter(pk=operator.pk).update(is_active=False)
    clock.move_to(FRIDAY.replace(hour=18))
    look(times=2)
    assert Schedule.objects.get().state == "paused"
    assert Alert.objects.get().kind == "automation.schedule_paused"
    assert not Operation.objects.exists()


def test_a_schedule_that_keeps_failing_is_paused(api: Api, operator: User, account: AwsAccount, clock: Any) -> None:
    instance(account, 1)
    arm(api, operator, make(api, operator, periods=[{"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "end": "18:00"}]))
    for day in range(5):
        clock.move_to(FRIDAY.replace(hour=18) + timedelta(days=day))
        look()
        Operation.objects.update(status="failed")
    assert (Schedule.objects.get().state, Operation.objects.count()) == ("paused", 3)
    assert AuditEvent.objects.filter(action="schedule.gave_up").count() == 1


def test_a_trial_ends_by_itself_after_a_week(api: Api, operator: User, account: AwsAccount, clock: Any) -> None:
    schedule = make(api, operator)
    clock.move_to(FRIDAY + timedelta(days=7, seconds=1))
    look()
    schedule.refresh_from_db()
    assert schedule.state == "armed"


def test_a_worker_that_takes_over_a_slot_decides_nothing_twice(api: Api, operator: User, account: AwsAccount, clock: Any) -> None:
    for number in range(3):
        instance(account, number)
    arm(api, operator, make(api, operator))
    clock.move_to(FRIDAY.replace(hour=18))
    look()
    Decision.objects.order_by("pk").last().delete()  # type: ignore[union-attr]  # as if its worker died before the third
    Operation.objects.order_by("pk").last().delete()  # type: ignore[union-attr]
    Slot.objects.update(status="open", lease_until=FRIDAY)
    look()
    assert (Operation.objects.count(), Decision.objects.count()) == (3, 3)


def test_two_schedulers_and_two_workers_act_once(
    api: Api, operator: User, account: AwsAccount, threads: Callable[..., None]
) -> None:
    instance(account, 1)
    schedule = make(api, operator, periods=[{"days": ["last", *map(str, range(1, 31))], "end": "00:00"}])
    arm(api, operator, schedule)
    Schedule.objects.update(looked_until=datetime.now(UTC) - timedelta(days=1), next_at=datetime.now(UTC) - timedelta(days=1))
    threads(look, look, look)
    assert (Slot.objects.filter(status="done").count(), Operation.objects.count()) == (1, 1)


def test_strangers_find_nothing_and_viewers_change_nothing(
    api: Api, operator: User, viewer: User, stranger: User, account: AwsAccount
) -> None:
    schedule = make(api, operator, accounts=["web"])
    address = f"/api/automation/schedules/{schedule.pk}"
    assert api(stranger).get(address).status_code == 404
    assert api(stranger).get("/api/automation/schedules").json()["count"] == 0
    assert api(viewer).get(address).status_code == 200
    assert api(viewer).put(address, PLAN, format="json").status_code == 403
    assert api(stranger).post("/api/automation/schedules", {**PLAN, "accounts": ["web"]}, format="json").status_code == 403


def test_who_changes_a_schedule_owns_it(api: Api, operator: User, admin: User, account: AwsAccount) -> None:
    schedule = make(api, operator, accounts=["web"])
    assert (
        api(admin).put(f"/api/automation/schedules/{schedule.pk}", {**PLAN, "name": "Ours"}, format="json").json()["owner"]
        == "admin"
    )


@pytest.mark.parametrize(
    ("changes", "attr"),
    [
        ({"zone": "Berlin"}, "zone"),
        ({"tags": []}, "accounts"),
        ({"periods": []}, "periods"),
        ({"periods": [{"days": ["someday"], "begin": "08:00"}]}, "periods"),
        ({"periods": [{"days": ["mon"]}]}, "periods"),
        ({"mode": "enforced", "periods": [{"days": ["mon"], "begin": "08:00"}]}, "mode"),
        ({"regions": ["the moon"]}, "regions"),
    ],
)
def test_what_is_no_schedule_is_refused_at_its_field(
    api: Api, operator: User, account: AwsAccount, changes: dict[str, object], attr: str
) -> None:
    answer = api(operator).post("/api/automation/schedules", {**PLAN, **changes}, format="json")
    assert (answer.status_code, answer.json()["errors"][0]["attr"].split(".")[0]) == (400, attr)


def test_the_page_makes_a_schedule_and_shows_its_days(client: Client, operator: User, account: AwsAccount, clock: Any) -> None:
    one = instance(account, 1)
    client.force_login(operator)
    form = {"name": "Nights off", "zone": "Europe/Berlin", "weekdays": ["mon", "fri"], "begin": "08:00", "end": "18:00"}
    form |= {"more": "sat 10:00-14:00", "tags": "team", "mode": "edges", "missed": "skip", "holidays": "2026-12-25"}
    answer = client.post("/automation/add", form, follow=True)
    page = answer.content.decode()
    assert "Nights off" in page
    assert "08:00 to 18:00" in page
    assert one.name in page
    again = client.get(f"/automation/{Schedule.objects.get().pk}/edit").content.decode()
    assert "sat 10:00-14:00" in again
    assert "What is wrong" not in again
    wrong = client.post("/automation/add", {**form, "more": "saturdays"})
    assert (wrong.status_code, b"is not understood" in wrong.content) == (400, True)


def test_a_list_of_forty_takes_as_many_queries_as_one_of_two(
    client: Client, operator: User, account: AwsAccount, api: Api, django_assert_num_queries: Any
) -> None:
    client.force_login(operator)
    for number in range(2):
        make(api, operator, name=f"Plan {number}", accounts=["web"])
    client.get("/automation")  # the first request of a session asks more
    counts = []
    for more in (0, 38):
        for number in range(more):
            make(api, operator, name=f"More {number}", accounts=["web"])
        with django_assert_num_queries(100, exact=False) as seen:
            client.get("/automation")
        counts.append(len(seen))
    assert counts[0] == counts[1]


machines = st.builds(
    Machine, st.integers(1, 99), st.integers(1, 3), st.sampled_from(["production", "sandbox"]), st.sampled_from(["a", "b"]),
    st.sampled_from(["i-1", "i-2", "i-3"]), st.just("running"),
    st.dictionaries(st.sampled_from(["team", "role"]), st.sampled_from(["", "web", "db"]), max_size=2),
)  # fmt: skip
selections = st.builds(
    Selection, st.frozensets(st.integers(1, 3), max_size=2),
    st.frozensets(st.sampled_from(["production", "sandbox"]), max_size=1),
    st.frozensets(st.sampled_from(["a", "b"]), max_size=1), st.frozensets(st.sampled_from(["i-1", "i-2"]), max_size=2),
    st.frozensets(st.tuples(st.sampled_from(["team", "role"]), st.sampled_from(["", "web", "db"])), max_size=3),
)  # fmt: skip


@given(st.lists(machines, max_size=20, unique_by=lambda machine: machine.pk), selections)
def test_a_fleet_finds_what_looking_at_each_finds(found: list[Machine], selection: Selection) -> None:
    assert sorted(machine.pk for machine in Fleet(found).of(selection)) == sorted(one.pk for one in found if selection.holds(one))


@given(st.lists(st.integers(0, 10_000), max_size=6, unique=True), st.sampled_from(Missed))
def test_of_several_edges_at_most_the_newest_acts_and_none_is_lost(minutes: list[int], missed: Missed) -> None:
    edges = sorted(Edge(FRIDAY - timedelta(minutes=one), Deed.STOP) for one in minutes)
    told = attend(edges, FRIDAY, missed)
    assert told.acts in (None, *edges[-1:])
    assert sorted([*told.passed, *([told.acts] if told.acts else [])]) == edges


def test_an_instance_is_really_stopped(simulator: SimulatorHandle, connected: Connected, admin: User, api: Api) -> None:
    with operating(simulator, connected("development"), admin) as work:
        _stops(work, api, admin)


def _stops(work: Operating, api: Api, admin: User) -> None:
    work.scan()
    one = work.instance("running")
    end = (datetime.now(UTC) + timedelta(minutes=2)).strftime("%H:%M")
    every_day = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    arm(api, admin, make(api, admin, tags=[], instances=[one.instance_id], periods=[{"days": every_day, "end": end}]))
    work.later(minutes=3)
    look()
    assert work.finish(Operation.objects.get()).status == "succeeded"
    assert work.sent() == ["StopInstances"]


def test_a_moment_that_waited_for_a_worker_gives_way_to_a_later_one(
    api: Api, operator: User, account: AwsAccount, clock: Any
) -> None:
    instance(account, 1)
    arm(api, operator, make(api, operator))
    clock.move_to(FRIDAY.replace(hour=18))
    automation.tick()
    clock.move_to(FRIDAY + timedelta(days=2, hours=20))  # Monday morning, when workers are back
    automation.tick()
    for slot in Slot.objects.order_by("at"):
        automation.run(slot_id=slot.pk)
    assert list(Slot.objects.order_by("at").values_list("deed", "detail")) == [
        ("stop", "A later moment came first."),
        ("start", ""),
    ]
    assert not Operation.objects.exists()


@pytest.mark.parametrize("how", ["pause", "try"])
def test_a_moment_that_waits_for_a_worker_is_over_when_somebody_switches_the_schedule_off(
    api: Api, operator: User, account: AwsAccount, clock: Any, how: str
) -> None:
    instance(account, 1)
    schedule = make(api, operator)
    arm(api, operator, schedule)
    clock.move_to(FRIDAY.replace(hour=18))
    automation.tick()
    api(operator).post(f"/api/automation/schedules/{schedule.pk}/{how}")
    look()
    assert not Operation.objects.exists()
