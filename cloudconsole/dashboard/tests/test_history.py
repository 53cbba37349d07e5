"""What stays readable of an account after it was disconnected, and what the disconnecting page says before."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest
import time_machine
from django.test import Client

from accounts.models import AwsAccount, User
from accounts.services import aws_accounts
from cloudconsole.core import figures
from costs.models import CostMonthSlice, CostSnapshot, CostSource, SourceStatus
from costs.rules.cubes import Cube
from costs.rules.windows import DayRange
from costs.tests import books

pytestmark = pytest.mark.django_db
PAYER = "111111111111"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=True):
        yield


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def disconnect(account: AwsAccount, by: User) -> None:
    aws_accounts.delete(account=account, confirm=account.alias, by=by)


def test_costs_and_runs_stay_readable_under_the_old_name_for_admins(admin: User, viewer: User) -> None:
    source = books.source(PAYER, "management")
    books.fill(source, DayRange(date(2026, 9, 1), date(2026, 10, 1)))
    run = CostSnapshot.objects.create(source=source, trigger="manual", start=date(2026, 9, 1), end=date(2026, 10, 1))
    disconnect(source.account, admin)
    client = signed_in(admin)
    total = CostMonthSlice.objects.get(source=source, cube=Cube.TOTAL).unblended
    page = client.get(f"/disconnected/{source.account_id}").content.decode()
    assert figures.money(total, "USD") in page
    assert f'href="/costs/snapshots/{run.pk}"' in page
    assert "the account was disconnected" in client.get(f"/costs/snapshots/{run.pk}").content.decode()
    assert f'href="/disconnected/{source.account_id}"' in client.get("/accounts/disconnected").content.decode()
    other = signed_in(viewer)
    assert other.get(f"/disconnected/{source.account_id}").status_code == 403
    assert other.get(f"/costs/snapshots/{run.pk}").status_code == 404


def test_an_account_that_is_connected_has_no_page_of_what_is_kept(admin: User) -> None:
    source = books.source(PAYER, "management")
    assert signed_in(admin).get(f"/disconnected/{source.account_id}").status_code == 404


def test_the_costs_of_a_disconnected_account_count_nowhere_else(admin: User) -> None:
    source = books.source(PAYER, "management")
    books.fill(source, DayRange(date(2026, 11, 1), date(2026, 11, 19)))
    disconnect(source.account, admin)
    assert signed_in(admin).get("/").context["page"].figures is None


def test_before_disconnecting_the_page_names_the_accounts_that_depend_on_it(admin: User) -> None:
    payer = books.source(PAYER, "management")
    member = books.source("444444444444", "sandbox")
    CostSource.objects.filter(pk=member.pk).update(covered_by=payer, status=SourceStatus.COVERED)
    path, client = f"/accounts/{payer.account_id}/remove", signed_in(admin)
    text = client.get(path).content.decode()
    assert "Its costs are read from the bill of management." in text
    assert text.index("sandbox") < text.index('name="confirm"')
    AwsAccount.objects.create(alias="production", auth_method="assume_role", role_arn="arn:x", hub=payer.account)
    text = client.get(path).content.decode()
    assert "management assumes its role" in text
    assert 'name="confirm"' not in text
