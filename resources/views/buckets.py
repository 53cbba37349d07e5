"""The pages of S3 that show which buckets there are and how they are kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from django.http import HttpResponse
from django.shortcuts import render

from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from resources.models import Bucket
from resources.rules.actions import TargetType
from resources.selectors import buckets as selectors
from resources.selectors import operations
from resources.selectors.lists import BUCKETS
from resources.views import columns
from resources.views.lists import InventoryExport, InventoryPage, ListPage

LIST = ListPage(
    name="s3",
    title="S3 buckets",
    lead="Which buckets there are, who may reach them, and how large they were when S3 last measured.",
    noun="bucket",
    kind=BUCKETS,
    columns=columns.BUCKETS,
    labels={"region": "Region", "versioning": "Versioning"},
)


class BucketList(InventoryPage):
    described = LIST
    template = "resources/buckets.html"


class BucketExport(InventoryExport):
    described = LIST
    header = (
        "name", "account", "account_number", "region", "created_at", "size_bytes", "object_count", "measured_on",
        "public_access_blocked", "versioning", "encryption", "tags", "observed_at",
    )  # fmt: skip

    def cells(self, found: Sequence[Bucket]) -> Iterator[Sequence[object]]:
        for row in found:
            yield (
                row.name, row.account.alias, row.account.account_id, row.region,
                row.created_at.isoformat() if row.created_at else "", row.size_bytes, row.object_count, row.measured_on,
                row.public_access_blocked, row.versioning, row.encryption,
                json.dumps(row.tags, ensure_ascii=False, sort_keys=True), row.observed_at.isoformat(),
            )  # fmt: skip


class BucketDetail(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        row = selectors.at(request.user, account_id, name)
        context = {
            "bucket": row,
            "classes": selectors.size_by_class(row),
            "operations": operations.of_target(request.user, row.account, TargetType.S3, row.name),
            "may_browse": aws_accounts.may(request.user, row.account, Perm.OBJECTS_READ) and row.gone_at is None,
            "may_operate": aws_accounts.may(request.user, row.account, Perm.RESOURCES_OPERATE) and row.gone_at is None,
        }
        return render(request, "resources/bucket.html", context)
