"""The pages of EC2: what runs, since when, for about how much."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render

from accounts.models import AwsAccount
from accounts.requests import SignedInRequest
from cloudconsole.core import clock
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from resources.models import Instance, Service
from resources.rules.actions import TargetType
from resources.rules.uptime import Uptime
from resources.selectors import instances as selectors
from resources.selectors import operations
from resources.selectors.completeness import completeness
from resources.selectors.instances import Shown
from resources.selectors.lists import INSTANCES
from resources.views import columns
from resources.views.lists import InventoryExport, InventoryPage, ListPage

LIST = ListPage(
    name="ec2",
    title="EC2 instances",
    lead="What runs where, since when, and for about how much.",
    noun="instance",
    kind=INSTANCES,
    columns=columns.INSTANCES,
    labels={"state": "State", "region": "Region", "instance_type": "Type"},
)


@dataclass(frozen=True, slots=True)
class Row:
    """An instance with its figures as durations. `running_for` None: not known."""

    shown: Shown

    @property
    def instance(self) -> Instance:
        return self.shown.instance

    @property
    def running_for(self) -> timedelta | None:
        seconds = self.shown.running_for
        return None if seconds is None else timedelta(seconds=seconds)

    @property
    def is_idle(self) -> bool:
        """Whether it is known not to run, and may again: its estimate is then what it would cost."""
        return self.shown.running_for == 0 and not selectors.is_over(self.instance)

    @property
    def why_no_estimate(self) -> str:
        if selectors.is_over(self.instance):
            return "It is gone and costs nothing any more"
        return "No list price is known for it"

    @property
    def month(self) -> Figure:
        return Figure(self.shown.last_30_days)


@dataclass(frozen=True, slots=True)
class Figure:
    """An uptime for people: the best guess, and the bounds of the truth."""

    uptime: Uptime

    @property
    def length(self) -> timedelta:
        return timedelta(seconds=self.uptime.seconds)

    @property
    def at_least(self) -> timedelta:
        return timedelta(seconds=self.uptime.at_least)

    @property
    def at_most(self) -> timedelta:
        return timedelta(seconds=self.uptime.at_most)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing is known but that it may have run."""
        return self.uptime.at_least == 0 and self.is_vague

    @property
    def is_vague(self) -> bool:
        """Whether the truth may be more than a quarter of an hour away."""
        return self.uptime.uncertainty > 900


class InstanceList(InventoryPage):
    described = LIST
    template = "resources/instances.html"

    def rows(self, found: Sequence[Instance]) -> Sequence[Row]:
        return [Row(shown) for shown in selectors.shown(found)]

    def extras(self, request: SignedInRequest, accounts: Sequence[AwsAccount]) -> dict[str, Any]:
        return {"may_operate": AwsAccount.objects.visible_to(request.user, Perm.RESOURCES_OPERATE).exists()}


class InstanceExport(InventoryExport):
    described = LIST
    header = (
        "id", "name", "account", "account_number", "region", "zone", "state", "instance_type", "platform", "lifecycle",
        "launched_at", "uptime_seconds", "uptime_30d_seconds", "uptime_30d_at_least", "uptime_30d_at_most",
        "estimate_monthly_when_running", "estimate_currency", "private_ip", "public_ip", "vpc_id", "tags", "observed_at",
    )  # fmt: skip

    def cells(self, found: Sequence[Instance]) -> Iterator[Sequence[object]]:
        for shown in selectors.shown(found):
            row, month = shown.instance, shown.last_30_days
            estimate = (shown.estimate.monthly, shown.estimate.currency) if shown.estimate else ("", "")
            yield (
                row.instance_id, row.name, row.account.alias, row.account.account_id, row.region, row.zone, row.state,
                row.instance_type, row.platform, row.lifecycle, row.launched_at.isoformat() if row.launched_at else "",
                shown.running_for, "" if Figure(month).is_unknown else month.seconds, month.at_least, month.at_most,
                *estimate, row.private_ip, row.public_ip, row.vpc_id,
                json.dumps(row.tags, ensure_ascii=False, sort_keys=True), row.observed_at.isoformat(),
            )  # fmt: skip


class InstanceDetail(Page):
    permission = Perm.RESOURCES_VIEW

    def get(self, request: SignedInRequest, account_id: int, region: str, instance_id: str) -> HttpResponse:
        row = selectors.at(request.user, account_id, region, instance_id, self.permission)
        done = operations.of_target(request.user, row.account, TargetType.EC2, row.instance_id, region=row.region)
        context = {
            "offers": operations.offers(request.user, row),
            "operations": done,
            "moving": any(one.is_open for one in done),
            "row": Row(selectors.shown([row])[0]),
            "instance": row,
            "this_month": _this_month(row),
            "history": selectors.history_of(row),
            "places": completeness(request.user, Service.EC2, [row.account], [row.region]).missing,
            "facts": _facts(row),
        }
        return render(request, "resources/instance.html", context)


def _this_month(row: Instance) -> Figure:
    start, end = clock.month_start(), clock.now()
    return Figure(selectors.uptime_of(row, selectors.changes_since(row, start), start, end))


def _facts(row: Instance) -> str:
    """Everything that is stored of it, as text."""
    left_out = {"id", "account", "searched"}
    known: dict[str, Any] = {
        field.name: field.value_from_object(row) for field in row._meta.concrete_fields if field.name not in left_out
    }
    return json.dumps(known, default=str, ensure_ascii=False, indent=2)
