"""Billing files: what is read, what is refused and why, what the figures become, and how they are taken back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import time_machine

from accounts.models import Grant, User
from cloudconsole.aws.cost_explorer import Amounts, CostAnswer, Metric
from cloudconsole.core.permissions import Role
from costs.models import BillingScope, CostFact, CostImport, ImportedPeriod, ImportRejection, ImportStatus, Owner
from costs.rules.charge_types import ChargeType
from costs.rules.cubes import Cube, Dimension
from costs.rules.windows import DayRange
from costs.selectors import costs
from costs.selectors import imports as selectors
from costs.selectors.questions import Answer, Granularity, Question
from costs.services import rollups
from costs.services.billing import engine, imports, leases, runs
from costs.services.billing.imports import ForeignAccount, NotNow
from costs.tests import bills, books

OCTOBER = DayRange(date(2026, 10, 1), date(2026, 11, 1))


@pytest.fixture(autouse=True)
def _midday(db: None) -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


@pytest.fixture
def admin() -> User:
    return User.objects.create_user("alice", "alice@example.com", "correct horse battery", role=Role.ADMIN)


def ask(user: User, *group_by: Dimension, metric: Metric = Metric.UNBLENDED, days: DayRange = OCTOBER, **more: object) -> Answer:
    question = Question(days, Granularity.WHOLE, group_by, metric, **more)  # type: ignore[arg-type]
    return costs.answer(user, question)


def _october(a_day: int) -> CostAnswer:
    groups: dict[tuple[str, ...], Amounts] = {(): books.amounts(a_day)}
    return books.answer({date(2026, 10, day): groups for day in range(1, 32)})


def amounts(answer: Answer) -> dict[str, Decimal]:
    return {group.keys[0]: group.amount for group in answer.periods[0].groups}


def test_a_file_of_an_unknown_payer_becomes_the_costs_that_every_question_reads(admin: User) -> None:
    rows = [
        bills.focus_row(),
        bills.focus_row(BilledCost="-0.123456789012", EffectiveCost="-0.123456789012", ChargeCategory="Credit"),
        bills.focus_row(
            SubAccountId=bills.PAYER, ServiceName="Amazon EC2", RegionId="us-east-1", BilledCost="10", EffectiveCost="7"
        ),
    ]
    row = bills.store(bills.text(rows), admin)
    assert (row.status, row.format, row.lines, row.faulty) == (ImportStatus.COMMITTED, "focus-1.2", 3, 0), row.error_detail
    assert ask(admin).total == bills.total(rows)
    assert ask(admin, metric=Metric.AMORTIZED).total == bills.total(rows, "EffectiveCost")
    assert amounts(ask(admin, Dimension.REGION)) == {"us-east-1": Decimal(10), "eu-central-1": Decimal("1.376543210988")}
    assert amounts(ask(admin, Dimension.ACCOUNT)) == {bills.PAYER: Decimal(10), bills.MEMBER: Decimal("1.376543210988")}
    assert ask(admin, Dimension.SERVICE, charge_types=frozenset({ChargeType.CREDIT})).total == Decimal("-0.123456789012")
    assert ask(admin, Dimension.USAGE_TYPE).residual == 0


def test_the_same_file_again_is_the_same_import(admin: User) -> None:
    content = bills.text([bills.focus_row()])
    first = bills.store(content, admin)
    again = imports.receive(name="other-name.csv", file=io.BytesIO(content), by=admin)
    assert (again.created, again.cost_import.pk) == (False, first.pk)
    assert CostImport.objects.count() == 1


def test_a_newer_file_replaces_the_period_whole(admin: User) -> None:
    old = bills.store(bills.text([bills.focus_row(), bills.focus_row(ServiceName="AWS Lambda")]), admin)
    bills.store(bills.text([bills.focus_row(BilledCost="2")]), admin)
    assert ask(admin).total == 2
    assert amounts(ask(admin, Dimension.SERVICE)) == {"Amazon Simple Storage Service": Decimal(2)}
    assert old.periods.get().owner == Owner.NEWER_FILE


def test_dirty_files_of_the_world_are_read(admin: User) -> None:
    rows = [
        bills.focus_row(ChargePeriodStart="2026-10-07 13:00:00", ChargeCategory="usage", Tags='{"a": "b"}', ChargeClass="NULL"),
        bills.focus_row(BillingPeriodStart="2026-10-01 00:00:00", RegionId="NULL", SubAccountId="", ServiceName="null"),
        bills.focus_row(BilledCost="1e-7", EffectiveCost="1E-7", BillingCurrency="usd"),
        # charged in September, billed in October
        bills.focus_row(ChargePeriodStart="2026-09-30T23:00:00Z", BilledCost="5", EffectiveCost="0"),
        bills.focus_row(ChargeCategory="Adjustment", ChargeClass="correction", BilledCost="-3", EffectiveCost="-3"),
    ]
    row = bills.store(bills.text(rows), admin)
    assert (row.status, row.faulty) == (ImportStatus.COMMITTED, 0), row.error_detail
    assert ask(admin).total == bills.total(rows)
    assert amounts(ask(admin, Dimension.RECORD_TYPE))["Refund"] == -3
    assert "NoRegion" in amounts(ask(admin, Dimension.REGION))
    first = costs.answer(admin, Question(DayRange(date(2026, 10, 1), date(2026, 10, 2))))
    assert first.total == 5


def test_faulty_lines_are_told_one_by_one_and_never_guessed(admin: User) -> None:
    good = bills.focus_row()
    rows = [
        good,
        bills.focus_row(BilledCost="twelve"),
        bills.focus_row(ChargePeriodStart="yesterday"),
        bills.focus_row(BillingAccountId="12345"),
        bills.focus_row(BilledCost="1" * 17),
        bills.focus_row(EffectiveCost=""),
        bills.focus_row(ChargePeriodStart="2026-10-05T00:00:00+02:00"),
        bills.focus_row(BillingCurrency="dollars", ServiceName="x" * 5000),
        good,
    ]
    content = bills.text(rows) + b"only,three,cells\n" + bills.text([good]).split(b"\n", 1)[1]
    row = bills.send(content, admin)
    assert (row.status, row.lines, row.faulty) == (ImportStatus.READY, 11, 8), row.error_detail
    told = {(one.line, one.column, one.reason) for one in ImportRejection.objects.filter(cost_import=row)}
    assert told >= {
        (2, "BilledCost", "is no number"),
        (3, "ChargePeriodStart", "is no date"),
        (4, "BillingAccountId", "is no AWS account number"),
        (5, "BilledCost", "is larger than is kept"),
        (6, "EffectiveCost", "is empty"),
        (7, "ChargePeriodStart", "is not in UTC"),
        (8, "BillingCurrency", "is no currency of three letters"),
    }
    assert any(line == 10 and "fewer columns" in reason for line, _, reason in told)
    assert row.periods.get().unblended == 3 * Decimal("1.5")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"hello, world\n1,2\n", "names no column"),
        (b"\xff\xfea\x00", "UTF-16"),
        (b"\x1f\x8bnot gzip at all", "damaged"),
        (b"PK\x03\x04broken", "damaged"),
        (b"PAR1 but not really", "damaged"),
        (b"\x00\x01\x02\x03" * 100, "neither"),
        (bills.text([], [name for name in bills.FOCUS if name != "BilledCost"]), "BilledCost"),
        (bills.text([], [f"column {number}" for number in range(10_000)]), "10,000 columns"),
        (b"x" * (2 << 20), "no end"),
        (bills.text([]), "no lines"),
    ],
)
def test_what_is_no_billing_file_is_refused_in_plain_words(admin: User, content: bytes, words: str) -> None:
    row = bills.send(content, admin)
    assert row.status == ImportStatus.FAILED
    assert words in row.error_detail
    assert "/" not in row.error_detail.replace("UTF-8", "")


def test_an_empty_file_is_refused_at_once(admin: User) -> None:
    with pytest.raises(imports.EmptyFile):
        bills.send(b"", admin)
    assert not CostImport.objects.exists()


def test_packed_files_are_told_by_their_bytes_and_not_by_their_names(admin: User) -> None:
    content = bills.text([bills.focus_row()])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("../../etc/part-1.csv", content)
        file.writestr("part-2.csv.gz", bills.packed(content))
    row = bills.store(archive.getvalue(), admin, name="report.txt")
    assert (row.status, row.lines) == (ImportStatus.COMMITTED, 2), row.error_detail


def test_a_bomb_ends_before_it_fills_the_disk(admin: User, settings: object) -> None:
    settings.COST_IMPORT_MAX_GB = 0  # type: ignore[attr-defined]
    row = bills.send(bills.packed(b"\x00" * (8 << 20)), admin)
    assert (row.status, row.error_code) == (ImportStatus.FAILED, "file_too_large")


def test_a_small_file_of_endless_rows_is_given_up(
    admin: User, settings: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_LOOK_EVERY_S", 0.05)  # these rows are not endless
    path, row = tmp_path / "endless.parquet", bills.focus_row()
    values = ", ".join(f"'{value}' AS \"{name}\"" for name, value in row.items())
    duckdb.sql(f"COPY (SELECT {values} FROM range(4_000_000)) TO '{path}' (FORMAT parquet, ROW_GROUP_SIZE 1_000_000)")  # noqa: S608 - our own
    settings.COST_IMPORT_MAX_MINUTES = 0  # type: ignore[attr-defined]
    import_ = bills.send(path.read_bytes(), admin)
    assert path.stat().st_size < 1 << 20
    assert (import_.status, import_.error_code) == (ImportStatus.FAILED, "import_too_long")


def test_hostile_text_stays_text(admin: User) -> None:
    names = ["=1+1", "'; DROP TABLE charges; --", '"quoted"', "read_csv('/etc/passwd')", "a\x00b", "ü\U0001f4b8"]
    rows = [bills.focus_row(ServiceName=name) for name in names]
    row = bills.store(bills.text(rows), admin)
    assert row.status == ImportStatus.COMMITTED, row.error_detail
    assert set(amounts(ask(admin, Dimension.SERVICE))) == {name.replace("\x00", "") for name in names}


def test_a_cost_and_usage_report_is_amortized_by_awss_rules(admin: User) -> None:
    rows = [
        bills.cur_row(),
        bills.cur_row(LineItemType="SavingsPlanCoveredUsage", UnblendedCost="10", SavingsPlanEffectiveCost="7"),
        bills.cur_row(LineItemType="SavingsPlanNegation", UnblendedCost="-10"),
        bills.cur_row(LineItemType="SavingsPlanRecurringFee", UnblendedCost="8", TotalCommitmentToDate="8", UsedCommitment="7"),
        bills.cur_row(LineItemType="DiscountedUsage", UnblendedCost="0", EffectiveCost="3"),
        bills.cur_row(
            LineItemType="RIFee", UnblendedCost="5", UnusedRecurringFee="0.5", UnusedAmortizedUpfrontFeeForBillingPeriod="0.25"
        ),
        bills.cur_row(LineItemType="Fee", UnblendedCost="100", ReservationARN="arn:aws:rds:reserved"),
        bills.cur_row(LineItemType="Tax", UnblendedCost="2"),
        bills.cur_row(LineItemType="Fee", UnblendedCost="30", ProductCode="AWSSupportBusiness"),
    ]
    row = bills.store(bills.text(rows, bills.CUR), admin)
    assert (row.status, row.format) == (ImportStatus.COMMITTED, "cur"), row.error_detail
    assert ask(admin).total == bills.total(rows, "lineItem/UnblendedCost")
    assert ask(admin, metric=Metric.AMORTIZED).total == Decimal("1.5") + 7 + 1 + 3 + Decimal("0.75") + 2 + 30
    assert set(amounts(ask(admin, Dimension.RECORD_TYPE))) == {
        "Usage", "SavingsPlanCoveredUsage", "SavingsPlanNegation", "SavingsPlanRecurringFee", "DiscountedUsage", "Recurring",
        "Upfront", "Tax", "Support",
    }  # fmt: skip


def test_cost_explorer_and_file_never_count_twice_and_the_choice_can_be_taken_back(admin: User) -> None:
    payer = books.source(bills.PAYER, "payer")
    books.store(payer, Cube.TOTAL, _october(4))
    rollups.catch_up()
    assert ask(admin).total == 124
    row = bills.store(bills.text([bills.focus_row(), bills.focus_row(SubAccountId=bills.PAYER)]), admin)
    period = row.periods.get()
    rollups.catch_up()
    assert ask(admin).total == 3
    assert (period.owner, period.source) == (Owner.FILE.value, payer)
    # Cost Explorer's newer answer goes beside, not into the file's month
    books.store(payer, Cube.TOTAL, _october(5))
    rollups.catch_up()
    assert ask(admin).total == 3
    imports.choose(period=period, owner=Owner.COST_EXPLORER, by=admin)
    rollups.catch_up()
    assert ask(admin).total == 155
    period.refresh_from_db()
    imports.choose(period=period, owner=Owner.FILE, by=admin)
    runs.run(import_id=row.pk)
    rollups.catch_up()
    assert ask(admin).total == 3
    row.refresh_from_db()
    imports.roll_back(cost_import=row, by=admin)
    rollups.catch_up()
    assert ask(admin).total == 155
    assert not ImportedPeriod.objects.owning().exists()


def test_a_member_that_counts_by_itself_keeps_one_owner_for_each_month(admin: User) -> None:
    member = books.source(bills.MEMBER, "member", BillingScope.STANDALONE)
    books.store(
        member, Cube.TOTAL, books.answer({date(2026, 9, 30): {(): books.amounts(9)}, date(2026, 10, 1): {(): books.amounts(4)}})
    )
    row = bills.send(bills.text([bills.focus_row(), bills.focus_row(SubAccountId=bills.PAYER, BilledCost="20")]), admin)
    assert {period.number for period in row.periods.all()} == {bills.MEMBER, bills.PAYER}
    kept = row.periods.get(number=bills.MEMBER)
    imports.accept(cost_import=row, by=admin, keep=[kept.pk])
    runs.run(import_id=row.pk)
    assert ask(admin).total == 24
    kept.refresh_from_db()
    imports.choose(period=kept, owner=Owner.FILE, by=admin)
    runs.run(import_id=row.pk)
    assert ask(admin).total == Decimal("21.5")
    assert ask(admin, days=DayRange(date(2026, 9, 1), date(2026, 11, 1))).total == Decimal("30.5")


def test_a_worker_that_died_is_followed_by_another(admin: User) -> None:
    received = imports.receive(name="bill.csv", file=io.BytesIO(bills.text([bills.focus_row()])), by=admin)
    assert leases.claim(received.cost_import.pk) is not None  # and dies
    runs.run(import_id=received.cost_import.pk)
    received.cost_import.refresh_from_db()
    assert received.cost_import.status == ImportStatus.RECEIVED
    with time_machine.travel(books.NOW + 2 * leases.LEASE, tick=False):
        runs.run(import_id=received.cost_import.pk)
    received.cost_import.refresh_from_db()
    assert received.cost_import.status == ImportStatus.READY


def test_a_file_in_two_currencies_for_one_bill_is_refused(admin: User) -> None:
    row = bills.send(bills.text([bills.focus_row(), bills.focus_row(BillingCurrency="EUR")]), admin)
    assert row.status == ImportStatus.FAILED
    assert "EUR and USD" in row.error_detail


def test_only_what_waits_is_stored_and_only_what_is_stored_is_taken_back(admin: User) -> None:
    row = bills.send(bills.text([bills.focus_row()]), admin)
    with pytest.raises(NotNow):
        imports.roll_back(cost_import=row, by=admin)
    imports.discard(cost_import=row, by=admin)
    with pytest.raises(NotNow):
        imports.accept(cost_import=row, by=admin)
    assert not CostFact.objects.exists()


def test_an_operator_brings_files_of_accounts_they_hold_only(admin: User) -> None:
    operator = User.objects.create_user("oscar", "oscar@example.com", "correct horse battery", role=Role.OPERATOR)
    with pytest.raises(ForeignAccount):
        bills.send(bills.text([bills.focus_row()]), operator)  # they hold none
    Grant.objects.create(user=operator, account=books.source("599999999999", "theirs").account, role=Role.OPERATOR)
    row = bills.send(bills.text([bills.focus_row()]), operator)
    with pytest.raises(ForeignAccount):
        imports.accept(cost_import=row, by=operator)


def test_a_file_that_names_a_foreign_account_tells_nothing_of_its_costs(admin: User) -> None:
    foreign = books.source(bills.MEMBER, "foreign", BillingScope.MEMBER)
    books.fill(foreign, DayRange(date(2026, 10, 1), date(2026, 10, 4)))
    operator = User.objects.create_user("oscar", "oscar@example.com", "correct horse battery", role=Role.OPERATOR)
    Grant.objects.create(user=operator, account=books.source("599999999999", "theirs").account, role=Role.OPERATOR)
    row = bills.send(bills.text([bills.focus_row(BillingAccountId=bills.MEMBER)]), operator)
    assert [(one.cost_explorer, one.days) for one in selectors.periods_of(operator, row)] == [(None, 0)]
    assert [one.days for one in selectors.periods_of(admin, row)] == [3]
