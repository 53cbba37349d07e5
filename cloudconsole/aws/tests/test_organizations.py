from __future__ import annotations

import pytest

from cloudconsole.aws import organizations, regions
from cloudconsole.aws.credentials import Access
from cloudconsole.aws.errors import AwsError, AwsErrorKind
from cloudconsole.aws.organizations import Organization, OrganizationAccount
from cloudconsole.aws.tests.scripted import Endpoint, Reply, in_turn, json_error, json_reply


def test_an_organization_names_the_account_that_pays(endpoint: Endpoint, access: Access) -> None:
    endpoint.script = lambda _: json_reply({"Organization": {"Id": "o-1", "MasterAccountId": "111111111111"}})
    assert organizations.describe(access) == Organization("o-1", "111111111111")


def test_an_account_without_an_organization_is_no_error(endpoint: Endpoint, access: Access) -> None:
    endpoint.script = lambda _: json_error("AWSOrganizationsNotInUseException")
    assert organizations.describe(access) is None


def test_a_denial_is_not_taken_for_no_organization(endpoint: Endpoint, access: Access) -> None:
    endpoint.script = lambda _: json_error("AccessDeniedException")
    with pytest.raises(AwsError) as caught:
        organizations.describe(access)
    assert caught.value.cause is AwsErrorKind.ACCESS_DENIED


@pytest.mark.parametrize("body", [{}, {"Organization": {}}])
def test_an_answer_without_an_organization_is_garbled(endpoint: Endpoint, access: Access, body: dict[str, object]) -> None:
    endpoint.script = lambda _: json_reply(body)
    with pytest.raises(AwsError) as caught:
        organizations.describe(access)
    assert caught.value.cause is AwsErrorKind.GARBLED


def test_an_answer_that_is_cut_short_is_told_as_such(endpoint: Endpoint, access: Access) -> None:
    endpoint.script = lambda _: Reply(body=b'{"Accounts": [', claimed_length=5_000)
    with pytest.raises(AwsError) as caught:
        organizations.list_accounts(access)
    assert "broke off in the middle" in caught.value.detail


def test_an_empty_page_is_not_the_last_one(endpoint: Endpoint, access: Access) -> None:
    production = {"Id": "411111111111", "Name": "production", "Email": "p@example.org", "State": "ACTIVE"}
    closed = {"Id": "422222222222", "Name": "staging", "Email": "s@example.org", "Status": "SUSPENDED"}
    endpoint.script = in_turn(
        json_reply({"Accounts": [production], "NextToken": "t1"}),
        json_reply({"Accounts": [], "NextToken": "t2"}),
        json_reply({"Accounts": [closed]}),
    )
    assert organizations.list_accounts(access) == [
        OrganizationAccount("411111111111", "production", "p@example.org", "ACTIVE"),
        OrganizationAccount("422222222222", "staging", "s@example.org", "SUSPENDED"),
    ]
    assert [request.params.get("NextToken") for request in endpoint.requests] == [None, "t1", "t2"]


@pytest.mark.parametrize(
    ("region", "home", "costs"),
    [
        ("eu-central-1", "us-east-1", "us-east-1"),
        ("cn-north-1", "cn-north-1", "cn-northwest-1"),
        ("us-gov-east-1", "us-gov-west-1", "us-gov-west-1"),
        ("eusc-de-east-1", "eusc-de-east-1", "eusc-de-east-1"),
    ],
)
def test_each_partition_has_its_home(region: str, home: str, costs: str) -> None:
    assert (regions.home(region), regions.cost_explorer(region)) == (home, costs)
