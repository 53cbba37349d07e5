"""What a scope names, and who hears the news of which account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from accounts.models import AwsAccount, Grant, User
from accounts.selectors import live_groups
from accounts.selectors.aws_accounts import NotAllowedHere, UnknownAccount, accounts_in_scope
from cloudconsole.core.permissions import Perm, Role


@pytest.fixture
def accounts(db: None) -> list[AwsAccount]:
    return [
        AwsAccount.objects.create(alias=alias, account_id=number, auth_method="ambient")
        for alias, number in (("beta", "222222222222"), ("alpha", "111111111111"), ("gamma", "333333333333"))
    ]


def test_a_scope_takes_ids_aliases_and_numbers_and_names_each_account_once(accounts: list[AwsAccount], admin: User) -> None:
    beta = accounts[0]
    found = accounts_in_scope(admin, Perm.COSTS_VIEW, [str(beta.pk), "BETA", "222222222222", "alpha"])
    assert [account.alias for account in found] == ["alpha", "beta"]


def test_an_empty_scope_is_everything_that_carries_the_permission(accounts: list[AwsAccount], stranger: User) -> None:
    Grant.objects.create(user=stranger, account=accounts[0], role=Role.VIEWER)
    Grant.objects.create(user=stranger, account=accounts[1], role=Role.OPERATOR)
    assert [account.alias for account in accounts_in_scope(stranger, Perm.COSTS_VIEW, [])] == ["alpha", "beta"]
    assert [account.alias for account in accounts_in_scope(stranger, Perm.COSTS_REFRESH, [])] == ["alpha"]


@pytest.mark.parametrize("value", ["nowhere", "999999", "333333333333", "gamma", "", "\u0663", "1" * 40])
def test_what_is_unknown_and_what_is_hidden_are_refused_alike(value: str, accounts: list[AwsAccount], stranger: User) -> None:
    Grant.objects.create(user=stranger, account=accounts[0], role=Role.VIEWER)
    with pytest.raises(UnknownAccount) as refusal:
        accounts_in_scope(stranger, Perm.COSTS_VIEW, [value])
    assert refusal.value.attr == "account"


def test_what_may_only_be_seen_is_refused_as_such(accounts: list[AwsAccount], stranger: User) -> None:
    Grant.objects.create(user=stranger, account=accounts[0], role=Role.VIEWER)
    with pytest.raises(NotAllowedHere):
        accounts_in_scope(stranger, Perm.COSTS_REFRESH, ["beta"])


def test_everybody_hears_of_what_they_may_see_once(
    accounts: list[AwsAccount], admin: User, viewer: User, stranger: User, make_user: Callable[..., User]
) -> None:
    Grant.objects.create(user=stranger, account=accounts[0], role=Role.VIEWER)
    assert live_groups(admin) == ["admins"]
    assert live_groups(viewer) == ["accounts"]
    assert live_groups(stranger) == [f"account.{accounts[0].pk}"]
    assert live_groups(make_user("nobody-yet")) == []
    admin.is_active = False
    assert live_groups(admin) == []
