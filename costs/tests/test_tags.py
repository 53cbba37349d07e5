"""Tags as a dimension of costs: listed, chosen, fetched, told and covered, against the simulated bills."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import User
from audit.models import AuditEvent
from cloudconsole.core.money import total
from cloudconsole.core.permissions import Role
from cloudconsole.simulator import cost_tags, ledger
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.organization import DEVELOPMENT, MANAGEMENT
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import (
    BillingScope,
    CostExplorerRequest,
    CostFact,
    CostSnapshot,
    CostSource,
    SnapshotStatus,
    SnapshotTrigger,
    SourceStatus,
    SourceTag,
    TagStatus,
)
from costs.rules import tag_coverage, tag_requests
from costs.rules.cubes import Dimension
from costs.rules.tags import EMPTY, NO_VALUE, UNTAGGED
from costs.rules.windows import DayRange
from costs.selectors import costs
from costs.selectors.questions import Granularity, NotStored, Question
from costs.services import runs, snapshots, tags
from costs.services.ledger import LedgerMeter, RequestCapReached
from costs.services.tags import InactiveTag, UnknownTag, Wanted
from costs.tests import books
from costs.tests.conftest import NOW, connect

RANGE = DayRange(date(2026, 10, 24), date(2026, 11, 19))
TEAM = Dimension.tag("team")
COLUMNS = ("cube", "day", "first", "second", "unblended")

Api = Callable[[User | None], APIClient]


def known(aws: SimulatorHandle, name: str, alias: str, scope: BillingScope) -> CostSource:
    """A source whose costs of RANGE are stored, without its tags."""
    source = connect(aws, name, alias)
    CostSource.objects.filter(pk=source.pk).update(
        scope=scope, status=SourceStatus.OK, fresh_at=NOW, backfilled_from=date(2025, 10, 1)
    )
    source.refresh_from_db()
    books.fill(source, RANGE)
    return source


@pytest.fixture
def payer(aws: SimulatorHandle, db: None) -> CostSource:
    return known(aws, "hub", "management", BillingScope.PAYER)


def fetch(source: CostSource, admin: User, *wanted: Wanted) -> CostSnapshot:
    tags.refresh_list(source=source, by=admin)
    asked = tags.choose(source=source, wanted=wanted, by=admin)
    assert asked is not None
    runs.run(snapshot_id=asked.snapshot.pk)
    asked.snapshot.refresh_from_db()
    return asked.snapshot


def truth(key: str, account: str = MANAGEMENT) -> dict[tuple[str, str], Decimal]:
    """What the bill's lines of RANGE say, by value of the tag and service."""
    found: dict[tuple[str, str], list[Decimal]] = {}
    view = ledger.view_for(account, ())
    for day in books.days_of(RANGE):
        for line in ledger.visible_to(books.LEDGER.shown(day, books.NOW), account, view):
            value = cost_tags.value_of(line, key) or NO_VALUE
            found.setdefault((value, line.service), []).append(ledger.usd(line.costs.unblended))
    return {keys: total(amounts) for keys, amounts in found.items()}


def told(source_reader: costs.Reader, *group_by: Dimension) -> dict[tuple[str, ...], Decimal]:
    answer = source_reader.answer(Question(RANGE, Granularity.WHOLE, group_by))
    return {group.keys: group.amount for period in answer.periods for group in period.groups}


def test_costs_by_a_chosen_tag_are_the_bills_to_the_last_digit(payer: CostSource, admin: User) -> None:
    run = fetch(payer, admin, Wanted("team", by_account=True))
    assert run.status == SnapshotStatus.SUCCEEDED
    reader = costs.Reader(admin)
    assert told(reader, TEAM, Dimension.SERVICE) == truth("team")
    for group_by in ((TEAM,), (TEAM, Dimension.SERVICE), (Dimension.ACCOUNT, TEAM)):
        for granularity in Granularity:
            answer = reader.answer(Question(RANGE, granularity, group_by))
            for period in answer.periods:
                assert period.total == costs.add(group.amount for group in period.groups) + period.residual
    with pytest.raises(NotStored):
        reader.answer(Question(RANGE, Granularity.WHOLE, (TEAM, Dimension.REGION)))
    payer.refresh_from_db()
    assert payer.fresh_at == NOW  # fetching the history of a tag brings nothing else up to date


def test_what_is_stored_is_not_asked_again_and_asking_again_changes_nothing(payer: CostSource, admin: User) -> None:
    fetch(payer, admin, Wanted("team"))
    before = sorted(CostFact.objects.filter(cube__gte=100).order_by().values_list(*COLUMNS))
    assert tags.choose(source=payer, wanted=[Wanted("team")], by=admin) is None
    assert tags.choose(source=payer, wanted=[], by=admin) is None
    assert told(costs.Reader(admin), TEAM, Dimension.SERVICE) == truth("team")  # stays readable
    again = snapshots.request(source=payer, trigger=SnapshotTrigger.MANUAL, by=admin).snapshot
    assert not again.windows.exclude(tag=None).exists()  # no longer asked
    runs.run(snapshot_id=again.pk)
    SourceTag.objects.filter(tag__key="team").update(is_chosen=True)
    with time_machine.travel(NOW + timedelta(days=1), tick=True):
        again = snapshots.request(source=payer, trigger=SnapshotTrigger.MANUAL, by=admin).snapshot
        assert again.windows.exclude(tag=None).count() == 1  # the newest days, and not what is stored
        runs.run(snapshot_id=again.pk)
    assert sorted(CostFact.objects.filter(cube__gte=100).order_by().values_list(*COLUMNS)) == before


def test_pages_and_their_order_change_nothing(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    aws.set_page_size(300)
    aws.add_faults(Fault("ce", FaultKind.DUPLICATE_KEYS, operation="GetCostAndUsage", times=100))
    fetch(payer, admin, Wanted("team"))
    assert CostExplorerRequest.objects.filter(page__gt=1).exists()
    assert told(costs.Reader(admin), TEAM, Dimension.SERVICE) == truth("team")


def test_a_failed_question_about_a_tag_deletes_nothing(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    fetch(payer, admin, Wanted("team"))
    with time_machine.travel(NOW + timedelta(days=1), tick=True):
        again = snapshots.request(source=payer, trigger=SnapshotTrigger.MANUAL, by=admin).snapshot
        its_place = [window.tag_id is not None for window in again.windows.all()].index(True)
        aws.add_faults(Fault("ce", FaultKind.DENIED, operation="GetCostAndUsage", after=its_place, times=1))
        runs.run(snapshot_id=again.pk)
        again.refresh_from_db()
        assert again.status == SnapshotStatus.PARTIAL
    payer.refresh_from_db()
    assert payer.status == SourceStatus.PARTIAL
    assert told(costs.Reader(admin), TEAM, Dimension.SERVICE) == truth("team")


def test_a_list_knows_which_tags_are_active_and_only_known_active_ones_can_be_chosen(payer: CostSource, admin: User) -> None:
    tags.refresh_list(source=payer, by=admin)
    states = dict(SourceTag.objects.values_list("tag__key", "status"))
    assert states["team"] == TagStatus.ACTIVE
    assert states["owner"] == TagStatus.INACTIVE
    with pytest.raises(InactiveTag):
        tags.choose(source=payer, wanted=[Wanted("owner")], by=admin)
    with pytest.raises(UnknownTag):
        tags.choose(source=payer, wanted=[Wanted("taem")], by=admin)
    request = CostExplorerRequest.objects.get()
    assert (request.operation, request.outcome, request.charged, request.snapshot) == ("ListCostAllocationTags", "ok", True, None)
    assert AuditEvent.objects.filter(action="costs.tags_listed").exists()


def test_a_member_is_told_which_tags_its_costs_carry_but_not_the_payers_list(aws: SimulatorHandle, admin: User) -> None:
    member = known(aws, "development", "development", BillingScope.MEMBER)
    fetch(member, admin, Wanted("team"))
    asked = list(CostExplorerRequest.objects.filter(snapshot=None).order_by("pk").values_list("operation", "charged"))
    assert asked == [("ListCostAllocationTags", False), ("GetTags", True)]
    reader = costs.Reader(admin)
    assert told(reader, TEAM, Dimension.SERVICE) == truth("team", DEVELOPMENT)
    by_account = told(reader, TEAM, Dimension.ACCOUNT)  # follows without asking
    assert sum(by_account.values()) == sum(truth("team", DEVELOPMENT).values())
    assert {account for _, account in by_account} == {DEVELOPMENT}


def test_who_may_not_ask_by_tag_still_sees_all_other_costs(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    tags.refresh_list(source=payer, by=admin)
    asked = tags.choose(source=payer, wanted=[Wanted("team")], by=admin)
    assert asked is not None
    aws.add_faults(Fault("ce", FaultKind.DENIED, times=10))
    runs.run(snapshot_id=asked.snapshot.pk)
    payer.refresh_from_db()
    assert payer.status != SourceStatus.DENIED
    assert told(costs.Reader(admin), Dimension.SERVICE)


def test_a_paid_call_outside_a_run_obeys_the_cap(payer: CostSource, admin: User) -> None:
    CostSource.objects.filter(pk=payer.pk).update(monthly_request_cap=0)
    with pytest.raises(RequestCapReached):
        tags.refresh_list(source=payer, by=admin)
    with pytest.raises(RequestCapReached):
        LedgerMeter(payer, "GetCostForecast").before_request()
    assert not CostExplorerRequest.objects.exists()


def test_the_api_groups_filters_and_covers_by_tag(api: Api, payer: CostSource, admin: User) -> None:
    client = api(admin)
    assert client.post("/api/costs/tags/list", {"account": "management"}).status_code == 200
    chosen = client.put(
        "/api/costs/tags", {"account": "management", "tags": [{"key": "team", "by_account": True}]}, format="json"
    )
    assert chosen.status_code == 200, chosen.json()
    runs.run(snapshot_id=chosen.json()["snapshot"])
    days: dict[str, Any] = {"start": RANGE.start, "end": RANGE.end}
    expected = truth("team")
    body = client.get("/api/costs", {**days, "group_by": "service", "tag:team": ["web", "data"], "granularity": "monthly"}).json()
    assert Decimal(body["total"]) == sum(amount for (value, _), amount in expected.items() if value in {"web", "data"})
    assert client.get("/api/costs", {**days, "group_by": "tag:nothing"}).json()["code"] == "not_stored"
    assert client.get("/api/costs", {**days, "tag:team": "wbe"}).json()["code"] == "unknown_value"
    coverage = client.get("/api/costs/tags/coverage", {**days, "key": "team"}).json()
    without = sum(amount for (value, _), amount in expected.items() if value == NO_VALUE)
    assert Decimal(coverage["whole"]["untagged"]) == without
    parts = [Decimal(coverage["whole"][name]) for name in ("tagged", "untagged")]
    assert sum(parts) + Decimal(coverage["residual"]) == Decimal(coverage["total"])
    assert {one["key"] for one in coverage["by_account"]} >= {MANAGEMENT, DEVELOPMENT}
    listed = client.get("/api/costs/tags").json()
    assert [tag["key"] for tag in listed[0]["tags"] if tag["chosen"]] == ["team"]
    assert listed[0]["monthly_price"] == "0.61"


def test_the_pages_say_the_price_first_and_never_ask_aws(client: Client, payer: CostSource, admin: User) -> None:
    client.force_login(admin)
    tags.refresh_list(source=payer, by=admin)
    asked = CostExplorerRequest.objects.count()
    assert b"No tag is fetched yet" in client.get("/costs/tags").content
    assert b"cost-center" in client.get("/costs/tags/keys").content
    order = client.post(f"/costs/tags/keys/{payer.pk}", {"tag": ["team"], "by_account": ["team"]})
    assert b"Each month" in order.content
    assert not CostSnapshot.objects.exists()
    assert CostExplorerRequest.objects.count() == asked
    client.post(f"/costs/tags/keys/{payer.pk}", {"tag": ["team"], "confirmed": "yes"})
    runs.run(snapshot_id=CostSnapshot.objects.get().pk)
    asked = CostExplorerRequest.objects.count()
    page = client.get("/costs/tags?range=custom&start=2026-10-24&last=2026-11-18").content.decode()
    assert "of the money carries team" in page
    assert "Not stored for these accounts" in page
    explorer = client.get("/costs?group_by=tag:team&range=custom&start=2026-10-24&last=2026-11-18").content.decode()
    assert "assistants" in explorer
    assert "No value" in explorer
    refused = client.get("/costs?group_by=tag:team&group_by=region").content.decode()
    assert "Grouped by tag team" in refused
    assert "tag:team" in client.get("/costs/filters").content.decode()
    csv = b"".join(client.get("/costs/costs.csv?group_by=tag:team").streaming_content)  # type: ignore[attr-defined]
    assert b"Tag team" in csv
    assert CostExplorerRequest.objects.count() == asked


def test_a_viewer_sees_coverage_and_may_choose_nothing(client: Client, payer: CostSource, admin: User) -> None:
    viewer = User.objects.create_user("vera", "vera@example.com", "correct horse battery", role=Role.VIEWER)
    client.force_login(viewer)
    assert client.get("/costs/tags").status_code == 200
    assert client.post(f"/costs/tags/keys/{payer.pk}", {"tag": ["team"], "confirmed": "yes"}).status_code == 403
    assert client.post(f"/costs/tags/keys/{payer.pk}/list").status_code == 403


VALUES = st.sampled_from([NO_VALUE, UNTAGGED, EMPTY, "web", "data"])
AMOUNTS = st.dictionaries(
    st.tuples(VALUES, st.sampled_from(["a", "b", "c"])), st.decimals(-1000, 1000, places=12, allow_nan=False), max_size=15
)


@given(amounts=AMOUNTS)
def test_coverage_adds_up_to_the_last_digit(amounts: dict[tuple[str, str], Decimal]) -> None:
    rows = tag_coverage.covered(amounts)
    assert total(row.total for row in rows) == total(amounts.values()) == tag_coverage.whole(amounts).total
    assert [row.untagged for row in rows] == sorted((row.untagged for row in rows), reverse=True)
    for row in rows:
        assert row.share is None or 0 <= row.share <= 1


@given(asked=st.dictionaries(st.integers(100, 130), st.none() | st.dates(date(2026, 11, 1), date(2026, 11, 18)), max_size=12))
def test_of_a_single_account_those_that_waited_longest_come_first(asked: dict[int, date | None]) -> None:
    today = date(2026, 11, 18)
    due = tag_requests.due(asked, today, single=True)
    done = sum(last == today for last in asked.values())
    assert len(due) == min(max(0, tag_requests.SINGLE_DAILY_TAGS - done), sum(last != today for last in asked.values()))
    left = [asked[cube] or date.min for cube in asked if cube not in due and asked[cube] != today]
    assert all((asked[cube] or date.min) <= other for cube in due for other in left)
    assert set(tag_requests.due(asked, today, single=False)) == {cube for cube, last in asked.items() if last != today}
