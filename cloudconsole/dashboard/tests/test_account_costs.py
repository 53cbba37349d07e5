"""What an account's page says of its costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuthMethod, AwsAccount, Grant, User
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role
from costs.models import BillingScope, CostExplorerRequest, CostMonthSlice, CostSource, SourceStatus
from costs.rules.cubes import Cube
from costs.rules.windows import first_of_month

pytestmark = pytest.mark.django_db


def card(user: User, account: AwsAccount) -> str:
    client = Client()
    client.force_login(user)
    text = client.get(f"/accounts/{account.pk}").content.decode()
    return text[text.index('id="account-costs"') :].split("</section>\n  ")[0]


def make_account(alias: str, number: str, **fields: object) -> AwsAccount:
    given = {"auth_method": AuthMethod.AMBIENT, "status": "ok", "verified_at": clock.now(), "capabilities": ["costs"], **fields}
    return AwsAccount.objects.create(alias=alias, account_id=number, **given)


def read_source(account: AwsAccount, amount: int, currency: str = "USD", **fields: object) -> CostSource:
    """A source of which this month is stored."""
    given = {"scope": BillingScope.STANDALONE, "status": SourceStatus.OK, "fresh_at": clock.now(), **fields}
    source = CostSource.objects.create(account=account, **given)
    CostMonthSlice.objects.create(
        source=source,
        cube=Cube.TOTAL,
        month=first_of_month(clock.today()),
        currency=currency,
        unblended=amount,
        days=clock.today().day,
        complete_days=0,
        estimated_days=1,
    )
    return source


def test_a_working_source_shows_its_month_its_freshness_and_what_asking_cost(admin: User) -> None:
    account = make_account("production", "411111111111")
    read_source(account, 125, next_refresh_at=clock.now() + timedelta(hours=3), monthly_request_cap=200)
    CostExplorerRequest.objects.bulk_create(
        CostExplorerRequest(account=account, operation="GetCostAndUsage", outcome="ok", at=clock.now()) for _ in range(7)
    )
    text = card(admin, account)
    for words in ("Up to date", "$125.00", "in 3 hr.", "$0.07", "for 7 requests", "of at most 200"):
        assert words in text
    assert 'href="/costs/snapshots?account=production"' in text
    assert 'href="/costs/snapshots/refresh?account=production"' in text


@pytest.mark.parametrize("status", [SourceStatus.DENIED, SourceStatus.NOT_ENABLED, SourceStatus.PARTIAL, SourceStatus.STALE])
def test_a_source_that_is_not_well_says_why_and_what_to_do(admin: User, status: SourceStatus) -> None:
    account = make_account("production", "411111111111")
    CostSource.objects.create(
        account=account, status=status, status_code="some_code", status_detail="This is why.", status_remedy="Do that."
    )
    text = card(admin, account)
    for words in (status.label, "This is why.", "Do that.", "some_code", "Never fetched completely"):
        assert words in text
    assert "Nothing is stored of this month" in text


def test_a_covered_account_names_its_payer_only_to_those_who_may_see_it(admin: User, make_user: Callable[..., User]) -> None:
    payer = read_source(make_account("management", "400000000000"), 900, scope=BillingScope.PAYER)
    member = make_account("staging", "422222222222")
    CostSource.objects.create(account=member, covered_by=payer, status=SourceStatus.COVERED)
    assert f'href="/accounts/{payer.account_id}"' in card(admin, member)
    person = make_user("ada", Role.VIEWER)
    Grant.objects.create(user=person, account=member, role=Role.VIEWER)
    seen = card(person, member)
    assert "Read from the bill of its payer" in seen
    assert "management" not in seen


def test_an_account_without_costs_says_what_is_missing(admin: User) -> None:
    off = make_account("sandbox", "444444444444", capabilities=["identity"])
    assert "not switched on" in card(admin, off)
    pending = make_account("new", "", verified_at=None, status="pending")
    assert "once the account is verified" in card(admin, pending)


def test_costs_in_two_currencies_are_two_amounts(admin: User) -> None:
    account = make_account("production", "411111111111")
    source = read_source(account, 125)
    CostMonthSlice.objects.create(
        source=source,
        cube=Cube.TOTAL,
        month=first_of_month(clock.today()),
        currency="EUR",
        unblended=50,
        days=1,
        complete_days=0,
        estimated_days=1,
    )
    text = card(admin, account)
    assert "€50.00" in text
    assert "$125.00" in text
