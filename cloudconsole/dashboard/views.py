"""The pages that show several apps at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from accounts import scope
from accounts.models import User
from accounts.requests import SignedInRequest
from accounts.selectors import hanging
from cloudconsole.core import figures
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from cloudconsole.dashboard.context import Frame, frame_of
from cloudconsole.dashboard.history import history_of
from cloudconsole.dashboard.navigation import ACTIONS
from cloudconsole.dashboard.overview import overview
from costs.selectors import snapshots
from resources.selectors import overview as inventory

ACCOUNTS_SHOWN = 8
RESOURCES_SHOWN = 5  # of each kind; the lists themselves search further


@dataclass(frozen=True)
class Hit:
    """Leads to `url`, or sets the `theme`."""

    label: str
    url: str
    icon: str
    note: str = ""
    theme: str = ""


@dataclass(frozen=True)
class HitGroup:
    label: str
    hits: tuple[Hit, ...]


class Overview(Page):
    """Is anything wrong, and what changed?"""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        shown = scope.among(frame_of(request).accounts, request.GET)
        page = overview(request.user, shown, currency=request.GET.get("currency", ""))
        template = "dashboard/_overview.html" if request.headers.get("HX-Request") else "dashboard/overview.html"
        return render(request, template, {"page": page})


class Running(Page):
    """The open cost snapshots alone: the part of the overview that moves every second."""

    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        shown = scope.of(request.user, request.GET, self.permission)
        runs = snapshots.visible(request.user).open().filter(source__account__in=shown.accounts)
        return render(request, "dashboard/_running.html", {"running": runs})


class History(Page):
    """What was an account like that is disconnected now?"""

    permission = Perm.ACCOUNTS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        account = get_object_or_404(hanging.disconnected(request.user), pk=pk)
        return render(request, "dashboard/history.html", {"history": history_of(request.user, account)})


class Palette(Page):
    """What can be gone to or done by the words typed so far: pages, accounts, actions, and what runs."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        words = request.GET.get("q", "").lower().split()
        frame = frame_of(request)
        groups = (
            HitGroup("Pages", _pages(frame, words)),
            HitGroup("Accounts", _accounts(frame, words)),
            HitGroup("Actions", _actions(request.user, words)),
            *(_resources(request.user, words) if words else ()),
        )
        template = "dashboard/_palette_results.html" if request.headers.get("HX-Request") else "dashboard/palette.html"
        context = {"groups": [group for group in groups if group.hits], "q": request.GET.get("q", "")}
        return render(request, template, context)


def _resources(user: User, words: list[str]) -> Iterator[HitGroup]:
    """Instances, buckets and functions; without words there would be no end of them."""
    yield HitGroup(
        "Instances",
        tuple(
            Hit(
                row.label,
                reverse("resources:instance", args=[row.account_id, row.region, row.instance_id]),
                "dns",
                f"{row.state} · {row.account.alias}",
            )
            for row in inventory.instances_like(user, words, RESOURCES_SHOWN)
        ),
    )
    yield HitGroup(
        "Buckets",
        tuple(
            Hit(row.name, reverse("resources:bucket", args=[row.account_id, row.name]), "inventory_2", row.account.alias)
            for row in inventory.buckets_like(user, words, RESOURCES_SHOWN)
        ),
    )
    yield HitGroup(
        "Functions",
        tuple(
            Hit(
                row.name,
                reverse("resources:function", args=[row.account_id, row.region, row.name]),
                "bolt",
                f"{row.region} · {row.account.alias}",
            )
            for row in inventory.functions_like(user, words, RESOURCES_SHOWN)
        ),
    )


def _pages(frame: Frame, words: list[str]) -> tuple[Hit, ...]:
    pages = (page for group in frame.groups for page in group.pages)
    found = (page for page in pages if _matches(f"{page.label} {page.words}", words))
    return tuple(Hit(page.label, reverse(page.url_name), page.icon) for page in found)


def _accounts(frame: Frame, words: list[str]) -> tuple[Hit, ...]:
    found = [a for a in frame.accounts if _matches(f"{a.alias} {a.account_id} {a.environment}", words)]
    found.sort(key=lambda a: not any(a.alias.startswith(word) for word in words))  # what is called so before what is like it
    return tuple(
        Hit(a.alias, reverse("accounts:detail", args=[a.pk]), "cloud", figures.account_number(a.account_id))
        for a in found[:ACCOUNTS_SHOWN]
    )


def _actions(user: User, words: list[str]) -> tuple[Hit, ...]:
    found = (one for one in ACTIONS if user.may(one.permission) and _matches(f"{one.label} {one.words}", words))
    return tuple(Hit(one.label, reverse(one.url_name) if one.url_name else "", one.icon, theme=one.theme) for one in found)


def _matches(text: str, words: list[str]) -> bool:
    return all(word in text.lower() for word in words)
