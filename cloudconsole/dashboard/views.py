"""The pages that show several apps at once."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse

from accounts import scope
from accounts.requests import SignedInRequest
from cloudconsole.core import figures
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from cloudconsole.dashboard.context import Frame, frame_of
from cloudconsole.dashboard.overview import overview
from costs.selectors import snapshots

ACCOUNTS_SHOWN = 8


@dataclass(frozen=True)
class Hit:
    label: str
    url: str
    icon: str
    note: str = ""


@dataclass(frozen=True)
class HitGroup:
    label: str
    hits: tuple[Hit, ...]


class Overview(Page):
    """Is anything wrong, and what changed?"""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        page = overview(request.user, scope.among(frame_of(request).accounts, request.GET))
        template = "dashboard/_overview.html" if request.headers.get("HX-Request") else "dashboard/overview.html"
        return render(request, template, {"page": page})


class Running(Page):
    """The open cost snapshots alone: the part of the overview that moves every second."""

    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        shown = scope.of(request.user, request.GET, self.permission)
        runs = snapshots.visible(request.user).open().filter(source__account__in=shown.accounts)
        return render(request, "dashboard/_running.html", {"running": runs})


class Palette(Page):
    """What can be gone to by the words typed so far: pages and accounts."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        words = request.GET.get("q", "").lower().split()
        frame = frame_of(request)
        groups = (HitGroup("Pages", _pages(frame, words)), HitGroup("Accounts", _accounts(frame, words)))
        template = "dashboard/_palette_results.html" if request.headers.get("HX-Request") else "dashboard/palette.html"
        context = {"groups": [group for group in groups if group.hits], "q": request.GET.get("q", "")}
        return render(request, template, context)


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


def _matches(text: str, words: list[str]) -> bool:
    return all(word in text.lower() for word in words)
