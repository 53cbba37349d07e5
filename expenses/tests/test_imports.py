"""A file on its way to the expenses and back: verdicts, decisions, the commit, and taking it back."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine

from accounts.models import User
from audit.models import AuditEvent
from cloudconsole.core import clock
from expenses.models import BatchStatus, Expense, ImportBatch, ImportMapping, ImportPiece, ImportRow, Outcome
from expenses.rules.importing.headers import Field
from expenses.rules.importing.readings import Incoming, Reading
from expenses.rules.importing.verdicts import Decision, Verdict
from expenses.rules.statuses import MemberRole
from expenses.selectors import imports
from expenses.services import approvals, expenses, retention, workspaces
from expenses.services.importing import batches, leases, runs
from expenses.services.inputs import ExpenseInput
from expenses.tests import books
from expenses.tests.sending import (
    coffees,
    committed,
    csv_of,
    imported,
    received,
    said,
    staged,
    taken_back,
    verdicts_of,
    worked,
)

COFFEE = ("2026-01-05", "Café", "3.5000")


def enter(by: User, payee: str = "Café", cost: str = "3.50", day: date = date(2026, 1, 5)) -> Expense:
    given = ExpenseInput(date=day, cost=Decimal(cost), currency="EUR", payee=payee)
    return expenses.add(workspace=workspaces.personal(by), given=given, by=by).expense


def test_nothing_touches_expenses_before_the_commit(viewer: User) -> None:
    batch = staged(coffees(2), viewer)
    assert (batch.status, batch.rows_read, batch.counts) == (BatchStatus.READY, 2, {"new": 1, "duplicate_in_file_kept": 1})
    assert said() == []
    assert ImportPiece.objects.exists()
    batch = imported(batch, viewer)
    assert (batch.status, batch.created, batch.done, batch.to_do) == (BatchStatus.COMMITTED, 2, 2, 2)
    assert not ImportPiece.objects.exists()  # nobody needs the file any more
    assert said() == [COFFEE, COFFEE]


def test_the_same_file_twice_adds_nothing_and_two_real_coffees_stay_two(viewer: User) -> None:
    committed(coffees(2), viewer)
    again = committed(coffees(2), viewer)
    assert (again.created, verdicts_of(again)) == (0, ["duplicate_exact"] * 2)
    more = committed(coffees(3), viewer)
    assert (more.created, verdicts_of(more)) == (1, ["duplicate_exact", "duplicate_exact", "duplicate_in_file_kept"])
    assert said() == [COFFEE] * 3


def test_identical_purchases_are_counted_over_chunks(viewer: User) -> None:
    batch = committed(coffees(2_500), viewer)
    assert (batch.created, batch.counts) == (2_500, {"new": 1, "duplicate_in_file_kept": 2_499})
    assert committed(coffees(2_500), viewer).created == 0


def test_the_same_file_in_two_tabs_is_imported_once(viewer: User) -> None:
    first, second = staged(coffees(2), viewer), staged(coffees(2), viewer)
    assert verdicts_of(first) == verdicts_of(second) == ["new", "duplicate_in_file_kept"]
    assert (imported(first, viewer).created, imported(second, viewer).created) == (2, 0)
    assert (second.counts, said()) == ({"duplicate_exact": 2}, [COFFEE, COFFEE])


def test_what_was_entered_by_hand_is_known(viewer: User) -> None:
    enter(viewer)
    batch = staged(csv_of("2026-01-05,CAFÉ,3.50,EUR", "2026-01-07,Cafe Central,3.50,EUR"), viewer)
    assert verdicts_of(batch) == ["duplicate_exact", "new"]


def test_what_is_only_alike_waits_for_a_click(viewer: User) -> None:
    there = enter(viewer, "Café Central")
    batch = staged(csv_of("2026-01-07,CAFE CENTRAL BERLIN,3.50,EUR"), viewer)
    [row] = imports.rows(batch)
    assert (row.verdict, row.match, imports.tally(batch)) == (Verdict.NEAR, there.pk, imports.Tally(0, 0, 1))
    assert imported(batch, viewer).created == 0
    batch = staged(csv_of("2026-01-07,CAFE CENTRAL BERLIN,3.50,EUR"), viewer)
    batches.decide(batch=batch, decision=Decision.TAKE, by=viewer, numbers=[2])
    assert imports.tally(batch) == imports.Tally(1, 0, 0)
    assert imported(batch, viewer).created == 1


def test_a_daily_coffee_is_no_near_match_of_yesterday_s_that_the_file_has_as_well(viewer: User) -> None:
    rows = [f"2026-01-{day:02},Café,3.50,EUR" for day in range(1, 11)]
    committed(csv_of(*rows[:5]), viewer)
    for order in (rows, rows[::-1]):
        batch = staged(csv_of(*order), viewer)
        assert batch.counts == {"new": 5, "duplicate_exact": 5}
    assert imported(batch, viewer).created == 5


def test_invalid_rows_say_why_and_stop_nothing(viewer: User) -> None:
    data = csv_of("2026-01-05,Café,3.50,EUR", "yesterday,Café,3.50,EUR", "2026-01-05,Café,3.555,EUR", "2026-01-05,Café,1,XXZ")
    batch = committed(data, viewer)
    rows = list(imports.not_imported(batch))
    assert [(row.number, row.reason) for row in rows] == [
        (3, "“yesterday” is not a day like 2026-01-31."),
        (4, "EUR has no more than 2 decimal places."),
        (5, "“XXZ” is no currency of ISO 4217."),
    ]
    assert (batch.created, batch.counts) == (1, {"new": 1, "invalid": 3})


def test_money_that_came_in_is_left_out_unless_wanted(viewer: User) -> None:
    data = csv_of("2026-01-05,Shop,-30.00,EUR", "2026-01-06,Shop,-20.00,EUR", "2026-01-07,Employer,1000.00,EUR")
    assert (committed(data, viewer).created, said()) == (
        2,
        [("2026-01-05", "Shop", "30.0000"), ("2026-01-06", "Shop", "20.0000")],
    )
    batch = staged(data, viewer)
    assert verdicts_of(batch) == ["duplicate_exact", "duplicate_exact", "skipped_by_user"]
    assert committed(data, viewer, incoming=Incoming.REFUND).created == 1
    assert said()[-1] == ("2026-01-07", "Employer", "-1000.0000")


WITH_IDS = "Date,Payee,Amount,Currency,Transaction ID\n"


def test_an_id_at_the_source_finds_what_changed_there_and_asks(viewer: User) -> None:
    committed(csv_of("2026-01-05,Hotel,100.00,EUR,T1", "2026-01-05,Hotel,100.00,EUR,T2", header=WITH_IDS), viewer)
    batch = staged(csv_of("2026-01-06,Hotel,110.00,EUR,T1", "2026-01-05,Hotel,100.00,EUR,T2", header=WITH_IDS), viewer)
    row = imports.rows(batch).get(verdict=Verdict.CHANGED)
    assert row.diff == {"date": ["2026-01-05", "2026-01-06"], "cost": ["100.00", "110.00"]}
    assert (imported(batch, viewer).updated, said()[0][2]) == (0, "100.0000")
    batch = staged(csv_of("2026-01-06,Hotel,110.00,EUR,T1", header=WITH_IDS), viewer)
    batches.decide(batch=batch, decision=Decision.TAKE, by=viewer, verdict=Verdict.CHANGED)
    batch = imported(batch, viewer)
    assert (batch.created, batch.updated) == (0, 1)
    assert said() == [("2026-01-05", "Hotel", "100.0000"), ("2026-01-06", "Hotel", "110.0000")]
    batch = taken_back(batch, viewer)
    assert said() == [("2026-01-05", "Hotel", "100.0000"), ("2026-01-05", "Hotel", "100.0000")]
    assert Expense.objects.count() == 2


def test_a_file_changes_nothing_that_its_sender_may_not_change(viewer: User, stranger: User) -> None:
    before = csv_of("2026-01-05,Hotel,100.00,EUR,T1", "2026-01-05,Hotel,100.00,EUR,T2", header=WITH_IDS)
    after = csv_of("2026-01-05,Hotel,900.00,EUR,T1", "2026-01-05,Hotel,900.00,EUR,T2", header=WITH_IDS)
    place = books.shared(viewer, (stranger, MemberRole.CONTRIBUTOR), needs_approval=True)
    committed(before, stranger, into=place)
    approved = Expense.objects.get(external_id="T1")
    approvals.submit(expense=approved, by=stranger)
    approvals.approve(expense=approved, by=viewer)
    batch = staged(after, stranger, into=place)
    batches.decide(batch=batch, decision=Decision.TAKE, by=stranger, verdict=Verdict.CHANGED)
    batch = imported(batch, stranger)
    assert (batch.updated, batch.counts) == (1, {"invalid": 1, "changed": 1})
    assert [one.cost for one in Expense.objects.order_by("external_id")] == [100, 900]
    assert "handed in" in imports.rows(batch).get(verdict=Verdict.INVALID).reason

    other = books.shared(viewer, (stranger, MemberRole.CONTRIBUTOR), name="Other")
    committed(before, viewer, into=other)
    batch = staged(after, stranger, into=other)
    batches.decide(batch=batch, decision=Decision.TAKE, by=stranger, verdict=Verdict.CHANGED)
    assert imported(batch, stranger).updated == 0
    assert {one.cost for one in Expense.objects.filter(workspace=other)} == {100}


def test_a_file_that_is_too_large_leaves_nothing(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "MOST_BYTES", 50)
    with pytest.raises(batches.FileTooLarge):
        received(coffees(10), viewer)
    assert (ImportBatch.objects.count(), ImportPiece.objects.count()) == (0, 0)


def test_a_file_of_somebody_who_left_the_workspace_adds_nothing(viewer: User, stranger: User) -> None:
    place = books.shared(viewer, (stranger, MemberRole.CONTRIBUTOR))
    batch = staged(csv_of("2026-01-05,Hotel,100.00,EUR,T1", header=WITH_IDS), stranger, into=place)
    workspaces.remove_member(workspace=place, user=stranger, by=viewer)
    batch = imported(batch, stranger)
    assert (batch.created, batch.counts) == (0, {"invalid": 1})
    assert "any more" in imports.rows(batch).get().reason
    assert not Expense.objects.filter(workspace=place).exists()


def test_a_file_that_nobody_decided_about_is_not_kept(viewer: User) -> None:
    lying = staged(csv_of("2026-01-05,Hotel,100.00,EUR"), viewer)
    kept = committed(csv_of("2026-01-06,Bus,3.00,EUR"), viewer)
    retention.forget()
    assert imports.rows(lying).count() == 1
    ImportBatch.objects.update(created_at=clock.now() - timedelta(days=31))
    retention.forget()
    lying.refresh_from_db()
    kept.refresh_from_db()
    assert (lying.status, kept.status) == (BatchStatus.DISCARDED, BatchStatus.COMMITTED)
    assert not lying.pieces.exists()
    assert not imports.rows(lying).exists()


def test_an_edit_by_hand_is_neither_overwritten_nor_called_a_change(viewer: User) -> None:
    data = csv_of("2026-01-05,AMZN MKTP 0815,100.00,EUR,T1", header=WITH_IDS)
    committed(data, viewer)
    expense = Expense.objects.get()
    given = ExpenseInput(date=expense.date, cost=Decimal(100), currency="EUR", payee="Amazon", external_id="T1")
    expenses.change(expense=expense, given=given, by=viewer)
    again = committed(data, viewer)
    assert (verdicts_of(again), said()) == (["duplicate_exact"], [("2026-01-05", "Amazon", "100.0000")])


def test_taking_back_removes_what_the_import_made_and_nothing_else(viewer: User) -> None:
    mine = enter(viewer)
    batch = committed(coffees(3), viewer)
    assert (batch.created, len(said())) == (2, 3)
    batch = taken_back(batch, viewer)
    assert (batch.status, batch.kept, list(Expense.objects.kept())) == (BatchStatus.ROLLED_BACK, 0, [mine])
    assert committed(coffees(3), viewer).created == 2  # and the way is free again


def test_what_was_edited_since_is_listed_and_stays_unless_told_otherwise(viewer: User) -> None:
    batch = committed(csv_of("2026-01-05,Café,3.50,EUR", "2026-01-06,Hotel,90.00,EUR"), viewer)
    hotel = Expense.objects.get(payee="Hotel")
    expenses.change(
        expense=hotel, given=ExpenseInput(date=hotel.date, cost=Decimal(95), currency="EUR", payee="Hotel"), by=viewer
    )
    assert list(imports.conflicts(batch)) == [hotel]
    batch = taken_back(batch, viewer)
    assert (batch.kept, said()) == (1, [("2026-01-06", "Hotel", "95.0000")])
    batch = taken_back(batch, viewer, takes_edited=True)
    assert (batch.kept, said()) == (0, [])
    with pytest.raises(batches.NotNow):
        batches.roll_back(batch=batch, by=viewer)


def test_what_somebody_deleted_meanwhile_is_no_obstacle(viewer: User) -> None:
    batch = committed(coffees(2), viewer)
    first = Expense.objects.first()
    assert first is not None
    expenses.delete(expense=first, by=viewer)
    assert taken_back(batch, viewer).kept == 0
    assert said() == []


def test_a_mapping_is_kept_and_found_by_the_titles_of_the_columns(viewer: User) -> None:
    header = "When was it,Who,How much\n"
    batch = received(csv_of("05/01/2026,Café,3.50", header=header), viewer)
    reading = Reading.of_json(batch.reading)
    assert not batch.is_known
    told = Reading.of_json(
        {**reading.as_json(), "columns": {"date": "When was it", "payee": "Who", "amount": "How much"}, "currency": "CHF"}
    )
    batches.stage(batch=batch, reading=told, source="My bank", by=viewer)
    later = received(csv_of("06/01/2026,Café,3.50", header=header), viewer, name="other.csv")
    assert (later.is_known, later.source, later.meaning) == (True, "My bank", told)
    batches.forget(mapping=ImportMapping.objects.get(), by=viewer)
    assert not received(csv_of("06/01/2026,Café,3.50", header=header), viewer).is_known


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"columns": {}}, "the column of the date"),
        ({"columns": {"date": "Date", "amount": "Amount"}, "currency": ""}, "the currency"),
        ({"columns": {"date": "Date", "amount": "Nowhere"}}, "no column"),
        ({"columns": {"date": "Date", "amount": "Date"}}, "one thing"),
        ({"currency": "BTC", "columns": {"date": "Date", "amount": "Amount"}}, "ISO 4217"),
    ],
)
def test_a_mapping_that_says_too_little_is_refused(viewer: User, told: dict[str, object], why: str) -> None:
    batch = received(coffees(1), viewer)
    reading = Reading.of_json({**batch.reading, **told})
    with pytest.raises(batches.MappingIncomplete, match=why):
        batches.stage(batch=batch, reading=reading, source="", by=viewer)


def test_a_mapping_can_be_put_right_and_the_rows_are_judged_anew(viewer: User) -> None:
    batch = staged(csv_of("05/01/2026,Café,3.50,EUR"), viewer, dates="mdy")
    assert ImportRow.objects.get().parsed["date"] == "2026-05-01"
    batch = batches.remap(batch=batch, by=viewer)
    assert (batch.status, ImportRow.objects.count()) == (BatchStatus.MAPPING, 0)
    batches.stage(batch=batch, reading=Reading.of_json({**batch.reading, "dates": "dmy"}), source="", by=viewer)
    worked(batch)
    assert ImportRow.objects.get().parsed["date"] == "2026-01-05"


def test_a_file_that_breaks_off_in_the_middle_says_where_and_keeps_nothing_from_its_owner(viewer: User) -> None:
    data = csv_of(*["2026-01-05,Café,3.50,EUR"] * 1_500) + b'2026-01-05,"Caf' + b"x" * 200_000
    batch = staged(data, viewer)
    assert (batch.status, batch.rows_read) == (BatchStatus.FAILED, 1_000)
    assert "Line 1502" in batch.error_detail
    batches.discard(batch=batch, by=viewer)
    assert (ImportRow.objects.count(), ImportPiece.objects.count()) == (0, 0)


def test_decisions_leave_rows_out(viewer: User) -> None:
    batch = staged(csv_of("2026-01-05,Café,3.50,EUR", "2026-01-06,Hotel,90.00,EUR"), viewer)
    assert batches.decide(batch=batch, decision=Decision.LEAVE, by=viewer, numbers=[3]) == 1
    assert imports.tally(batch) == imports.Tally(1, 0, 0)
    batch = imported(batch, viewer)
    assert (batch.created, said()) == (1, [COFFEE])
    assert [row.number for row in imports.not_imported(batch)] == [3]


def test_a_duplicate_can_be_taken_but_not_one_with_the_same_id(viewer: User) -> None:
    committed(coffees(1), viewer)
    batch = staged(coffees(1), viewer)
    assert batches.decide(batch=batch, decision=Decision.TAKE, by=viewer, numbers=[2]) == 1
    assert imported(batch, viewer).created == 1
    data = csv_of("2026-01-05,Hotel,100.00,EUR,T1", header=WITH_IDS)
    committed(data, viewer)
    batch = staged(data, viewer)
    assert batches.decide(batch=batch, decision=Decision.TAKE, by=viewer, numbers=[2]) == 0
    assert imported(batch, viewer).created == 0


def test_a_row_becomes_one_expense_at_most(viewer: User) -> None:
    batch = committed(coffees(2), viewer)
    ImportBatch.objects.filter(pk=batch.pk).update(status=BatchStatus.COMMITTING, done_through=0, done=0, created=0)
    with pytest.raises(Exception, match=r"UNIQUE|unique"):
        runs.run(batch_id=batch.pk)
    assert Expense.objects.count() == 2


def test_an_abandoned_import_goes_on_behind_the_last_stored_chunk(viewer: User) -> None:
    batch = staged(coffees(2_500), viewer)
    batches.commit(batch=batch, by=viewer)
    lease = leases.claim(batch.pk)
    assert lease is not None
    assert leases.claim(batch.pk) is None  # nobody else may go on while it holds
    with time_machine.travel(clock.now() + leases.LEASE + timedelta(seconds=1)):
        assert worked(batch).created == 2_500
    with pytest.raises(leases.LeaseLost):
        lease.renew(done=1)
    assert (batch.attempts, ImportRow.objects.filter(outcome=Outcome.CREATED).count()) == (0, 2_500)


def test_an_upload_that_broke_off_goes_away(viewer: User) -> None:
    with time_machine.travel(clock.now() - runs.ARRIVES_WITHIN - timedelta(hours=1)):
        ImportBatch.objects.create(workspace=workspaces.personal(viewer), owner=viewer, owner_name="v", name="lost.csv")
    runs.tick()
    assert not ImportBatch.objects.exists()


def test_what_happened_is_in_the_trail_without_amounts(viewer: User) -> None:
    taken_back(committed(coffees(2), viewer), viewer)
    told = [event for event in AuditEvent.objects.order_by("pk") if event.action.startswith("expense_import")]
    assert [event.action.removeprefix("expense_import.") for event in told] == [
        "received",
        "accepted",
        "committed",
        "rollback_requested",
        "rolled_back",
    ]
    assert not any("3.5" in str(event.detail) for event in told)


def test_every_field_of_a_file_reaches_the_expense(viewer: User) -> None:
    header = "Date,Category,SubCategory,Description,Cost,Currency,PaymentMethod,Location,Tags,Notes\n"
    batch = committed(csv_of('2026-01-05,Food,Coffee,Latte,3.50,EUR,Visa,Berlin,"team, lunch",Nice', header=header), viewer)
    one = Expense.objects.select_related("category__parent", "payment_method").get()
    assert (str(one.category), str(one.payment_method), one.location, one.tags, one.notes, one.source) == (
        "Food › Coffee",
        "Visa",
        "Berlin",
        ["lunch", "team"],
        "Nice",
        "bank",
    )
    assert batch.meaning.columns[Field.PAYMENT_METHOD] == "PaymentMethod"
