"""What a million tokens cost: costs and tokens of the same complete days."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.test import Client

from accounts.models import Grant, User
from cloudconsole.aws.cost_explorer import Amounts
from cloudconsole.core.permissions import Role
from cloudconsole.dashboard import quota_costs
from costs.rules.cubes import CUBES, Dimension
from costs.tests import books
from resources.models import ModelMinute, Quota

pytestmark = pytest.mark.django_db
NUMBER, BEDROCK, SONNET = "111111111111", "Amazon Bedrock", "Claude Sonnet 4.5 (Amazon Bedrock Edition)"
FIRST, DAYS = books.TODAY - timedelta(days=6), (books.TODAY - timedelta(days=5), books.TODAY - timedelta(days=4))
IDS = {"us.anthropic.claude-sonnet-4-5-20250929-v1:0": 500_000, "global.anthropic.claude-haiku-4-5-20251001-v1:0": 300_000}


@pytest.fixture
def quota() -> Iterator[Quota]:
    """Of a model with half a million tokens on each of two days, and on a first day that is not whole."""
    with time_machine.travel(books.NOW, tick=True):
        account = books.source(NUMBER, "management").account
        for day in (FIRST, *DAYS):
            at = datetime.combine(day, time(10), tzinfo=UTC)
            ModelMinute.objects.bulk_create(
                ModelMinute(
                    account=account, region="us-east-1", model_id=model, at=at, input_tokens=tokens - 10, output_tokens=10
                )
                for model, tokens in IDS.items()
            )
        yield Quota.objects.create(
            account=account, region="us-east-1", service_code="bedrock", code="L-1", kind="bedrock", model="sonnet-4.5",
            name="Cross-region model inference tokens per minute for Anthropic Claude Sonnet 4.5 V1", profile="cross_region",
            measure="tokens_per_minute",
        )  # fmt: skip


def bill(quota: Quota, **services: int) -> None:
    """What each service cost on each of the three days."""
    named = {"bedrock": BEDROCK, "sonnet": SONNET, "other": "AWS Lambda"}
    source = quota.account.cost_source
    for cube in CUBES:
        totals: dict[date, dict[tuple[str, ...], Amounts]] = {}
        for day in (FIRST, *DAYS):
            told: dict[tuple[str, ...], Amounts] = {}
            for name, amount in services.items():
                values = {
                    Dimension.SERVICE: named[name], Dimension.ACCOUNT: NUMBER, Dimension.REGION: "us-east-1",
                    Dimension.RECORD_TYPE: "Usage", Dimension.USAGE_TYPE: name,
                }  # fmt: skip
                keys = tuple(values[dimension] for dimension in cube.shape)
                told[keys] = books.amounts(amount + (told[keys].unblended if keys in told else 0))
            totals[day] = {**told, (): books.amounts(sum(services.values()))}
        books.store(source, cube, books.answer(totals))


def test_costs_of_the_model_go_over_its_own_tokens(quota: Quota, admin: User) -> None:
    bill(quota, sonnet=4, bedrock=100, other=7)
    [told] = quota_costs.of(admin, quota)
    assert (told.of_model, told.amount, told.tokens, told.days) == (True, Decimal(8), 1_000_000, 2)
    assert told.per_million == Decimal(8)
    client = Client()
    client.force_login(admin)
    page = client.get(f"/quotas/{quota.pk}").content.decode()
    assert "What a million tokens cost" in page
    assert "$8.00" in page


def test_where_aws_bills_all_models_together_they_are_told_together(quota: Quota, admin: User) -> None:
    bill(quota, bedrock=16, other=7)
    [told] = quota_costs.of(admin, quota)
    assert (told.of_model, told.tokens, told.per_million) == (False, 1_600_000, Decimal(20))


def test_without_costs_or_the_right_to_see_them_nothing_is_said(quota: Quota, admin: User, stranger: User) -> None:
    assert quota_costs.of(admin, quota) == []
    bill(quota, bedrock=16)
    assert quota_costs.of(stranger, quota) == []
    Grant.objects.create(user=stranger, account=quota.account, role=Role.VIEWER)
    assert len(quota_costs.of(stranger, quota)) == 1
