"""Django's admin: only admins enter, and what they do there goes through the services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from accounts.models import AwsAccount, Grant, User
from audit.models import AuditEvent
from cloudconsole.core.permissions import Role


@pytest.fixture
def browser(admin: User) -> Client:
    made = Client()
    made.force_login(admin)
    return made


PAGES = (
    "/admin/",
    "/admin/accounts/user/",
    "/admin/accounts/user/add/",
    "/admin/accounts/grant/",
    "/admin/accounts/grant/add/",
    "/admin/accounts/awsaccount/",
    "/admin/accounts/capabilitycheck/",
)


@pytest.mark.parametrize("page", PAGES)
def test_every_page_opens_for_admins_and_for_nobody_else(page: str, browser: Client, operator: User) -> None:
    assert browser.get(page).status_code == 200
    other = Client()
    other.force_login(operator)
    assert other.get(page).status_code in (302, 403)
    assert Client().get(page).status_code == 302


def test_signing_in_to_the_admin_goes_through_the_one_sign_in_page(db: None) -> None:
    answer = Client().post("/admin/login/", {"username": "admin", "password": "wrong"})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/sign-in?next=")


def test_a_person_is_added_with_their_role_and_written_down(browser: Client) -> None:
    form = {"username": "ada", "email": "ada@example.com", "role": "operator", "usable_password": "true"}
    form |= {"password1": "a-long-enough-passphrase", "password2": "a-long-enough-passphrase"}
    answer = browser.post("/admin/accounts/user/add/", form)
    assert answer.status_code == 302, answer.content
    assert User.objects.get(username="ada").role == "operator"
    assert AuditEvent.objects.get(action="user.created").subject == "ada"


def test_the_last_admin_is_not_lost_here_either(browser: Client, admin: User) -> None:
    answer = browser.post(
        f"/admin/accounts/user/{admin.pk}/change/", {"email": admin.email, "role": "viewer", "is_active": "on"}, follow=True
    )
    assert "Make another person an admin first." in answer.content.decode()
    admin.refresh_from_db()
    assert admin.role == "admin"


def test_a_role_changed_here_is_written_down(browser: Client, viewer: User) -> None:
    browser.post(f"/admin/accounts/user/{viewer.pk}/change/", {"email": viewer.email, "role": "operator", "is_active": "on"})
    viewer.refresh_from_db()
    assert viewer.role == "operator"
    assert AuditEvent.objects.get(action="user.role_changed").subject == "viewer"


def test_a_password_changed_here_ends_tokens_and_is_written_down(browser: Client, viewer: User) -> None:
    before = viewer.token_stamp()
    form = {
        "password1": "another-long-passphrase",
        "password2": "another-long-passphrase",
        "usable_password": "true",
        "set-password": "1",
    }
    answer = browser.post(f"/admin/accounts/user/{viewer.pk}/password/", form)
    assert answer.status_code == 302
    viewer.refresh_from_db()
    assert viewer.check_password("another-long-passphrase")
    assert viewer.token_stamp() != before
    assert AuditEvent.objects.get(action="user.password_changed").subject == "viewer"


def test_ones_own_password_is_changed_at_the_same_door(browser: Client, admin: User) -> None:
    answer = browser.get("/admin/password_change/")
    assert (answer.status_code, answer["Location"]) == (302, f"/admin/accounts/user/{admin.pk}/password/")
    assert browser.get(answer["Location"]).status_code == 200


def test_people_and_accounts_are_not_deleted_here_and_accounts_not_added(browser: Client, viewer: User) -> None:
    account = AwsAccount.objects.create(alias="one", auth_method="ambient")
    for page in (
        f"/admin/accounts/user/{viewer.pk}/delete/",
        f"/admin/accounts/awsaccount/{account.pk}/delete/",
        "/admin/accounts/awsaccount/add/",
    ):
        assert browser.get(page).status_code == 403


def test_an_alias_changed_here_goes_through_the_service(browser: Client) -> None:
    account = AwsAccount.objects.create(alias="one", auth_method="ambient")
    AwsAccount.objects.create(alias="two", auth_method="ambient")
    path = f"/admin/accounts/awsaccount/{account.pk}/change/"
    browser.post(path, {"alias": "uno", "environment": "sandbox"})
    account.refresh_from_db()
    assert (account.alias, account.environment) == ("uno", "sandbox")
    assert AuditEvent.objects.filter(action="account.changed").count() == 1
    taken = browser.post(path, {"alias": "two", "environment": "sandbox"}, follow=True)
    assert taken.status_code == 200
    account.refresh_from_db()
    assert account.alias == "uno"


def test_grants_are_given_and_taken_and_written_down(browser: Client, stranger: User) -> None:
    browser.post("/admin/accounts/grant/add/", {"user": stranger.pk, "account": "", "role": "viewer"})
    grant = Grant.objects.get(user=stranger)
    assert (grant.account, grant.role) == (None, Role.VIEWER)
    browser.post(f"/admin/accounts/grant/{grant.pk}/delete/", {"post": "yes"})
    assert not Grant.objects.filter(user=stranger).exists()
    assert AuditEvent.objects.filter(action="grant.changed", subject="stranger").count() == 2


def test_tables_of_the_libraries_are_not_there(browser: Client, make_user: Callable[..., Any]) -> None:
    page = browser.get("/admin/").content.decode()
    for name in ("outstandingtoken", "blacklistedtoken", "emailaddress", "auth/group"):
        assert name not in page
