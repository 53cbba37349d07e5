"""What no database and no AWS can hold is refused by every route, and none fails at it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from accounts.models import AwsAccount, User
from cloudconsole.core import clock
from resources.models import Bucket, Operation
from resources.tests.conftest import Connected

Api = Callable[[User | None], APIClient]
pytestmark = pytest.mark.django_db


@pytest.fixture
def account(connected: Connected) -> AwsAccount:
    account = connected("development")
    now = clock.now()
    Bucket.objects.create(account=account, name="reports", region="eu-central-1", first_seen_at=now, observed_at=now)
    return account


@pytest.mark.parametrize("field", ["account", "region"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "/api/s3/create"),
        ("delete", "/api/s3/reports"),
        ("delete", "/api/s3/reports/objects"),
        ("post", "/api/s3/reports/presign"),
        ("post", "/api/lambda/invoke/hello"),
        ("post", "/api/lambda/roll-back/hello"),
        ("post", "/api/ec2/stop/i-0"),
        ("post", "/api/ec2/bulk"),
        ("post", "/api/inventory/syncs"),
    ],
)
def test_a_nul_in_a_body_is_refused(api: Api, admin: User, account: AwsAccount, method: str, path: str, field: str) -> None:
    answer = getattr(api(admin), method)(path, {field: "a\0b"}, format="json")
    # What takes no such field goes on to what else is wrong with the request.
    assert answer.status_code in (400, 404) or (path, field) == ("/api/inventory/syncs", "region"), answer.content
    assert not Operation.objects.exists()
