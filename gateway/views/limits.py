"""How much of each limit is left, soonest exhaustion first; and limits that are kept by hand."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from gateway.forms.limits import LimitForm
from gateway.models import RateWindow
from gateway.selectors import keys
from gateway.selectors import rate_windows as selectors
from gateway.selectors.rate_windows import Gauge
from gateway.services import manual_windows
from gateway.views.lines import Line, line

_FORGOTTEN = "Forgotten. It is back when the API tells it again."
_FILLED = ("key", "limit", "remaining", "unit", "seconds", "policy")
_LOW, _VERY_LOW = 0.25, 0.1


@dataclass(frozen=True, slots=True)
class Row:
    """A gauge with its bar: `width` of a hundred, and its tone."""

    gauge: Gauge
    width: int | None
    tone: str
    line: Line | None


class Limits(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        rows = [_row(gauge) for gauge in selectors.gauges(request.user)]
        context = {
            "rows": [row for row in rows if row.gauge.is_known],
            "past": [row for row in rows if not row.gauge.is_known],
            "has_keys": keys.visible(request.user).exists(),
        }
        return render(request, "gateway/limits.html", context)


class SetLimit(Page):
    """A new one, or another amount in the place of one."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        initial = {name: request.GET[name] for name in _FILLED if name in request.GET}
        return _form(request, LimitForm(user=request.user, initial=initial))

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = LimitForm(request.POST, user=request.user)
        if not form.is_valid():
            return _form(request, form, HTTPStatus.BAD_REQUEST)
        try:
            manual_windows.put(key=form.cleaned_data["key"], given=form.wish, by=request.user)
        except CloudconsoleError as error:
            return _refused(request, form, error)
        return _kept(request, form)


class EditLimit(Page):
    """One that is kept by hand, said anew."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, window_id: int) -> HttpResponse:
        window = selectors.by_hand(request.user, window_id)
        initial = {name: getattr(window, name) for name in (*_FILLED[1:], "reset_at")}
        form = LimitForm(user=request.user, seconds=window.seconds, initial={**initial, "key": window.key_id})
        return _form(request, form)

    def post(self, request: SignedInRequest, window_id: int) -> HttpResponse:
        window = selectors.by_hand(request.user, window_id)
        form = LimitForm(request.POST, user=request.user, seconds=window.seconds)
        if not form.is_valid():
            return _form(request, form, HTTPStatus.BAD_REQUEST)
        try:
            manual_windows.change(window=window, key=form.cleaned_data["key"], given=form.wish, by=request.user)
        except CloudconsoleError as error:
            return _refused(request, form, error)
        return _kept(request, form)


def _form(request: SignedInRequest, form: LimitForm, status: int = HTTPStatus.OK) -> HttpResponse:
    return render(request, "gateway/limit_form.html", {"form": form}, status=status)


def _refused(request: SignedInRequest, form: LimitForm, error: CloudconsoleError) -> HttpResponse:
    form.add_error(error.attr if error.attr in form.fields else None, error.detail)
    return _form(request, form, STATUS_OF[error.kind])


def _kept(request: SignedInRequest, form: LimitForm) -> HttpResponse:
    messages.success(request, f"Keeping the limit of “{form.cleaned_data['key'].api_name}”.")
    return redirect("gateway:limits")


class RemoveLimit(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, window_id: int) -> HttpResponse:
        window = selectors.get_for(request.user, window_id)
        manual_windows.remove(window=window, by=request.user)
        messages.success(request, _kept_no_more(window) if window.is_manual else _FORGOTTEN)
        return redirect("gateway:limits")


def _kept_no_more(window: RateWindow) -> SafeString:
    """With a way back: the form, filled in as the limit was."""
    was = {name: value for name in _FILLED[1:] if (value := getattr(window, name)) not in (None, "")}
    address = f"{reverse('gateway:set-limit')}?{urlencode({'key': window.key_id, **was})}"
    return format_html(
        'The limit of “{}” is kept no more. <a class="link" href="{}">Keep it again</a>', window.key.api_name, address
    )


def _row(gauge: Gauge) -> Row:
    share = gauge.share
    width = None if share is None else round(100 * share)
    return Row(gauge, width, _tone(share), line([(sample.at, sample.remaining) for sample in gauge.samples], gauge.window.limit))


def _tone(share: float | None) -> str:
    if share is None:
        return ""
    return "bad" if share <= _VERY_LOW else "warn" if share <= _LOW else "ok"
