"""Exports in a bucket: found by the tick, read when they are new or changed, equal to the simulated ledger to the last digit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.checks import run_checks
from rest_framework.test import APIClient

from accounts.models import User
from cloudconsole.aws.cost_explorer import Metric
from cloudconsole.core.money import total
from cloudconsole.simulator import cost_tags, ledger
from cloudconsole.simulator.ledger import Ledger, usd
from cloudconsole.simulator.organization import MANAGEMENT
from cloudconsole.simulator.process import SimulatorHandle
from costs.models import BillingBucket, CostExplorerRequest, CostImport, CostSource, Engine, ImportStatus, Owner, SourceTag
from costs.rules.cubes import Dimension
from costs.rules.tags import EMPTY, UNTAGGED
from costs.rules.windows import DayRange
from costs.selectors import costs
from costs.selectors.questions import Granularity, Question
from costs.services import tags
from costs.services.billing import buckets, runs, ticks
from costs.services.billing.buckets import NewBucket
from costs.tests.conftest import NOW, TODAY

OCTOBER, NOVEMBER = (date(2026, 10, 1), date(2026, 11, 1)), (date(2026, 11, 1), date(2026, 12, 1))


def added(payer: CostSource, admin: User, export: str, month: str, **more: object) -> BillingBucket:
    """Narrowed to one billing period of the export."""
    prefix = f"exports/{export}/metadata/BILLING_PERIOD={month}"
    new = NewBucket(payer.account, "example-org-data-exports", "us-east-1", prefix, **more)  # type: ignore[arg-type]
    return buckets.add(new=new, by=admin)


def look_and_work() -> None:
    """What the scheduler's ring and the workers do."""
    ticks.tick()
    while waiting := list(CostImport.objects.filter(status__in=["received", "accepted"])):
        for row in waiting:
            runs.run(import_id=row.pk)


def of_ledger(metric: str, start: date, end: date, as_of: datetime) -> object:
    bill = Ledger(seed=1, origin=TODAY)
    days = (start + timedelta(days=number) for number in range((min(end, as_of.date() + timedelta(days=1)) - start).days))
    return total(usd(getattr(bill.sums([day], as_of, (), MANAGEMENT)[()], metric)) for day in days if bill.shown(day, as_of))


def asked(admin: User, metric: Metric, start: date, end: date) -> object:
    return costs.answer(admin, Question(DayRange(start, end), Granularity.WHOLE, (), metric)).total


@pytest.mark.parametrize("export", ["cur2", "focus12"])
def test_an_export_becomes_the_ledgers_costs_to_the_last_digit(
    aws: SimulatorHandle, payer: CostSource, admin: User, export: str
) -> None:
    added(payer, admin, export, "2026-10")
    look_and_work()
    row = CostImport.objects.get()
    assert row.status == ImportStatus.COMMITTED, row.error_detail
    midnight = datetime.combine(TODAY, datetime.min.time(), UTC)
    assert asked(admin, Metric.UNBLENDED, *OCTOBER) == of_ledger("unblended", *OCTOBER, midnight)
    assert asked(admin, Metric.AMORTIZED, *OCTOBER) == of_ledger("amortized", *OCTOBER, midnight)
    assert not CostExplorerRequest.objects.exists()


def test_only_what_changed_is_read_again(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    added(payer, admin, "focus12", "2026-11")
    look_and_work()
    first = CostImport.objects.get()
    with time_machine.travel(NOW + buckets.EVERY, tick=True):
        look_and_work()
    assert CostImport.objects.count() == 1
    tomorrow = TODAY + timedelta(days=1)
    aws.set_today(tomorrow)
    with time_machine.travel(datetime.combine(tomorrow, datetime.min.time(), UTC) + timedelta(hours=12), tick=True):
        look_and_work()
        second = CostImport.objects.get(pk__gt=first.pk)
        assert (first.periods.get().owner, second.periods.get().owner) == (Owner.NEWER_FILE, Owner.FILE)
        midnight = datetime.combine(tomorrow, datetime.min.time(), UTC)
        assert asked(admin, Metric.UNBLENDED, *NOVEMBER) == of_ledger("unblended", *NOVEMBER, midnight)


def test_what_keeps_a_bucket_from_being_read_is_told(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    empty = buckets.add(new=NewBucket(payer.account, "example-org-cloudtrail", "us-east-1"), by=admin)
    gone = buckets.add(new=NewBucket(payer.account, "no-such-bucket-anywhere", "us-east-1"), by=admin)
    look_and_work()
    empty.refresh_from_db()
    gone.refresh_from_db()
    assert (empty.error_code, gone.error_code) == ("no_manifest", "aws_not_found")
    assert not CostImport.objects.exists()


def test_a_bucket_may_wait_for_a_decision(aws: SimulatorHandle, payer: CostSource, admin: User) -> None:
    added(payer, admin, "focus12", "2026-10", by_itself=False, engine=Engine.DUCKDB)
    look_and_work()
    assert {row.status for row in CostImport.objects.all()} == {ImportStatus.READY.value}


@pytest.mark.parametrize("export", ["cur2", "focus12"])
def test_athena_answers_the_same_question_over_the_bucket(
    aws: SimulatorHandle, payer: CostSource, admin: User, export: str
) -> None:
    added(payer, admin, export, "2026-10", engine=Engine.ATHENA, database="billing", table=export)
    look_and_work()
    row = CostImport.objects.get()
    assert (row.status, row.faulty, row.query_id) == (ImportStatus.COMMITTED, 0, ""), row.error_detail
    assert row.scanned
    midnight = datetime.combine(TODAY, datetime.min.time(), UTC)
    assert asked(admin, Metric.UNBLENDED, *OCTOBER) == of_ledger("unblended", *OCTOBER, midnight)
    assert asked(admin, Metric.AMORTIZED, *OCTOBER) == of_ledger("amortized", *OCTOBER, midnight)
    assert not [call for call in aws.calls() if call.operation == "GetObject"]


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        ({"workgroup": "tiny-scans"}, "athena_query_failed", "Bytes scanned limit"),
        ({"workgroup": "none-of-this-name"}, "aws_invalid_request", ""),
        ({"table": "no_such_table"}, "aws_not_found", ""),
    ],
)
def test_what_athena_refuses_stores_nothing_and_says_why(
    aws: SimulatorHandle, payer: CostSource, admin: User, more: dict[str, str], code: str, words: str
) -> None:
    wish = {"database": "billing", "table": "focus12", **more}
    added(payer, admin, "focus12", "2026-10", engine=Engine.ATHENA, **wish)
    look_and_work()
    row = CostImport.objects.get()
    assert row.status == ImportStatus.FAILED
    assert words in row.error_detail
    assert row.error_code == code


def test_a_bucket_that_names_no_engine_goes_by_the_installations(
    aws: SimulatorHandle, payer: CostSource, admin: User, settings: Any
) -> None:
    settings.COST_ENGINE = "athena"
    default = added(payer, admin, "focus12", "2026-10", database="billing", table="focus12")
    own = added(payer, admin, "cur2", "2026-10", engine=Engine.DUCKDB)
    assert (default.engine_in_use, own.engine_in_use) == (Engine.ATHENA, Engine.DUCKDB)
    look_and_work()
    scanned = {row.bucket_id: row.scanned for row in CostImport.objects.all()}
    assert scanned[default.pk]
    assert scanned[own.pk] is None


def test_athena_without_a_table_is_said_by_a_check_at_adding_and_at_reading(
    aws: SimulatorHandle, payer: CostSource, admin: User, settings: Any, api: Callable[[User | None], APIClient]
) -> None:
    bucket = added(payer, admin, "focus12", "2026-10")
    assert "cloudconsole.W008" not in _complaints()
    settings.COST_ENGINE = "athena"
    assert str(bucket) in _complaints()["cloudconsole.W008"]
    body = {"account": "management", "bucket": "another-bucket", "region": "us-east-1"}
    refused = api(admin).post("/api/costs/billing-buckets", body)
    assert (refused.status_code, "database" in str(refused.json())) == (400, True)
    made = api(admin).post("/api/costs/billing-buckets", {**body, "engine": "duckdb"}).json()
    assert (made["engine"], made["engine_in_use"]) == ("duckdb", "duckdb")
    look_and_work()
    row = CostImport.objects.get(bucket=bucket)
    assert (row.status, row.error_code) == (ImportStatus.FAILED, "athena_query_failed")
    assert "COST_ENGINE" in row.error_detail


def _complaints() -> dict[str, str]:
    return {str(one.id): str(one.msg) for one in run_checks(tags=["keys"], databases=["default"])}


@pytest.mark.parametrize("more", [{}, {"engine": Engine.ATHENA, "database": "billing", "table": "cur2"}])
def test_tags_of_an_export_are_the_ledgers(aws: SimulatorHandle, payer: CostSource, admin: User, more: dict[str, Any]) -> None:
    SourceTag.objects.create(source=payer, tag=tags.key_called("team"), is_chosen=True, chosen_at=NOW)
    added(payer, admin, "cur2", "2026-10", **more)
    look_and_work()
    assert CostImport.objects.get().tag_keys == ["cost_center", "environment", "project", "team"]
    answer = costs.answer(admin, Question(DayRange(*OCTOBER), Granularity.WHOLE, (Dimension.tag("team"),)))
    found = {group.keys[0]: group.amount for group in answer.periods[0].groups}
    midnight = datetime.combine(TODAY, datetime.min.time(), UTC)
    lines, told, view = Ledger(seed=1, origin=TODAY), dict[str, Any](), ledger.view_for(MANAGEMENT, ())
    for number in range(31):
        for line in ledger.visible_to(lines.shown(OCTOBER[0] + timedelta(days=number), midnight), MANAGEMENT, view):
            value = cost_tags.value_of(line, "team")
            name = UNTAGGED if value is None else value or EMPTY
            told[name] = told.get(name, 0) + usd(line.costs.unblended)
    assert found == told
    assert not CostExplorerRequest.objects.exists()
