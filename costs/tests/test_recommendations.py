"""Where money could be saved: from what AWS tells to a row, a page, a decision, and an operation that ends it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from accounts.models import AuthMethod, AwsAccount, User
from accounts.services import credentials
from accounts.services.inputs import KeyInput
from audit.models import AuditEvent
from cloudconsole.aws.policy import CAPABILITIES
from cloudconsole.core import clock
from cloudconsole.simulator.faults import Fault, FaultKind
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import HubItem, HubStatus, Recommendation, SavingsSource
from costs.selectors import recommendations as selectors
from costs.services import recommendations as services
from costs.services.recommendations import hub
from resources.models import (
    WHAT_IS_BILLED,
    ListPrice,
    Operation,
    Scan,
    Service,
    SyncTrigger,
    Volume,
)
from resources.services import operations
from resources.services.inventory import prices, runs, syncs

Api = Callable[[User | None], APIClient]
EU = "eu-central-1"


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def connect(aws: SimulatorHandle, name: str, **fields: object) -> AwsAccount:
    key = aws.key(name)
    on = [capability for capability in CAPABILITIES if capability != "key_rotation"]
    told = {"alias": name, "account_id": key.account_id, "capabilities": on, "enabled_regions": [EU], "status": "ok", **fields}
    account = AwsAccount.objects.create(auth_method=AuthMethod.ACCESS_KEY, **told)
    credentials.store(account=account, key=KeyInput(key.access_key_id, key.secret_access_key, key.session_token or ""))
    return account


def look(account: AwsAccount, *more: Service) -> None:
    """Ask AWS and its price list, and judge what was told."""
    services_asked = (*WHAT_IS_BILLED, *more)
    made = syncs.request(accounts=[account], services=services_asked, trigger=SyncTrigger.SCHEDULE, by=None)
    runs.run(sync_id=made.pk)
    prices.fetch()
    services.judge(account=account)


def known(alias: str = "shop", **fields: object) -> AwsAccount:
    """An account whose places answered just now, without asking anybody."""
    told = {"auth_method": AuthMethod.AMBIENT, "status": "ok", "capabilities": ["savings.read", "savings.operate"], **fields}
    account = AwsAccount.objects.create(alias=alias, account_id=f"4{len(alias):011}", **told)
    for service in (*WHAT_IS_BILLED, Service.EC2):
        answered(account, service)
    for product, amount in (("ebs.gp3", "0.08"), ("address.idle", "0.005")):
        ListPrice.objects.get_or_create(
            region=EU, product=product, defaults={"amount": Decimal(amount), "currency": "USD", "fetched_at": clock.now()}
        )
    return account


def answered(account: AwsAccount, service: Service, status: str = "complete") -> None:
    told = {"status": status, "attempted_at": clock.now()}
    told |= {"observed_at": clock.now()} if status == "complete" else {"code": "aws_access_denied", "detail": "no", "remedy": "x"}
    Scan.objects.update_or_create(account=account, region=EU, service=service, defaults=told)


def volume(account: AwsAccount, number: int = 1, size: int = 100, **fields: object) -> Volume:
    now = clock.now()
    told = {"created_at": now - timedelta(days=99), "observed_at": now, "first_seen_at": now, "name": f"data-{number}", **fields}
    return Volume.objects.create(
        account=account, region=EU, volume_id=f"vol-{number:017x}", state="available", size_gib=size, volume_type="gp3", **told
    )


def test_what_is_wasted_is_found_priced_and_joined_with_what_aws_says(simulator: SimulatorHandle, viewer: User, db: None) -> None:
    account = connect(simulator, "development")
    look(account)
    found = {(row.kind, row.name): row for row in Recommendation.objects.all()}
    lost = found["unattached_volume", "build-cache"]
    assert (lost.amount, lost.currency, lost.sources) == (Decimal("46"), "USD", ["cloudconsole"])
    assert found["unused_address", "demo"].amount == Decimal("4.1975")
    assert found["empty_balancer", "demo"].amount == Decimal("18.88875")
    assert {"stopped_instance", "old_snapshot", "endless_logs", "gp2_volume"} <= {kind for kind, _ in found}
    assert not Recommendation.objects.filter(amount=None).exists()
    source = SavingsSource.objects.get()
    hub.read(source_id=source.pk)
    services.judge(account=account)
    lost.refresh_from_db()
    assert lost.sources == ["cloudconsole", "aws"]
    assert (lost.amount, lost.aws_amount, lost.aws_told) == (Decimal("46"), Decimal("36.4"), "Delete gp2 400 GiB")
    evidence = dict(lost.evidence)
    assert (evidence["AWS: cost now, over 14 days"], evidence["AWS: saved"]) == ("16.99 USD", "100.0 %")
    asked = len([call for call in simulator.calls() if call.operation == "GetRecommendation"])
    hub.read(source_id=source.pk)
    assert len([call for call in simulator.calls() if call.operation == "GetRecommendation"]) == asked > 0
    count = Recommendation.objects.count()
    services.judge(account=account)
    assert Recommendation.objects.count() == count
    page = browser(viewer).get("/recommendations").content.decode()
    assert "build-cache" in page
    assert "AWS says" in page
    assert "$36.40" in page


def test_a_hub_that_nobody_switched_on_is_told_and_no_error(simulator: SimulatorHandle, viewer: User, db: None) -> None:
    account = connect(simulator, "sandbox", capabilities=["savings.hub"])
    services.tick()
    hub.read(source_id=SavingsSource.objects.get().pk)
    assert SavingsSource.objects.get().hub_status == HubStatus.NOT_ENROLLED
    page = browser(viewer).get("/recommendations").content.decode()
    assert "Cost Optimization Hub is not switched on for this account" in page
    simulator.add_faults(Fault(fault=FaultKind.DENIED, service="cost-optimization-hub", times=9))
    SavingsSource.objects.update(next_hub_at=None)
    HubItem.objects.create(
        source=SavingsSource.objects.get(), account=account, number="4", aws_id="1", resource_id="x", resource_type="Rds",
        action="Rightsize", saving=Decimal(5), currency="USD", read_at=clock.now(),
    )  # fmt: skip
    hub.read(source_id=SavingsSource.objects.get().pk)
    assert SavingsSource.objects.get().hub_status == HubStatus.FAILED
    assert HubItem.objects.count() == 1  # what was told before stays


def test_a_volume_is_deleted_only_with_a_fresh_snapshot_and_then_counts_as_saved(
    simulator: SimulatorHandle, operator: User, db: None
) -> None:
    account = connect(simulator, "development")
    look(account)
    row = Recommendation.objects.get(name="build-cache")
    page = browser(operator).get(f"/recommendations/{row.pk}").content.decode()
    form = f"/savings/operate?action=ebs.delete_volume&amp;account={account.pk}&amp;region={EU}&amp;target={row.resource_id}"
    assert form in page
    address = form.replace("&amp;", "&")
    assert "Type <strong" in browser(operator).get(address).content.decode()
    wish = {"action": "ebs.delete_volume", "account": account.pk, "region": EU, "target": row.resource_id}
    confirmed = {**wish, "confirm": row.resource_id}
    refused = browser(operator).post("/savings/operate", confirmed)
    assert (refused.status_code, "no_snapshot" in refused.content.decode()) == (409, True)
    browser(operator).post("/savings/operate", {**wish, "action": "ebs.snapshot_volume"})
    finish(simulator, Operation.objects.get(action="ebs.snapshot_volume"))
    simulator.set_now(simulator.now() + timedelta(seconds=40))
    assert browser(operator).post("/savings/operate", confirmed).status_code == 302
    finish(simulator, Operation.objects.get(action="ebs.delete_volume"))
    services.judge(account=account)
    row.refresh_from_db()
    assert (row.status, row.mended_by) == ("fixed", Operation.objects.get(action="ebs.delete_volume").pk)
    assert "$46.00" in browser(operator).get("/recommendations?status=fixed").content.decode()


def finish(aws: SimulatorHandle, operation: Operation) -> None:
    for _ in range(9):
        operations.run(operation_id=operation.pk)
        operation.refresh_from_db()
        if not operation.is_open:
            break
        Operation.objects.filter(pk=operation.pk).update(not_before=None)
    assert operation.status == "succeeded", operation.outcome_detail


def test_gp3_addresses_and_logs_are_mended_from_here(simulator: SimulatorHandle, operator: User, db: None) -> None:
    account = connect(simulator, "development")
    look(account)
    for kind, action, more in (
        ("gp2_volume", "ebs.to_gp3", {"iops": 3000, "throughput": 125}),
        ("unused_address", "addresses.release", {}),
        ("endless_logs", "logs.set_retention", {"days": 30}),
    ):
        row = Recommendation.objects.filter(kind=kind).order_by("-rank").first()
        assert row is not None
        wish = {"action": action, "account": account.pk, "region": EU, "target": row.resource_id, **more}
        answer = browser(operator).post("/savings/operate", {**wish, "confirm": row.resource_id})
        assert answer.status_code == 302, answer.content
        finish(simulator, Operation.objects.get(action=action))
        services.judge(account=account)
        row.refresh_from_db()
        assert (kind, row.status) == (kind, "fixed")


def test_what_only_aws_says_is_one_row_whoever_was_told_it(viewer: User, db: None) -> None:
    account, payer = known(), known("payer")
    volume(account, 1, attached_to="i-1")
    for owner in (account, payer):
        HubItem.objects.create(
            source=SavingsSource.objects.create(account=owner), account=account, number="4", aws_id="r-1", region=EU,
            resource_id=f"vol-{1:017x}", resource_type="EbsVolume", action="Upgrade", current="gp3", recommended="io2",
            saving=Decimal("3.5"), currency="USD", read_at=clock.now(),
        )  # fmt: skip
    services.judge(account=account)
    row = Recommendation.objects.get()
    assert (row.kind, row.sources, row.name, row.title) == ("aws", ["aws"], "data-1", "Upgrade gp3 to io2")
    HubItem.objects.all().delete()
    services.judge(account=account)
    row.refresh_from_db()
    assert row.status == "gone"  # nobody knows why AWS no longer says so


def test_a_place_that_fails_ends_nothing_and_a_complete_one_tells_saved_from_used_again(db: None) -> None:
    account = known()
    first, second = volume(account, 1), volume(account, 2)
    services.judge(account=account)
    answered(account, Service.EBS, "failed")
    Volume.objects.filter(pk=first.pk).update(gone_at=clock.now())
    services.judge(account=account)
    assert set(Recommendation.objects.values_list("status", flat=True)) == {"open"}
    answered(account, Service.EBS)
    Volume.objects.filter(pk=second.pk).update(attached_to="i-1")
    services.judge(account=account)
    assert dict(Recommendation.objects.values_list("name", "status")) == {"data-1": "fixed", "data-2": "gone"}
    Volume.objects.filter(pk=second.pk).update(attached_to="")
    services.judge(account=account)
    assert Recommendation.objects.get(name="data-2").status == "open"


def test_a_price_nobody_told_is_a_dash_with_its_reason(viewer: User, db: None) -> None:
    account = known()
    volume(account, 1)
    ListPrice.objects.filter(product="ebs.gp3").update(amount=None, currency="")
    services.judge(account=account)
    row = Recommendation.objects.get()
    assert (row.amount, row.rank, row.unpriced) == (None, -1, "AWS's price list names no price for it, or several.")
    page = browser(viewer).get("/recommendations").content.decode()
    assert "$0" not in page
    assert "in no total" in page


def test_a_dismissed_one_comes_back_when_materially_more_is_at_stake(operator: User, db: None) -> None:
    account = known()
    row = volume(account, 1)
    services.judge(account=account)
    found = Recommendation.objects.get()
    browser(operator).post(f"/recommendations/{found.pk}/dismiss", {"reason": "kept for the audit"})
    found.refresh_from_db()
    assert (found.status, found.dismissed_by, found.dismissed_reason) == ("dismissed", operator, "kept for the audit")
    assert AuditEvent.objects.filter(action="recommendation.dismissed", actor_id=operator.pk).exists()
    Volume.objects.filter(pk=row.pk).update(size_gib=110)
    services.judge(account=account)
    assert Recommendation.objects.get().status == "dismissed"
    Volume.objects.filter(pk=row.pk).update(size_gib=150)
    services.judge(account=account)
    assert Recommendation.objects.get().status == "open"


def test_a_dismissal_runs_out_and_can_be_taken_back(operator: User, api: Api, db: None) -> None:
    account = known()
    volume(account, 1)
    services.judge(account=account)
    found = Recommendation.objects.get()
    path, until = f"/api/costs/recommendations/{found.pk}", clock.now() + timedelta(days=3)
    assert api(operator).post(f"{path}/dismiss", {"reason": " "}).status_code == 400
    assert api(operator).post(f"{path}/dismiss", {"reason": "later", "until": until.isoformat()}).json()["status"] == "dismissed"
    assert api(operator).post(f"{path}/dismiss", {"reason": "later"}).json()["code"] == "recommendation_not_open"
    assert api(operator).post(f"{path}/restore").json()["status"] == "open"
    assert api(operator).post(f"{path}/restore").status_code == 409
    Recommendation.objects.update(status="dismissed", dismissed_until=clock.now(), dismissed_amount=found.amount)
    services.judge(account=account)
    assert Recommendation.objects.get().status == "open"


def test_many_are_dismissed_at_once_and_a_viewer_dismisses_none(operator: User, viewer: User, db: None) -> None:
    account = known()
    for number in range(3):
        volume(account, number)
    services.judge(account=account)
    chosen = list(Recommendation.objects.values_list("pk", flat=True))[:2]
    assert browser(viewer).post("/recommendations/dismiss", {"target": chosen, "reason": "x"}).status_code == 403
    browser(operator).post("/recommendations/dismiss", {"target": chosen, "reason": "x"})
    assert Recommendation.objects.filter(status="dismissed").count() == 2
    assert AuditEvent.objects.filter(action="recommendation.dismissed").count() == 2


def test_totals_never_mix_currencies_and_pages_follow_each_other(viewer: User, api: Api, db: None) -> None:
    account = known()
    for number in range(120):
        volume(account, number, size=10 + number)
    services.judge(account=account)
    Recommendation.objects.filter(name="data-0").update(currency="CNY", amount=Decimal("7.000000000001"))
    answer = api(viewer).get("/api/costs/recommendations?page_size=2").json()
    assert answer["count"] == 120
    sums = {one["currency"]: Decimal(one["amount"]) for one in answer["totals"]}
    assert sums == {"USD": sum(Decimal("0.08") * (10 + number) for number in range(1, 120)), "CNY": Decimal("7.000000000001")}
    assert [row["name"] for row in answer["results"]] == ["data-119", "data-118"]
    client, names = browser(viewer), list[str]()
    address = ""
    for _ in range(3):
        response = client.get(f"/recommendations{address}")
        names += [row.name for row in response.context["rows"]]
        address = response.context["older"]
    assert names == [f"data-{number}" for number in range(119, -1, -1)]
    assert address == ""
    back = client.get(f"/recommendations{response.context['newer']}")
    assert [row.name for row in back.context["rows"]] == names[50:100]
    exported: Any = client.get("/recommendations/export.csv")
    lines = b"".join(exported.streaming_content).decode().splitlines()
    assert len(lines) == 121


@pytest.mark.parametrize("path", ["/recommendations", "/api/costs/recommendations"])
def test_more_rows_take_no_more_queries(path: str, admin: User, api: Api) -> None:
    account, taken = known(), []
    for start, stop in ((0, 2), (2, 40)):
        for number in range(start, stop):
            volume(account, number)
        services.judge(account=account)
        client = api(admin) if path.startswith("/api") else browser(admin)
        client.get(path)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(path)
        taken.append(len(queries))
    assert taken[0] == taken[1]


@pytest.mark.parametrize("count", [1, 3, 9])
def test_the_overviews_card_has_the_totals_of_the_list(admin: User, count: int) -> None:
    account, now = known(), clock.now()
    told = [("USD", "3.5"), ("USD", None), ("EUR", "0.000000000001"), ("USD", "7"), ("GBP", None), ("EUR", "2"), ("USD", "1.1")]
    Recommendation.objects.bulk_create(
        Recommendation(
            account=account,
            resource_id=f"vol-{number}",
            currency=currency,
            amount=None if amount is None else Decimal(amount),
            rank=number,
            status="open",
            first_seen_at=now,
            last_seen_at=now,
            observed_at=now,
        )
        for number, (currency, amount) in enumerate(told)
    )
    rows = selectors.found(admin, selectors.Question([account]))
    with CaptureQueriesContext(connection) as queries:
        assert selectors.top(admin, [account], count) == (selectors.totals(rows), list(rows[:count]))
    assert len(queries) == 3  # the card's, and the two that it is compared with


def test_judging_more_takes_no_more_queries(db: None) -> None:
    account, taken = known(), []
    for start, stop in ((0, 2), (2, 40)):
        for number in range(start, stop):
            volume(account, number)
        services.judge(account=account)
        with CaptureQueriesContext(connection) as queries:
            services.judge(account=account)
        taken.append(len(queries))
    assert taken[0] == taken[1]


def test_a_stranger_sees_none_and_what_could_not_be_looked_at_names_the_actions(viewer: User, stranger: User, db: None) -> None:
    account = known()
    volume(account, 1)
    services.judge(account=account)
    answered(account, Service.LOGS, "failed")
    page = browser(viewer).get("/recommendations").content.decode()
    assert "logs:DescribeLogGroups" in page
    assert "Not permitted" in page
    assert "data-1" not in browser(stranger).get("/recommendations").content.decode()
    assert browser(stranger).get(f"/recommendations/{Recommendation.objects.get().pk}").status_code == 404
