"""The pages that show several apps at once."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from cloudconsole.dashboard import figures
from cloudconsole.dashboard.context import Frame

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


def palette(request: HttpRequest) -> HttpResponse:
    """What can be gone to by the words typed so far: pages and accounts."""
    words = request.GET.get("q", "").lower().split()
    frame = Frame(request)
    groups = (HitGroup("Pages", _pages(frame, words)), HitGroup("Accounts", _accounts(frame, words)))
    template = "dashboard/_palette_results.html" if request.headers.get("HX-Request") else "dashboard/palette.html"
    return render(request, template, {"groups": [group for group in groups if group.hits], "q": request.GET.get("q", "")})


def _pages(frame: Frame, words: list[str]) -> tuple[Hit, ...]:
    pages = (page for group in frame.groups for page in group.pages)
    found = (page for page in pages if _matches(f"{page.label} {page.words}", words))
    return tuple(Hit(page.label, reverse(page.url_name), page.icon) for page in found)


def _accounts(frame: Frame, words: list[str]) -> tuple[Hit, ...]:
    found = [a for a in frame.accounts if _matches(f"{a.alias} {a.account_id} {a.environment}", words)]
    return tuple(
        Hit(a.alias, reverse("accounts:detail", args=[a.pk]), "cloud", figures.account_number(a.account_id))
        for a in found[:ACCOUNTS_SHOWN]
    )


def _matches(text: str, words: list[str]) -> bool:
    return all(word in text.lower() for word in words)
