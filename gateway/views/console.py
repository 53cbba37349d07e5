"""The request console: try a request through the proxy, see what comes back, take it along as code."""

from __future__ import annotations

import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.models import User
from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from gateway.forms.console import CurlForm, RequestForm
from gateway.models import ApiKey, Via
from gateway.rules import console, curl, presets, snippets
from gateway.rules.console import Shown
from gateway.rules.curl import Command, NotCurl
from gateway.rules.snippets import Snippet
from gateway.selectors import keys, statistics
from gateway.selectors.statistics import LogFilter
from gateway.services import proxying, rate_windows
from gateway.services.proxying import Call, Whole

_EARLIER = 10


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as the page shows it."""

    whole: Whole
    body: Shown
    warning: str | None

    @property
    def phrase(self) -> str:
        return console.phrase(self.whole.status)

    @property
    def tone(self) -> str:
        return console.tone(self.whole.status)

    @property
    def size(self) -> int:
        return len(self.whole.body)


class RequestConsole(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return _page(request, RequestForm(user=request.user, initial=_initial(request)))

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = RequestForm(request.POST, user=request.user)
        if not form.is_valid():
            return _page(request, form, status=HTTPStatus.BAD_REQUEST)
        began = time.monotonic()
        try:
            answered = _send(request.user, form)
        except CloudconsoleError as error:
            sent = _sent(form.cleaned_data, None, round((time.monotonic() - began) * 1000))
            return _page(request, form, trouble=error, sent=sent, status=STATUS_OF[error.kind])
        sent = _sent(form.cleaned_data, answered.whole.status, answered.whole.duration_ms)
        return _page(request, form, answered=answered, sent=sent)


class PasteCurl(Page):
    """The console, filled in with a cURL command; whatever looked like a credential was left out of it."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return redirect("gateway:console")

    def post(self, request: SignedInRequest) -> HttpResponse:
        pasted = CurlForm(request.POST)
        if not pasted.is_valid():
            return _page(request, RequestForm(user=request.user), pasted=pasted, status=HTTPStatus.BAD_REQUEST)
        try:
            command = curl.parse(pasted.cleaned_data["curl"])
        except NotCurl as error:
            pasted.add_error("curl", str(error))
            return _page(request, RequestForm(user=request.user), pasted=pasted, status=HTTPStatus.BAD_REQUEST)
        form = RequestForm(user=request.user, initial=_filled(request.user, command))
        return _page(request, form, command=command)


class RequestCode(Page):
    """The request of the form as code that calls the proxy."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return redirect("gateway:console")

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = RequestForm(request.POST, user=request.user)
        code = _code(request, form.cleaned_data) if form.is_valid() else []
        return _page(request, form, code=code, status=HTTPStatus.OK if code else HTTPStatus.BAD_REQUEST)


def _page(
    request: SignedInRequest,
    form: RequestForm,
    *,
    answered: Answered | None = None,
    trouble: CloudconsoleError | None = None,
    sent: dict[str, Any] | None = None,
    pasted: CurlForm | None = None,
    command: Command | None = None,
    code: list[Snippet] | None = None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    is_part = bool(request.headers.get("HX-Request"))
    context = {
        "form": form,
        "answered": answered,
        "trouble": trouble,
        "sent": sent,
        "retry_after_s": getattr(trouble, "retry_after_s", None),
        "pasted": pasted or CurlForm(),
        "command": command,
        "code": code,
        "has_keys": is_part or keys.visible(request.user).exists(),
        "earlier": [] if is_part else statistics.logs(request.user, LogFilter(via=Via.CONSOLE)).select_related("key")[:_EARLIER],
    }
    # htmx puts nothing into the page for a failure; the part says itself what failed.
    return render(request, "gateway/console.html", context, status=HTTPStatus.OK if is_part else status)


def _send(user: User, form: RequestForm) -> Answered:
    given = form.cleaned_data
    key: ApiKey | None = given["key"]
    call = Call(given["method"], given["url"], given["headers"], given["body"].encode(), via=Via.CONSOLE)
    whole = proxying.send(call=call, key=key, by=user)
    kind = next((value for name, value in whole.headers if name.lower() == "content-type"), "")
    text, encoding = proxying.text_of(whole.body, kind)
    body = console.shown(text if encoding == "utf-8" else None)
    return Answered(whole, body, rate_windows.warning(key) if key else None)


def _sent(given: dict[str, Any], status: int | None, ms: int) -> dict[str, Any]:
    """What a replay needs, without what looks like a credential. `status` is None where no answer came."""
    kept = Command(given["method"], given["url"], given["headers"], given["body"])
    safe = curl.without_secrets(kept)
    return {
        "key": given["key"].pk if given["key"] else "",
        "key_name": given["key"].api_name if given["key"] else "",
        "method": safe.method,
        "url": safe.url,
        "headers": console.lines_of(safe.headers),
        "body": safe.body,
        "status": status,
        "ms": ms,
    }


def _initial(request: HttpRequest) -> dict[str, Any]:
    """What the address says; for a key alone, the harmless request that proves it."""
    given = {name: request.GET[name] for name in ("method", "url", "headers", "body") if name in request.GET}
    user = request.user
    pk = request.GET.get("key", "")
    if not pk.isdecimal() or not isinstance(user, User):
        return given
    key = keys.visible(user).filter(pk=int(pk[:18])).first()
    if key is None:
        return given
    preset = presets.BY_SLUG.get(key.preset)
    suggested = {"url": key.test_path, "headers": console.lines_of(tuple(preset.headers.items())) if preset else ""}
    return {"key": key.pk, **suggested, **given}


def _filled(user: User, command: Command) -> dict[str, Any]:
    """With the key that is bound to where the command leads, if there is one."""
    key, path = _fitting(user, command.url)
    return {
        "key": key.pk if key else None,
        "method": command.method,
        "url": path or command.url,
        "headers": console.lines_of(command.headers),
        "body": command.body,
    }


def _fitting(user: User, url: str) -> tuple[ApiKey | None, str]:
    if "://" not in url:
        return None, ""
    for key in keys.visible(user).exclude(base_url=""):
        path = snippets.path_below(key.base_url, url)
        if path is not None:
            return key, path
    return None, ""


def _code(request: HttpRequest, given: dict[str, Any]) -> list[Snippet]:
    key: ApiKey | None = given["key"]
    origin = request.build_absolute_uri(reverse("overview")).rstrip("/")
    safe = curl.without_secrets(Command(given["method"], given["url"], given["headers"], given["body"]))
    path = snippets.path_below(key.base_url, safe.url) if key else None
    if key is not None and path is not None:
        call = snippets.through_proxy(
            origin=origin, api_name=key.api_name, method=safe.method, path=path, headers=safe.headers, body=safe.body
        )
    else:
        call = snippets.in_envelope(
            origin=origin, key_id=key.pk if key else None, method=safe.method, url=safe.url, headers=safe.headers, body=safe.body
        )
    return snippets.written(call)
