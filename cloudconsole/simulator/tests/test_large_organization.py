"""An organization of fifty: its tree, its tags, its regions, and what goes wrong in two of its accounts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloudconsole.simulator.tests.conftest import Aws, refused


@pytest.fixture
def fifty(aws: Aws) -> Iterator[list[str]]:
    yield aws.simulator.set_organization(50)
    aws.simulator.reset()


def test_it_has_as_many_accounts_as_it_was_made_of(aws: Aws, fifty: list[str]) -> None:
    pages = aws.client("organizations").get_paginator("list_accounts").paginate()
    found = [account for page in pages for account in page["Accounts"]]
    assert [account["Id"] for account in found] == fifty
    assert len(found) == 50
    assert [account["Id"] for account in found if account["State"] == "SUSPENDED"] == ["500000000009"]


def test_every_account_has_one_parent_up_to_the_root(aws: Aws, fifty: list[str]) -> None:
    client = aws.client("organizations")
    (unit,) = client.list_parents(ChildId="500000000006")["Parents"]
    (above,) = client.list_parents(ChildId=unit["Id"])["Parents"]
    (root,) = client.list_parents(ChildId=above["Id"])["Parents"]
    names = [
        client.describe_organizational_unit(OrganizationalUnitId=one["Id"])["OrganizationalUnit"]["Name"] for one in (unit, above)
    ]
    assert (names, root) == (["Team 2", "Teams"], {"Id": "r-cc01", "Type": "ROOT"})


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda client: client.list_parents(ChildId="599999999999"), "ChildNotFoundException"),
        (lambda client: client.list_accounts_for_parent(ParentId="ou-none-12345678"), "ParentNotFoundException"),
        (lambda client: client.list_tags_for_resource(ResourceId="599999999999"), "TargetNotFoundException"),
        (lambda client: client.describe_account(AccountId="599999999999"), "AccountNotFoundException"),
    ],
)
def test_what_is_not_there_is_refused_by_its_own_name(aws: Aws, call: object, code: str) -> None:
    assert refused(lambda: call(aws.client("organizations"))).code == code  # type: ignore[operator]


def test_a_delegated_administrator_may_read_it_and_other_members_may_not(aws: Aws) -> None:
    assert refused(lambda: aws.client("organizations", "development").list_roots()).code == "AccessDeniedException"
    aws.simulator.set_organization(0, delegated=["433333333333"])
    assert aws.client("organizations", "development").list_roots()["Roots"][0]["Id"] == "r-cc01"
    aws.simulator.reset()


def test_the_account_api_and_ec2_tell_the_same_enabled_regions(aws: Aws) -> None:
    pages = (
        aws.client("account").get_paginator("list_regions").paginate(RegionOptStatusContains=["ENABLED", "ENABLED_BY_DEFAULT"])
    )
    by_account = sorted(region["RegionName"] for page in pages for region in page["Regions"])
    by_ec2 = sorted(region["RegionName"] for region in aws.client("ec2").describe_regions()["Regions"])
    assert by_account == by_ec2
    assert len(by_ec2) == 17


def test_a_user_makes_a_second_key_and_no_third(aws: Aws) -> None:
    iam = aws.client("iam", "development")
    made = iam.create_access_key()["AccessKey"]
    assert made["Status"] == "Active"
    assert refused(iam.create_access_key).code == "LimitExceeded"
    iam.delete_access_key(AccessKeyId=made["AccessKeyId"])
    assert refused(lambda: iam.delete_access_key(AccessKeyId=made["AccessKeyId"])).code == "NoSuchEntity"
    aws.simulator.reset()
