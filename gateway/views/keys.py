"""API keys: which exist, where each goes, when it was last used; stored, rotated, tested and deleted here."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from gateway.forms.keys import ImportForm, KeyFilterForm, KeyForm, RotateForm
from gateway.models import ApiKey
from gateway.rules import console, presets, secret_files
from gateway.rules.console import Shown
from gateway.rules.headers import Headers, value_of
from gateway.selectors import captures, rate_windows, statistics
from gateway.selectors import keys as selectors
from gateway.selectors.keys import KeyFilter
from gateway.services import captures as open_captures
from gateway.services import imports, key_tests, keys, proxying

PAGE_SIZE = 50
REQUESTS_SHOWN = 10


class KeyList(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        form = KeyFilterForm(request.GET)
        form.full_clean()
        wanted = KeyFilter(words=form.cleaned_data.get("q", ""), status=form.cleaned_data.get("status", ""))
        found = selectors.narrowed(selectors.visible(request.user), wanted)
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        count, shown = page.paginator.count, list(page.object_list)
        twins = selectors.twins(request.user, shown)
        nearest = rate_windows.nearest(request.user, shown)
        context = {
            "page": page,
            "rows": [(key, twins.get(key.pk), nearest.get(key.pk)) for key in shown],
            "form": form,
            "filtered": wanted != KeyFilter(),
            "export": f"/api/keys/export?{urlencode({'search': wanted.words, 'status': wanted.status})}",
            "summary": f"{count} key{'' if count == 1 else 's'}",
        }
        return render(request, "gateway/keys.html", context)


class KeyDetail(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest, key_id: int) -> HttpResponse:
        key = selectors.get_for(request.user, key_id)
        context = {
            "key": key,
            "service": presets.BY_SLUG.get(key.preset),
            "window": rate_windows.nearest(request.user, [key]).get(key.pk),
            "requests": captures.marked(statistics.of_key(request.user, key))[:REQUESTS_SHOWN],
            "twin": selectors.twins(request.user, [key]).get(key.pk),
            "address": request.build_absolute_uri(f"/api/proxy/{key.api_name}"),
        }
        return render(request, "gateway/key.html", context)


class AddKey(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return _form(request, KeyForm(preset=presets.BY_SLUG.get(request.GET.get("preset", ""))))

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = KeyForm(request.POST, preset=presets.BY_SLUG.get(request.GET.get("preset", "")))
        if not form.is_valid():
            return _form(request, form, status=400)
        try:
            made = keys.create(given=form.given(), by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return _form(request, form, status=STATUS_OF[error.kind])
        messages.success(request, f"“{made.api_name}” is stored. Test it to see that the service takes it.")
        return redirect("gateway:key", made.pk)


class EditKey(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest, key_id: int) -> HttpResponse:
        return _form(request, KeyForm(key=selectors.get_for(request.user, key_id)))

    def post(self, request: SignedInRequest, key_id: int) -> HttpResponse:
        form = KeyForm(request.POST, key=selectors.get_for(request.user, key_id))
        if not form.is_valid() or form.key is None:
            return _form(request, form, status=400)
        try:
            keys.change(key=form.key, given=form.given(), by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return _form(request, form, status=STATUS_OF[error.kind])
        messages.success(request, "Saved.")
        return redirect("gateway:key", key_id)


class RotateKey(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest, key_id: int) -> HttpResponse:
        return self._form(request, selectors.get_for(request.user, key_id), RotateForm())

    def post(self, request: SignedInRequest, key_id: int) -> HttpResponse:
        key, form = selectors.get_for(request.user, key_id), RotateForm(request.POST)
        if not form.is_valid():
            return self._form(request, key, form, status=400)
        try:
            keys.rotate(
                key=key,
                api_key=form.cleaned_data["api_key"],
                previous_usable_until=form.overlap_until(),
                expires_at=form.cleaned_data["expires_at"],
                by=request.user,
            )
        except CloudconsoleError as error:
            form.refuse(error)
            return self._form(request, key, form, status=STATUS_OF[error.kind])
        messages.success(request, "Requests carry the new key from now on. Test it to see that the service takes it.")
        return redirect("gateway:key", key_id)

    def _form(self, request: SignedInRequest, key: ApiKey, form: RotateForm, *, status: int = 200) -> HttpResponse:
        return render(request, "gateway/rotate.html", {"key": key, "form": form}, status=status)


class _Change(Page):
    """A button on the page of one key."""

    permission = Perm.SELF

    def post(self, request: SignedInRequest, key_id: int) -> HttpResponse:
        key = selectors.get_for(request.user, key_id)
        try:
            self.change(request, key)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return redirect("gateway:key", key_id)

    def change(self, request: SignedInRequest, key: ApiKey) -> None:
        raise NotImplementedError


class TestKey(_Change):
    def change(self, request: SignedInRequest, key: ApiKey) -> None:
        tested = key_tests.test(key=key, by=request.user)
        tell = {True: messages.success, False: messages.error, None: messages.warning}[tested.works]
        tell(request, tested.detail)


class EnableKey(_Change):
    def change(self, request: SignedInRequest, key: ApiKey) -> None:
        keys.set_enabled(key=key, enabled=True, by=request.user)
        messages.success(request, "It can be used again.")


class DisableKey(_Change):
    def change(self, request: SignedInRequest, key: ApiKey) -> None:
        keys.set_enabled(key=key, enabled=False, by=request.user)
        messages.success(request, "Nothing is sent with it until it is enabled again.")


class UndoRotation(_Change):
    def change(self, request: SignedInRequest, key: ApiKey) -> None:
        keys.undo_rotation(key=key, by=request.user)
        messages.success(request, "Requests carry the old key again; the new one is erased.")


class RetireSecret(_Change):
    def change(self, request: SignedInRequest, key: ApiKey) -> None:
        keys.retire_old_secret(key=key, by=request.user)
        messages.success(request, "The old key is erased.")


class CapturedRequest(Page):
    """Headers and bodies of one request, while they are kept."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, key_id: int, log_id: int) -> HttpResponse:
        capture = captures.get_for(request.user, key_id, log_id)
        kept = open_captures.opened(capture)
        parts = [
            Part("request", "Request", kept.request_headers, kept.request_body),
            Part("response", "Response", kept.response_headers, kept.response_body),
        ]
        context = {"row": capture.log, "until": capture.expires_at, "echoed": kept.echoed, "parts": parts}
        return render(request, "gateway/captured.html", context)


@dataclass(frozen=True, slots=True)
class Part:
    """One side of a captured request, as the page shows it."""

    name: str
    title: str
    headers: Headers
    kept: bytes

    @property
    def body(self) -> Shown:
        text, encoding = proxying.text_of(self.kept, value_of(self.headers, "content-type"))
        return console.shown(text if encoding == "utf-8" else None)

    @property
    def is_cut(self) -> bool:
        return len(self.kept) >= open_captures.MOST_BYTES


class DeleteKey(Page):
    """The question first: its secrets cannot be had back."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, key_id: int) -> HttpResponse:
        return self._ask(request, selectors.get_for(request.user, key_id))

    def post(self, request: SignedInRequest, key_id: int) -> HttpResponse:
        key = selectors.get_for(request.user, key_id)
        if request.POST.get("confirm", "").strip().lower() != key.api_name.lower():
            return self._ask(request, key, refusal="Type the name as it stands there.", status=400)
        keys.delete(key=key, by=request.user)
        messages.success(request, f"“{key.api_name}” is deleted.")
        return redirect("gateway:list")

    def _ask(self, request: SignedInRequest, key: ApiKey, *, refusal: str = "", status: int = 200) -> HttpResponse:
        count = statistics.of_key(request.user, key).count()
        return render(request, "gateway/delete_key.html", {"key": key, "refusal": refusal, "count": count}, status=status)


class ImportKeys(Page):
    """The text is pasted, looked at, and only then stored; it is sent a second time rather than kept in between."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        return render(request, "gateway/import.html", {"form": ImportForm()})

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = ImportForm(request.POST)
        if not form.is_valid():
            return render(request, "gateway/import.html", {"form": form}, status=400)
        try:
            found = imports.preview(text=form.cleaned_data["text"], by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return render(request, "gateway/import.html", {"form": form}, status=STATUS_OF[error.kind])
        if "store" not in request.POST:
            skipped = secret_files.skipped(form.cleaned_data["text"])
            return render(request, "gateway/import.html", {"form": form, "found": found, "skipped": skipped})
        done = imports.create(found=found, names=request.POST.getlist("name"), by=request.user)
        return self._stored(request, form, done)

    def _stored(self, request: SignedInRequest, form: ImportForm, done: list[imports.Imported]) -> HttpResponse:
        stored = [one for one in done if one.verdict == "created"]
        for one in done:
            if one.verdict == "invalid":
                messages.error(request, f"“{one.api_name}” was not stored: {one.detail}")
        if not stored:
            messages.warning(request, "Nothing was stored.")
            return render(request, "gateway/import.html", {"form": form, "found": done})
        messages.success(request, f"{len(stored)} key{'' if len(stored) == 1 else 's'} stored.")
        return redirect("gateway:list")


def _form(request: SignedInRequest, form: KeyForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "key": form.key, "presets": presets.PRESETS, "preset": form.preset}
    return render(request, "gateway/key_form.html", context, status=status)
