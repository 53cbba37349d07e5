"""The overview, the palette and the frame, as people of each role get them."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuthMethod, AwsAccount, Grant, Status, User
from cloudconsole.core import clock
from cloudconsole.core.permissions import Role
from costs.models import BillingScope, CostMonthSlice, CostSource, SourceStatus
from costs.rules.cubes import CUBES
from costs.rules.windows import first_of_month

pytestmark = pytest.mark.django_db

NOW = clock.now()


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def make_accounts(count: int, *, start: int = 0) -> list[AwsAccount]:
    accounts = [
        AwsAccount(
            alias=f"account-{number}",
            account_id=f"{number + 1:012}",
            auth_method=AuthMethod.AMBIENT,
            status=Status.OK,
            capabilities=["costs"],
        )
        for number in range(start, start + count)
    ]
    made = AwsAccount.objects.bulk_create(accounts)
    CostSource.objects.bulk_create(CostSource(account=account) for account in made)
    return made


def test_a_stranger_to_the_site_is_sent_to_sign_in() -> None:
    answer = Client().get("/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in?next=/")


def test_the_first_run_offers_the_next_step(admin: User) -> None:
    text = signed_in(admin).get("/").content.decode()
    assert "Connect an AWS account" in text
    assert 'href="/accounts/add"' in text


def test_a_viewer_is_not_offered_what_only_admins_may(viewer: User) -> None:
    text = signed_in(viewer).get("/").content.decode()
    assert "/accounts/add" not in text
    assert "/admin/" not in text


def test_an_account_that_cannot_be_reached_is_told_with_the_way_to_the_remedy(admin: User) -> None:
    [account] = make_accounts(1)
    AwsAccount.objects.filter(pk=account.pk).update(status=Status.ERROR, status_detail="The key was deleted.")
    text = signed_in(admin).get("/").content.decode()
    assert "account-0 cannot be reached." in text
    assert "The key was deleted." in text
    assert f'href="/accounts/{account.pk}"' in text


@pytest.mark.parametrize("query", ["", "?account=account-0"])
def test_unknown_costs_are_never_a_zero(admin: User, query: str) -> None:
    make_accounts(2)
    assert "$0.00" not in signed_in(admin).get(f"/{query}").content.decode()


def test_an_account_never_read_has_unknown_costs_even_beside_one_that_was(admin: User) -> None:
    read, _ = make_accounts(2)
    CostSource.objects.filter(account=read).update(fresh_at=NOW, scope=BillingScope.PAYER, status=SourceStatus.OK)
    month = first_of_month(clock.today())
    CostMonthSlice.objects.bulk_create(
        CostMonthSlice(
            source=read.cost_source,
            cube=cube,
            month=month,
            currency="USD",
            unblended=5,
            days=1,
            complete_days=0,
            estimated_days=1,
        )
        for cube in CUBES
    )
    text = signed_in(admin).get("/?account=account-1").content.decode()
    assert "What this costs is not known" in text
    assert "$0.00" not in text


@pytest.mark.parametrize("path", ["/", "/accounts", "/costs/snapshots"])
def test_a_page_asks_the_database_as_often_for_forty_accounts_as_for_two(admin: User, path: str) -> None:
    make_accounts(2)
    client = signed_in(admin)
    client.get(path)
    with CaptureQueriesContext(connection) as few:
        client.get(path)
    make_accounts(38, start=2)
    with CaptureQueriesContext(connection) as many:
        client.get(path)
    assert len(many) == len(few)
    assert len(many) <= 19


@pytest.mark.parametrize("path", ["/", "/accounts", "/costs/snapshots"])
def test_a_scope_that_names_an_unknown_account_is_refused_not_ignored(admin: User, path: str) -> None:
    answer = signed_in(admin).get(path, {"account": "nobody"})
    assert answer.status_code == 400
    assert "nobody" in answer.content.decode()


def test_the_frame_says_the_scope_that_the_page_is_narrowed_to(admin: User) -> None:
    make_accounts(2)
    text = signed_in(admin).get("/accounts", {"account": "ACCOUNT-1"}).content.decode()
    assert "</span>account-1</span>" in text
    assert "account-0</a>" not in text


def test_an_unknown_environment_is_refused(admin: User) -> None:
    assert signed_in(admin).get("/", {"environment": "moon"}).status_code == 400


def test_the_palette_finds_pages_and_visible_accounts_only(make_user: Callable[..., User]) -> None:
    seen, hidden = make_accounts(2)
    person = make_user("ada", Role.VIEWER)
    Grant.objects.create(user=person, account=seen, role=Role.VIEWER)
    text = signed_in(person).get("/palette", {"q": "acc"}, headers={"HX-Request": "true"}).content.decode()
    assert 'href="/accounts"' in text
    assert seen.alias in text
    assert hidden.alias not in text


def test_the_palette_finds_the_cost_pages_by_what_people_call_them(admin: User) -> None:
    text = signed_in(admin).get("/palette", {"q": "costs"}, headers={"HX-Request": "true"}).content.decode()
    assert 'href="/costs/snapshots"' in text
    assert "Nothing is called" not in text


def test_the_palette_offers_to_do_what_the_reader_may(admin: User, viewer: User) -> None:
    def offered(user: User, words: str) -> str:
        return signed_in(user).get("/palette", {"q": words}, headers={"HX-Request": "true"}).content.decode()

    assert 'href="/accounts/add"' in offered(admin, "add account")
    assert 'href="/costs/snapshots/refresh"' in offered(admin, "refresh costs")
    assert 'data-choose-theme="dark"' in offered(viewer, "switch theme")
    assert 'href="/sign-out"' in offered(viewer, "sign out")
    assert "/accounts/add" not in offered(viewer, "add account")
    assert "/costs/snapshots/refresh" not in offered(viewer, "refresh costs")


def test_a_scope_without_accounts_says_so_and_tells_of_no_others(admin: User) -> None:
    make_accounts(1)
    text = signed_in(admin).get("/", {"environment": "sandbox"}).content.decode()
    assert "No account is in this scope" in text
    assert "Nothing was fetched yet" not in text


def test_the_palette_says_when_nothing_is_found(admin: User) -> None:
    text = signed_in(admin).get("/palette", {"q": "<b>zebra"}).content.decode()
    assert "Nothing found" in text
    assert "<b>zebra" not in text


@pytest.mark.parametrize("path", ["/", "/accounts", "/accounts/add", "/costs/snapshots", "/audit", "/palette", "/no-such-page"])
def test_every_page_carries_the_strict_policy(admin: User, path: str) -> None:
    policy = signed_in(admin).get(path).headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def test_the_sign_in_page_lets_the_right_password_in_and_no_other(admin: User) -> None:
    client = Client()
    wrong = client.post("/sign-in", {"login": "admin", "password": "guess"})
    assert wrong.status_code == 200
    assert "guess" not in wrong.content.decode()
    right = client.post("/sign-in", {"login": "admin", "password": "a-long-enough-passphrase"})
    assert (right.status_code, right.headers["Location"]) == (302, "/")


def test_signing_out_takes_a_form(admin: User) -> None:
    client = signed_in(admin)
    assert client.get("/sign-out").status_code == 200
    assert client.get("/").status_code == 200
    assert client.post("/sign-out").status_code == 302
    assert client.get("/").status_code == 302


def test_the_page_of_a_server_error_needs_nothing(admin: User) -> None:
    client = signed_in(admin)
    with connection.execute_wrapper(_no_database):
        client.raise_request_exception = False
        answer = client.get("/")
    assert answer.status_code == 500
    text = answer.content.decode()
    assert "Something went wrong on our side" in text
    assert answer.headers["X-Request-ID"] in text


def _no_database(*_: object) -> None:
    raise ConnectionError("The database is away.")


@pytest.mark.parametrize(
    ("path", "entry"),
    [
        ("/", "Overview"),
        ("/costs", "Costs"),
        ("/costs/snapshots", "Cost snapshots"),
        ("/accounts/add", "Accounts"),
        ("/s3", "S3"),
    ],
)
def test_the_navigation_marks_the_one_page_that_is_open(path: str, entry: str, admin: User) -> None:
    page = signed_in(admin).get(path).content.decode()
    marked = re.findall(r'class="nav-link"[^>]*aria-current="page".*?<span class="label">([^<]+)</span>', page)
    assert marked == [entry]
