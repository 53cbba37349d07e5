"""Who is in the organization, and who may ask."""

from __future__ import annotations

from cloudconsole.simulator.tests.conftest import Aws, refused


def test_the_payer_lists_every_member(aws: Aws) -> None:
    accounts = aws.client("organizations").list_accounts()["Accounts"]

    assert [(account["Id"], account["Name"], account["State"]) for account in accounts] == [
        ("111111111111", "management", "ACTIVE"),
        ("411111111111", "production", "ACTIVE"),
        ("422222222222", "staging", "ACTIVE"),
        ("433333333333", "development", "ACTIVE"),
        ("444444444444", "sandbox", "ACTIVE"),
    ]


def test_the_list_comes_in_pages(aws: Aws) -> None:
    pages = list(aws.client("organizations").get_paginator("list_accounts").paginate(PaginationConfig={"PageSize": 2}))

    assert [len(page["Accounts"]) for page in pages] == [2, 2, 1]


def test_a_made_up_page_token_is_refused(aws: Aws) -> None:
    assert refused(lambda: aws.client("organizations").list_accounts(NextToken="x")).code == "InvalidInputException"


def test_a_member_may_not_list(aws: Aws) -> None:
    answer = refused(lambda: aws.client("organizations", "development").list_accounts())

    assert (answer.code, answer.status) == ("AccessDeniedException", 400)
    assert answer.message == "You don't have permissions to access this resource."


def test_every_member_knows_its_organization(aws: Aws) -> None:
    for key in ("hub", "development", "sandbox"):
        organization = aws.client("organizations", key).describe_organization()["Organization"]
        assert (organization["Id"], organization["MasterAccountId"]) == ("o-cloudcons1", "111111111111")


def test_an_account_outside_is_in_no_organization(aws: Aws) -> None:
    answer = refused(lambda: aws.client("organizations", "not-enabled").describe_organization())

    assert answer.code == "AWSOrganizationsNotInUseException"


def test_a_user_without_the_permission_is_denied(aws: Aws) -> None:
    answer = refused(lambda: aws.client("organizations", "stranger").list_accounts())

    assert answer.code == "AccessDeniedException"
    assert "organizations:ListAccounts" in answer.message
