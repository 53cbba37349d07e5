"""Tags and filters of the console's pages: figures, times, states, and addresses that keep the scope."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from html import escape
from itertools import zip_longest
from typing import Any

from django import template
from django.http import HttpRequest, QueryDict
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import AwsAccount
from cloudconsole.aws.policy import CAPABILITIES
from cloudconsole.core import clock, figures
from cloudconsole.dashboard.navigation import PLACE_PARAMETERS, SCOPE_PARAMETERS
from cloudconsole.dashboard.states import State, state_of
from resources.selectors.overview import what_runs as runs_in

register = template.Library()


@register.simple_tag
def icon(name: str, extra: str = "") -> SafeString:
    """A symbol for the eye only: the words beside it say the same."""
    return format_html('<span class="icon {}" aria-hidden="true" translate="no">{}</span>', extra, name)


@register.simple_tag
def money(amount: Decimal | None, currency: str | None = None, why: str = "Not known", places: int | None = None) -> SafeString:
    """An amount with its currency; every digit on hover. Unknown is a dash with its reason, never 0."""
    if amount is None:
        return unknown(why)
    code = currency or ""
    return format_html(
        '<span class="money" title="{}">{}</span>', figures.exact(amount, code), figures.money(amount, code, places=places)
    )


@register.simple_tag
def money_cells(
    amounts: Iterable[Decimal | None], currency: str | None = None, why: str = "Not known", urls: Iterable[str] = ()
) -> SafeString:
    """The same as a row's cells. A table of a year by day has thousands, so they are made at once.

    `urls`: where each leads; empty for one that leads nowhere.
    """
    code, missing = currency or "", unknown(why)
    cells = (missing if amount is None else _money(amount, code) for amount in amounts)
    linked = (_linked(cell, url) for cell, url in zip_longest(cells, urls, fillvalue=""))
    return SafeString("".join(f'<td class="num">{cell}</td>' for cell in linked))


def _linked(cell: str, url: str) -> str:
    return f'<a class="link-quiet" href="{escape(url)}">{cell}</a>' if url else cell


def _money(amount: Decimal, code: str) -> str:
    return f'<span class="money" title="{escape(figures.exact(amount, code))}">{escape(figures.money(amount, code))}</span>'


@register.simple_tag
def count(amount: Decimal | None, why: str = "Not known") -> SafeString:
    """What is counted rather than paid. Unknown is a dash with its reason, never 0."""
    return (
        unknown(why or "Not known") if amount is None else format_html('<span class="figures">{}</span>', figures.count(amount))
    )


@register.simple_tag
def unknown(why: str = "Not known") -> SafeString:
    return format_html(
        '<span class="unknown" title="{}">{}<span class="visually-hidden">{}</span></span>', why, figures.UNKNOWN, why
    )


@register.simple_tag
def change(amount: Decimal | None, currency: str | None = None, why: str = "Nothing to compare with") -> SafeString:
    """A difference in money: arrow, sign and colour say the same thing three times."""
    if amount is None:
        return unknown(why)
    text = figures.money(abs(amount), currency or "")
    return _delta(amount, f"+{text}" if amount > 0 else f"{figures.MINUS}{text}", figures.exact(amount, currency or ""))


@register.simple_tag
def delta(now: Decimal | None, before: Decimal | None) -> SafeString:
    """By how much `now` is more or less than `before`, as a share of it."""
    if now is None or before is None or before == 0:
        return unknown("Nothing to compare with")
    share = (now - before) / abs(before)
    if abs(share) < Decimal("0.0005"):
        return format_html('<span class="delta">{}</span>', "about the same")
    word = "more" if share > 0 else "less"
    return _delta(share, f"{figures.percent(share)} {word}", "")


def _delta(difference: Decimal, text: str, title: str) -> SafeString:
    if difference == 0:
        return format_html('<span class="delta" title="{}">±0</span>', title)
    direction, mark = ("up", "▲") if difference > 0 else ("down", "▼")
    return format_html(
        '<span class="delta {}" title="{}"><span class="mark" aria-hidden="true">{}</span> {}</span>',
        direction,
        title,
        mark,
        text,
    )


@register.simple_tag
def moment(value: datetime | None, why: str = "Never") -> SafeString:
    """A moment: absolute in UTC, with how long ago on the side."""
    if value is None:
        return unknown(why)
    return format_html(
        '<time datetime="{iso}">{text}</time> <span class="ago">· <span data-ago="{iso}">{ago}</span></span>',
        iso=value.isoformat(),
        text=_absolute(value),
        ago=figures.ago(value, clock.now()),
    )


@register.simple_tag
def ago(value: datetime | None, why: str = "never") -> SafeString:
    """How long ago; the moment itself on hover."""
    if value is None:
        return unknown(why)
    return format_html(
        '<time datetime="{iso}" title="{text}" data-ago="{iso}">{ago}</time>',
        iso=value.isoformat(),
        text=_absolute(value),
        ago=figures.ago(value, clock.now()),
    )


def _absolute(value: datetime) -> str:
    return f"{value.day} {value:%b %Y %H:%M} UTC"


@register.filter
def lasted(value: timedelta | None) -> str:
    return figures.UNKNOWN if value is None else figures.duration(value)


@register.filter
def span(value: timedelta | None) -> str:
    """29 d 4 h."""
    return figures.UNKNOWN if value is None else figures.span(value)


@register.filter
def grouped(value: int | None) -> str:
    """1234567 → "1,234,567"."""
    return figures.UNKNOWN if value is None else f"{value:,}"


@register.filter
def digits(value: Decimal | None) -> str:
    """Every digit that is known, without zeros at the end."""
    return figures.UNKNOWN if value is None else figures.exact(value, "")


@register.filter
def spaced(name: str) -> str:
    """starts_with → "starts with"."""
    return name.replace("_", " ")


@register.filter
def account_number(value: str | None) -> str:
    return figures.account_number(value or "") or figures.UNKNOWN


@register.simple_tag
def capability_sentence(name: str) -> str:
    """What a capability of an AWS account is for."""
    capability = CAPABILITIES.get(name)
    return capability.sentence if capability else ""


@register.filter
def capability_name(name: str) -> str:
    """key_rotation → Key rotation, ec2.read → EC2: read."""
    capability = CAPABILITIES.get(name)
    return capability.title if capability else name


@register.inclusion_tag("parts/_pill.html")
def pill(value: str, text: str = "") -> dict[str, State | str]:
    """A state with icon and word. `text` replaces the state's own word."""
    state = state_of(value)
    return {"state": state, "text": text or state.word}


@register.inclusion_tag("resources/_what_runs.html", takes_context=True)
def what_runs(context: Context, account: AwsAccount) -> dict[str, Any]:
    """What runs in one account, for its page: what stands below the resources cannot read them itself."""
    return {"request": context["request"], "runs": runs_in(context["user"], [account]), "account": account}


@register.inclusion_tag("parts/_progress.html")
def progress(done: int, total: int, unit: str, label: str, state: str = "") -> dict[str, str | int]:
    return {"done": done, "total": total, "unit": unit, "label": label, "tone": state_of(state).tone if state else ""}


@register.inclusion_tag("parts/_sparkline.html")
def sparkline(values: list[Decimal | None], label: str, width: int = 88, height: int = 22) -> dict[str, Any]:
    """A line without axes. Gaps (None) are left out, never drawn as zero."""
    known = [(at, float(value)) for at, value in enumerate(values) if value is not None]
    if len(known) < 2:
        return {"points": "", "label": label}
    low, high = min(value for _, value in known), max(value for _, value in known)
    span, step = (high - low) or 1.0, (width - 2) / (len(values) - 1)
    points = " ".join(f"{1 + at * step:.1f},{height - 2 - (value - low) / span * (height - 4):.1f}" for at, value in known)
    return {"points": points, "label": label, "width": width, "height": height, "flat": high == low}


@register.simple_tag(takes_context=True)
def scoped(context: Context, name: str, *args: Any, **kwargs: Any) -> str:
    """The address of a page, with the scope the reader has chosen."""
    return reverse(name, args=args, kwargs=kwargs) + _query(_scope_only(_request_query(context)))


@register.simple_tag(takes_context=True)
def url_with(context: Context, **changes: Any) -> str:
    """This page's address with some parameters changed; None or "" takes one away. Paging starts over."""
    query = _request_query(context)
    for gone in PLACE_PARAMETERS:
        query.pop(gone, None)
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return _query(query) or "?"


@register.inclusion_tag("parts/_kept_parameters.html", takes_context=True)
def keep_scope(context: Context) -> dict[str, list[tuple[str, str]]]:
    """Hidden fields that carry the scope through a GET form."""
    return {"pairs": _pairs(_scope_only(_request_query(context)))}


@register.inclusion_tag("parts/_kept_parameters.html", takes_context=True)
def keep_filters(context: Context) -> dict[str, list[tuple[str, str]]]:
    """Hidden fields that carry everything but the scope (and the page number) through the scope's form."""
    query = _request_query(context)
    for name in (*SCOPE_PARAMETERS, *PLACE_PARAMETERS):
        query.pop(name, None)
    return {"pairs": _pairs(query)}


def _request_query(context: Context) -> QueryDict:
    request = context.get("request")
    return request.GET.copy() if isinstance(request, HttpRequest) else QueryDict(mutable=True)


def _scope_only(query: QueryDict) -> QueryDict:
    kept = QueryDict(mutable=True)
    for name in SCOPE_PARAMETERS:
        if name in query:
            kept.setlist(name, query.getlist(name))
    return kept


def _pairs(query: QueryDict) -> list[tuple[str, str]]:
    return [(name, value) for name, values in query.lists() for value in values]


def _query(query: QueryDict) -> str:
    return f"?{query.urlencode()}" if query else ""
