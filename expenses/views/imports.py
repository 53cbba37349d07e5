"""The pages about importing files: sent, mapped, looked through, imported, taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.forms.downloads import rejected_csv
from expenses.forms.imports import LayoutForm, ReadingForm, currency_choices
from expenses.models import BatchStatus, ImportBatch, PaymentMethod
from expenses.rules.importing.verdicts import TAKEABLE, Decision, Verdict
from expenses.selectors import import_files, imports
from expenses.services.importing import batches
from expenses.views.place import place_of

LIST, DETAIL = "expense_imports:list", "expense_imports:detail"
PAGE_SIZE: Final = 25
ROWS_SHOWN: Final = 50

VERDICTS: Final = {
    Verdict.NEW: "New",
    Verdict.KEPT: "Several times in the file",
    Verdict.NEAR: "Perhaps there already",
    Verdict.CHANGED: "Changed at the source",
    Verdict.DUPLICATE: "There already",
    Verdict.SKIPPED: "Left out",
    Verdict.INVALID: "Cannot be read",
}


class ImportList(Page):
    """Which files were sent, and what became of them?"""

    permission = Perm.SELF

    def get(self, request: SignedInRequest) -> HttpResponse:
        place = place_of(request)
        found = imports.visible(request.user).filter(workspace=place.workspace)
        page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "place": place,
            "tab": "import",
            "page": page,
            "summary": f"{page.paginator.count} file{'' if page.paginator.count == 1 else 's'}",
            "mappings": imports.mappings(request.user).filter(workspace=place.workspace)[:50],
        }
        return render(request, "expense_imports/list.html", context)


class SendImport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest) -> HttpResponse:
        workspace, file = place_of(request).workspace, request.FILES.get("file")
        if file is None or file.file is None:
            messages.error(request, "Choose a file first.")
            return _list(workspace.pk)
        try:
            received = batches.receive(workspace=workspace, name=file.name or "", file=file.file, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return _list(workspace.pk)
        if received.same is not None:
            messages.info(request, "The same file was sent before. What of it is there already will not be added again.")
        return redirect(DETAIL, received.batch.pk)


class ImportDetail(Page):
    """What is in the file, and what would become of it? A page for each of its states."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_for(request.user, pk)
        context = {"batch": batch, "may_act": imports.may_change(request.user, batch)}
        if batch.status == BatchStatus.MAPPING:
            return render(request, "expense_imports/mapping.html", context | _mapping(batch, request.GET))
        return render(request, "expense_imports/detail.html", context | _rows(request, batch))


def _mapping(batch: ImportBatch, given: QueryDict, form: ReadingForm | None = None) -> dict[str, Any]:
    """The forms and the first rows as they would be read; `given` holds what a form without a script asks to see."""
    if form is None:
        form = ReadingForm(given, batch=batch) if "dates" in given else ReadingForm(batch=batch)
    reading = form.reading if form.is_bound and form.is_valid() else batch.meaning
    found = import_files.sample(batch, batch.how_read)
    return {
        "form": form,
        "layout_form": LayoutForm(batch=batch, sheets=found.sheets),
        "sample": found,
        "previewed": import_files.preview(found.rows, reading),
        "reading": reading,
        "currencies": currency_choices(),
        "methods": PaymentMethod.objects.filter(workspace=batch.workspace),
    }


class PreviewImport(Page):
    """The first rows as they would be read with what the form says now."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_for(request.user, pk)
        return render(request, "expense_imports/_preview.html", {"batch": batch, **_mapping(batch, request.GET)})


class LayOutImport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        sheets = import_files.sample(batch, batch.how_read).sheets
        form = LayoutForm(request.POST, batch=batch, sheets=sheets)
        if not form.is_valid():
            messages.error(request, "The file cannot be read like that: look at what was chosen.")
            return redirect(DETAIL, pk)
        return _done(request, pk, lambda: batches.describe(batch=batch, layout=form.layout, by=request.user), "Read in that way.")


class StageImport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        form = ReadingForm(request.POST, batch=batch)
        if form.is_valid():
            try:
                batches.stage(batch=batch, reading=form.reading, source=form.cleaned_data["source"], by=request.user)
            except batches.MappingIncomplete as error:
                form.add_error(None, error.detail)
            else:
                return redirect(DETAIL, pk)
        context = {"batch": batch, "may_act": True, **_mapping(batch, request.POST, form)}
        return render(request, "expense_imports/mapping.html", context, status=400)


def _rows(request: SignedInRequest, batch: ImportBatch) -> dict[str, Any]:
    """The rows with one verdict, or all, a page after the other by their numbers."""
    verdict = request.GET.get("verdict", "")
    after = request.GET.get("after", "")
    found = imports.with_action(imports.rows(batch, [verdict] if verdict in VERDICTS else []))
    if after.isascii() and after.isdecimal() and len(after) < 16:
        found = found.filter(number__gt=int(after))
    shown = list(found[: ROWS_SHOWN + 1]) if batch.status != BatchStatus.STAGING else []
    more = len(shown) > ROWS_SHOWN
    shown = shown[:ROWS_SHOWN]
    matches = imports.matches(shown)
    for row in shown:
        row.matched = matches.get(row.match) if row.match else None
    return {
        "rows": shown,
        "verdict": verdict,
        "verdicts": [(one, title, batch.count(one)) for one, title in VERDICTS.items() if batch.count(one)],
        "takeable": {one.value for one in TAKEABLE},
        "tally": imports.tally(batch),
        "next_after": shown[-1].number if more else None,
        "is_first": not after,
        "not_imported": sum(batch.count(one) for one in VERDICTS if one not in (Verdict.NEW, Verdict.KEPT)),
        "left": batch.created + batch.updated,
    }


class DecideRows(Page):
    """`row` (repeatable) or `verdict`; `decision`: take or leave."""

    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        numbers = [int(one) for one in request.POST.getlist("row") if one.isascii() and one.isdecimal() and len(one) < 16]
        decision = Decision.TAKE if request.POST.get("decision") == Decision.TAKE else Decision.LEAVE
        verdict = request.POST.get("verdict", "")
        try:
            if "all" in request.POST and verdict in VERDICTS:
                batches.decide(batch=batch, decision=decision, by=request.user, verdict=Verdict(verdict))
            elif numbers:
                batches.decide(batch=batch, decision=decision, by=request.user, numbers=numbers)
            else:
                messages.error(request, "Choose rows first.")
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        back = request.POST.get("back", "")
        return redirect(f"{redirect(DETAIL, pk).url}?{QueryDict(back).urlencode()}")


class CommitImport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        return _done(request, pk, lambda: batches.commit(batch=batch, by=request.user))


class RollBackImport(Page):
    """What would go, and what was edited since?"""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        edited = imports.conflicts(batch)
        context = {
            "batch": batch,
            "made": imports.made(batch).count(),
            "conflicts": edited[: imports.CONFLICTS_SHOWN],
            "conflict_count": edited.count(),
        }
        return render(request, "expense_imports/roll_back.html", context)

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        takes_edited = request.POST.get("edited") == "remove"
        return _done(request, pk, lambda: batches.roll_back(batch=batch, by=request.user, takes_edited=takes_edited))


class RemapImport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        return _done(request, pk, lambda: batches.remap(batch=batch, by=request.user))


class RetryImport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        return _done(request, pk, lambda: batches.retry(batch=batch, by=request.user))


class DiscardImport(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        batch = imports.get_to_change(request.user, pk)
        answer = _done(
            request, pk, lambda: batches.discard(batch=batch, by=request.user), "Discarded; nothing of it was imported."
        )
        is_gone = ImportBatch.objects.filter(pk=pk, status=BatchStatus.DISCARDED).exists()
        return _list(batch.workspace_id) if is_gone else answer


class NotImportedCsv(Page):
    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: int) -> HttpResponseBase:
        return rejected_csv(request, imports.get_for(request.user, pk))


class ForgetMapping(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        mapping = imports.mapping_for(request.user, pk)
        batches.forget(mapping=mapping, by=request.user)
        messages.success(request, f"Columns of files of {mapping.source} are recognised anew from now on.")
        return _list(mapping.workspace_id)


def _list(workspace: int) -> HttpResponse:
    """Back to the files of the workspace that they are in."""
    return redirect(f"{reverse(LIST)}?workspace={workspace}")


def _done(request: SignedInRequest, pk: int, act: Callable[[], object], said: str = "") -> HttpResponse:
    try:
        act()
    except CloudconsoleError as error:
        messages.error(request, error.detail)
    else:
        if said:
            messages.success(request, said)
    return redirect(DETAIL, pk)
