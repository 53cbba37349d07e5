"""The pages of Lambda that show which functions there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.http import HttpResponse
from django.shortcuts import render

from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from resources.models import Function
from resources.rules.actions import TargetType
from resources.selectors import functions as selectors
from resources.selectors import operations
from resources.selectors.lists import FUNCTIONS
from resources.views import columns
from resources.views.lists import InventoryExport, InventoryPage, ListPage

LIST = ListPage(
    name="lambda",
    title="Lambda functions",
    lead="Which functions there are, and how often they ran and failed lately.",
    noun="function",
    kind=FUNCTIONS,
    columns=columns.FUNCTIONS,
    labels={"region": "Region", "runtime": "Runtime", "state": "State"},
)


class FunctionList(InventoryPage):
    described = LIST
    template = "resources/functions.html"


class FunctionExport(InventoryExport):
    described = LIST
    header = (
        "name", "account", "account_number", "region", "runtime", "handler", "state", "memory_mb", "timeout_s", "code_size",
        "modified_at", "invocations_24h", "errors_24h", "activity_at", "observed_at",
    )  # fmt: skip

    def cells(self, found: Sequence[Function]) -> Iterator[Sequence[object]]:
        for row in found:
            yield (
                row.name, row.account.alias, row.account.account_id, row.region, row.runtime, row.handler, row.state,
                row.memory_mb, row.timeout_s, row.code_size, row.modified_at.isoformat() if row.modified_at else "",
                row.invocations_24h, row.errors_24h, row.activity_at.isoformat() if row.activity_at else "",
                row.observed_at.isoformat(),
            )  # fmt: skip


class FunctionDetail(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest, account_id: int, region: str, name: str) -> HttpResponse:
        row = selectors.at(request.user, account_id, region, name, self.permission)
        context = {
            "function": row,
            "may_operate": aws_accounts.may(request.user, row.account, Perm.RESOURCES_OPERATE),
            "operations": operations.of_target(request.user, row.account, TargetType.LAMBDA, row.name, region=row.region),
        }
        return render(request, "resources/function.html", context)
