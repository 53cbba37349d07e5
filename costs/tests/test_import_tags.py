"""Tags of billing files: which values are told, what is kept apart, and what choosing a tag does to stored files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest
import time_machine
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from costs.models import BillingScope, CostExplorerRequest, CostFact, CostImport, CostSource, ImportStatus, Owner, SourceTag
from costs.rules import billing_tags
from costs.rules.cubes import Cube, Dimension
from costs.rules.tags import EMPTY, NO_VALUE, UNTAGGED
from costs.selectors import costs
from costs.selectors.questions import Granularity, NotStored, Question
from costs.services import sources, tags
from costs.services.billing import again, runs
from costs.services.billing.imports import NotNow
from costs.services.tags import Wanted
from costs.tests import bills, books
from costs.tests.test_imports import OCTOBER

Api = Callable[[User | None], APIClient]
TEAM = Dimension.tag("team")
TAGGED = [
    bills.focus_row(Tags='{"user:team": "web"}'),
    bills.focus_row(Tags='{"team": "web", "user:owner": "x"}', SubAccountId=bills.PAYER, BilledCost="2"),
    bills.focus_row(Tags='{"user:team": ""}', BilledCost="4"),
    bills.focus_row(Tags="{}", BilledCost="8"),
    bills.focus_row(Tags="", BilledCost="16"),
    bills.focus_row(Tags="{team: web}", BilledCost="32"),  # no JSON: told by no value
]


@pytest.fixture(autouse=True)
def _midday(db: None) -> Iterator[None]:
    with time_machine.travel(books.NOW, tick=False):
        yield


def told(user: User, *group_by: Dimension) -> dict[tuple[str, ...], Decimal]:
    answer = costs.answer(user, Question(OCTOBER, Granularity.WHOLE, group_by))
    period = answer.periods[0]
    assert period.total == costs.add(group.amount for group in period.groups) + period.residual
    return {group.keys: group.amount for group in period.groups}


def choose(by: User, *keys: str) -> CostSource:
    source = CostSource.objects.get(account__account_id=bills.PAYER)
    assert tags.choose(source=source, wanted=[Wanted(key) for key in keys], by=by) is None
    return source


def work() -> None:
    while waiting := list(CostImport.objects.filter(status__in=["received", "accepted"])):
        for row in waiting:
            runs.run(import_id=row.pk)


def test_a_stored_file_is_read_again_by_the_tag_that_is_chosen(admin: User) -> None:
    row = bills.store(bills.text(TAGGED), admin)
    assert row.tag_keys == ["owner", "team"]
    with pytest.raises(NotStored):
        told(admin, TEAM)
    choose(admin, "team")
    work()
    row.refresh_from_db()
    assert (row.status, row.periods.get().owner) == (ImportStatus.COMMITTED, Owner.FILE), row.error_detail
    assert told(admin, TEAM) == {("web",): Decimal("3.5"), (EMPTY,): Decimal(4), (UNTAGGED,): Decimal(24)}
    assert told(admin, TEAM, Dimension.ACCOUNT)["web", bills.PAYER] == 2
    assert told(admin, TEAM, Dimension.SERVICE)[UNTAGGED, "Amazon Simple Storage Service"] == 24
    assert not CostExplorerRequest.objects.exists()


def test_coverage_of_a_file_tells_empty_values_from_none(api: Api, client: Client, admin: User) -> None:
    bills.store(bills.text(TAGGED), admin)
    choose(admin, "team")
    work()
    days = {"start": "2026-10-01", "end": "2026-11-01", "key": "team"}
    found = api(admin).get("/api/costs/tags/coverage", days).json()
    whole = found["whole"]
    amounts = [Decimal(whole[name]) for name in ("tagged", "untagged", "untagged_empty", "untagged_absent")]
    assert (amounts, Decimal(found["residual"])) == ([Decimal("3.5"), Decimal(28), Decimal(4), Decimal(24)], Decimal(32))
    client.force_login(admin)
    page = client.get("/costs/tags?key=team&range=custom&start=2026-10-01&last=2026-10-31").content.decode()
    assert "of the money carries team" in page
    assert "told by billing files" in client.get("/costs/tags/keys").content.decode()


def test_the_same_again_changes_nothing_and_a_newer_file_is_read_by_the_tag_at_once(admin: User) -> None:
    bills.store(bills.text(TAGGED), admin)
    source = choose(admin, "team")
    work()
    columns = ("cube", "day", "first__value", "second__value", "unblended", "amortized")
    before = sorted(CostFact.objects.order_by().values_list(*columns))
    again.apply(cost_import=CostImport.objects.get(), by=admin)
    work()
    assert sorted(CostFact.objects.order_by().values_list(*columns)) == before
    newer = bills.store(bills.text([bills.focus_row(Tags='{"user:team": "data"}')]), admin)
    assert told(admin, TEAM) == {("data",): Decimal("1.5")}
    assert newer.facts == CostFact.objects.filter(source=source).count()


def test_a_legacy_report_has_a_column_for_each_tag_and_one_word_for_nothing(admin: User) -> None:
    rows = [
        {**bills.cur_row(), "resourceTags/user:team": "web", "resourceTags/aws:createdBy": "me"},
        {**bills.cur_row(UnblendedCost="3"), "resourceTags/user:team": ""},
    ]
    columns = [*bills.CUR, "resourceTags/user:team", "resourceTags/aws:createdBy"]
    row = bills.store(bills.text(rows, columns), admin)
    assert row.tag_keys == ["aws:createdBy", "team"]
    choose(admin, "team", "aws:createdBy")
    work()
    assert told(admin, TEAM) == {("web",): Decimal("1.5"), (NO_VALUE,): Decimal(3)}
    assert told(admin, Dimension.tag("aws:createdBy"))["me",] == Decimal("1.5")


def test_a_map_in_parquet_is_read_as_it_is(admin: User, tmp_path: Path) -> None:
    path = tmp_path / "cur.parquet"
    names = [name.replace("/", "_") for name in bills.CUR]
    values = ", ".join(f"'{value}' AS \"{name}\"" for name, value in zip(names, _plain_cur(), strict=True))
    maps = ["MAP {'user_team': 'web', 'user_cost_center': '7'}", "MAP {'user_team': ''}", "MAP {}", "NULL"]
    rows = " UNION ALL ".join(f"SELECT {values}, {one}::MAP(VARCHAR, VARCHAR) AS resource_tags" for one in maps)
    duckdb.sql(f"COPY ({rows}) TO '{path}' (FORMAT parquet)")
    row = bills.store(path.read_bytes(), admin)
    assert (row.format, row.tag_keys) == ("cur-2.0", ["cost_center", "team"]), row.error_detail
    choose(admin, "team")
    work()
    assert told(admin, TEAM) == {("web",): Decimal("1.5"), (EMPTY,): Decimal("1.5"), (UNTAGGED,): Decimal(3)}


def _plain_cur() -> list[str]:
    row = bills.cur_row()
    return [row.get(name, "") for name in bills.CUR]


def test_a_tag_that_no_line_carries_is_not_told_as_missing(admin: User) -> None:
    bills.store(bills.text(TAGGED), admin)
    choose(admin, "team")
    work()
    bills.store(bills.text([bills.focus_row(Tags='{"user:owner": "x"}')]), admin)
    assert costs.answer(admin, Question(OCTOBER, Granularity.WHOLE, (TEAM,))).residual == Decimal("1.5")


def test_a_tag_of_the_last_of_many_lines_is_listed(admin: User) -> None:
    usual = bills.focus_row(Tags='{"user:team": "web"}')
    first, line = bills.text([usual]).splitlines(keepends=True)
    last = bills.text([bills.focus_row(Tags='{"user:owner": "x"}')]).splitlines(keepends=True)[1]
    row = bills.send(first + line * 200_000 + last, admin)
    assert row.tag_keys == ["owner", "team"]


def test_tags_of_a_file_are_chosen_on_their_page_for_nothing(client: Client, admin: User) -> None:
    row = bills.store(bills.text(TAGGED), admin)
    client.force_login(admin)
    page = client.get(f"/costs/files/{row.pk}").content.decode()
    assert "owner, team" in page
    source = CostSource.objects.get()
    choice = client.get("/costs/tags/keys").content.decode()
    assert "Store by these tags" in choice
    assert "disabled" not in choice.split("<main", 1)[-1].split("</main", 1)[0]
    said = client.post(f"/costs/tags/keys/{source.pk}", {"tag": ["team"]}, follow=True).content.decode()
    assert "are being read by these tags" in said
    work()
    assert ("web",) in told(admin, TEAM)
    # Asking AWS costs, so nobody is taken to have agreed to it once the account is connected.
    AwsAccount.objects.update(capabilities=["costs"])
    sources.ensure()
    assert not SourceTag.objects.filter(is_chosen=True).exists()


def test_only_a_stored_file_is_read_again(api: Api, admin: User) -> None:
    row = bills.send(bills.text(TAGGED), admin)
    refused = api(admin).post(f"/api/costs/imports/{row.pk}/apply")
    assert (refused.status_code, refused.json()["code"]) == (409, "import_state")
    stored = bills.store(bills.text(TAGGED[:1]), admin)
    assert api(admin).post(f"/api/costs/imports/{stored.pk}/apply").json()["status"] == "received"
    with pytest.raises(NotNow):
        again.apply(cost_import=stored, by=admin)
    assert api(admin).delete(f"/api/costs/imports/{stored.pk}").status_code == 409
    work()
    stored.refresh_from_db()
    assert stored.status == ImportStatus.COMMITTED


def test_an_account_that_came_since_is_taken_out_of_anothers_bill(client: Client, admin: User) -> None:
    rows = [bills.focus_row(BilledCost="5"), bills.focus_row(SubAccountId=bills.PAYER, BilledCost="3")]
    row = bills.store(bills.text(rows), admin)
    member = books.source(bills.MEMBER, "shop", BillingScope.STANDALONE)
    client.force_login(admin)
    assert "is counted by itself by now" in client.get(f"/costs/files/{row.pk}").content.decode()
    client.post(f"/costs/files/{row.pk}/apply")
    work()
    parts = {period.number: (period.owner, period.unblended, period.source_id) for period in row.periods.all()}
    payer = CostSource.objects.get(account__account_id=bills.PAYER)
    # Its own Cost Explorer knows nothing of that month, so the file goes on telling it, now as its own.
    assert parts == {
        bills.PAYER: (Owner.FILE, Decimal(3), payer.pk),
        bills.MEMBER: (Owner.FILE, Decimal(5), member.pk),
    }
    assert told(admin, Dimension.ACCOUNT) == {(bills.PAYER,): Decimal(3), (bills.MEMBER,): Decimal(5)}
    assert "is counted by itself by now" not in client.get(f"/costs/files/{row.pk}").content.decode()


def test_an_account_whose_own_figures_are_there_goes_on_telling_them(admin: User) -> None:
    rows = [bills.focus_row(BilledCost="5"), bills.focus_row(SubAccountId=bills.PAYER, BilledCost="3")]
    row = bills.store(bills.text(rows), admin)
    member = books.source(bills.MEMBER, "shop", BillingScope.STANDALONE)
    books.fill(member, OCTOBER)
    own = books.ledger_answer(Cube.TOTAL, OCTOBER, bills.MEMBER)
    again.apply(cost_import=row, by=admin)
    work()
    assert row.periods.get(number=bills.MEMBER).owner == Owner.COST_EXPLORER
    total = costs.add(day.total.unblended for day in own.days if day.total)
    assert costs.answer(admin, Question(OCTOBER, Granularity.WHOLE)).total == total + 3


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20)


@given(key=KEYS, value=st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1, max_size=20))
def test_any_key_is_found_under_the_names_that_exports_give_it(key: str, value: str) -> None:
    assert f"user:{key}" in billing_tags.names_of(key) or key.startswith("aws:")
    if not key.startswith("aws:"):
        assert billing_tags.key_told(f"user:{key}") == key
        assert billing_tags.key_in_column(f"resourceTags/user:{key}") == key
        assert json.loads(json.dumps({f"user:{key}": value}))[billing_tags.names_of(key)[0]] == value
