"""A member beside its payer, whose own fetch broke off early: nothing may be counted twice."""

from __future__ import annotations

from datetime import date

import pytest

from accounts.models import User
from cloudconsole.simulator.organization import MANAGEMENT, PRODUCTION
from costs.models import BillingScope, CostSource, SourceStatus
from costs.rules.cubes import Cube
from costs.rules.windows import DayRange
from costs.selectors import costs
from costs.selectors.questions import Granularity, Question
from costs.tests import books

OCTOBER = DayRange(date(2026, 10, 1), date(2026, 11, 1))


@pytest.fixture
def member(db: None) -> CostSource:
    """An account with a whole history of its own; Organizations told who pays for it."""
    source = books.source(PRODUCTION, "production", BillingScope.MEMBER)
    CostSource.objects.filter(pk=source.pk).update(payer_number=MANAGEMENT)
    books.fill(source, OCTOBER)
    return source


@pytest.fixture
def payer(db: None) -> CostSource:
    """Its payer, whose fetch broke off: there are control totals, and no word of whose costs they are."""
    source = books.source(MANAGEMENT, "management")
    CostSource.objects.filter(pk=source.pk).update(backfilled_from=None, payer_number=MANAGEMENT, status=SourceStatus.DENIED)
    books.store(source, Cube.TOTAL, books.ledger_answer(Cube.TOTAL, OCTOBER, MANAGEMENT))
    return source


def test_a_bill_that_names_no_account_yet_does_not_count_its_members_again(
    member: CostSource, payer: CostSource, admin: User
) -> None:
    told = books.ledger_answer(Cube.TOTAL, OCTOBER, PRODUCTION)
    of_the_member = costs.add(day.total.unblended for day in told.days if day.total)
    assert costs.answer(admin, Question(OCTOBER, Granularity.WHOLE)).total == of_the_member


def test_once_the_bill_is_told_by_account_the_rest_of_it_counts_too(member: CostSource, payer: CostSource, admin: User) -> None:
    books.fill(payer, OCTOBER)
    own = books.ledger_answer(Cube.ACCOUNT_SERVICE, OCTOBER, PRODUCTION)
    bill = books.ledger_answer(Cube.ACCOUNT_SERVICE, OCTOBER, MANAGEMENT)
    rest = [sums for day in bill.days for keys, sums in day.groups.items() if keys[0] != PRODUCTION]
    alone = [sums for day in own.days for sums in day.groups.values()]
    expected = costs.add(sums.unblended for sums in [*rest, *alone])
    assert costs.answer(admin, Question(OCTOBER, Granularity.WHOLE)).total == expected


def test_an_account_that_was_just_connected_is_found_in_its_payers_bill(payer: CostSource, admin: User) -> None:
    books.fill(payer, OCTOBER)
    CostSource.objects.filter(pk=payer.pk).update(backfilled_from=OCTOBER.start, status=SourceStatus.OK)
    fresh = books.source(PRODUCTION, "production", BillingScope.MEMBER)
    CostSource.objects.filter(pk=fresh.pk).update(backfilled_from=None, payer_number=MANAGEMENT, status=SourceStatus.PENDING)
    bill = books.ledger_answer(Cube.ACCOUNT_SERVICE, OCTOBER, MANAGEMENT)
    part = [sums.unblended for day in bill.days for keys, sums in day.groups.items() if keys[0] == PRODUCTION]
    narrowed = costs.answer(admin, Question(OCTOBER, Granularity.WHOLE), accounts=["production"])
    assert narrowed.total == costs.add(part) != 0
