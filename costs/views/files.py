"""The pages about billing files: sent, looked at, stored, taken back; and the buckets they come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from costs.api.imports import rejected_csv
from costs.forms.billing_buckets import BillingBucketForm
from costs.models import ImportStatus, Owner
from costs.rules.windows import DayRange, first_of_month
from costs.selectors import imports as selectors
from costs.selectors.imports import Beside
from costs.selectors.reports import Report
from costs.services.billing import again, buckets, imports
from costs.views import addresses

PAGE_SIZE = 25
_SHOWN_FAULTS = 50
FILES, FILE = "explorer:files", "explorer:file"


class FileList(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest) -> HttpResponse:
        page = Paginator(selectors.visible(request.user), PAGE_SIZE).get_page(request.GET.get("page"))
        context = {
            "page": page,
            "summary": f"{page.paginator.count} file{'' if page.paginator.count == 1 else 's'}",
            "owned": selectors.owned(request.user)[:100],
            "buckets": selectors.buckets(request.user),
            "may_send": request.user.may(Perm.COSTS_REFRESH),
        }
        return render(request, "costs/files.html", context)


class SendFile(Page):
    """The form without a script; with one, the file goes to the API and shows its progress."""

    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest) -> HttpResponse:
        file = request.FILES.get("file")
        if file is None or file.file is None:
            messages.error(request, "Choose a file first.")
            return redirect(FILES)
        try:
            received = imports.receive(name=file.name or "", file=file.file, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
            return redirect(FILES)
        if not received.created:
            messages.info(request, "The same file was sent before; this is what became of it.")
        return redirect(FILE, received.cost_import.pk)


class FileDetail(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        row = selectors.get_for(request.user, pk)
        periods = selectors.periods_of(request.user, row)
        owns = any(one.period.owner == Owner.FILE for one in periods)
        context = {
            "row": row,
            "in_part": row.pk in selectors.only_parts(request.user, [row]),
            "periods": periods,
            "faults": selectors.rejections_of(request.user, row)[:_SHOWN_FAULTS],
            "may_act": request.user.may(Perm.COSTS_REFRESH),
            "overlaps": any(one.cost_explorer is not None for one in periods),
            "is_discardable": not owns and row.status in {ImportStatus.RECEIVED, ImportStatus.READY, ImportStatus.FAILED},
            "lines_url": _lines_url(periods) if owns and row.bucket is None else "",
            "counted_since": selectors.counted_since(request.user, row) if owns else [],
        }
        return render(request, "costs/file.html", context)


def _lines_url(periods: Sequence[Beside]) -> str:
    """The lines of the months that the file tells; which of them are this file's, their periods say."""
    months = [one.period.month for one in periods if one.period.owner == Owner.FILE]
    report = Report(days=DayRange(min(months), first_of_month(max(months), months=1)))
    return addresses.of(report, "explorer:export", format="focus", detail="lines")


class StoreFile(Page):
    """`tells-<period>`: "file" or "cost_explorer", for periods that both tell."""

    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        row = selectors.get_for(request.user, pk, self.permission)
        keep = [
            one.period.pk
            for one in selectors.periods_of(request.user, row)
            if request.POST.get(f"tells-{one.period.pk}") == Owner.COST_EXPLORER
        ]
        return _done(request, pk, lambda: imports.accept(cost_import=row, by=request.user, keep=keep), "Being stored.")


class ApplyFileAgain(Page):
    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        row = selectors.get_for(request.user, pk, self.permission)
        return _done(request, pk, lambda: again.apply(cost_import=row, by=request.user), "A worker reads it again.")


class TakeFileBack(Page):
    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        row = selectors.get_for(request.user, pk, self.permission)
        return _done(request, pk, lambda: imports.roll_back(cost_import=row, by=request.user), "Taken back.")


class DiscardFile(Page):
    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        row = selectors.get_for(request.user, pk, self.permission)
        return _done(
            request, pk, lambda: imports.discard(cost_import=row, by=request.user), "Discarded; nothing of it was stored."
        )


class ChooseOwner(Page):
    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, pk: int, period: int) -> HttpResponse:
        row = selectors.get_for(request.user, pk, self.permission)
        chosen = selectors.period_for(request.user, row, period)
        owner = Owner.COST_EXPLORER if request.POST.get("owner") == Owner.COST_EXPLORER else Owner.FILE
        told = f"{chosen.month:%B %Y} is told by {Owner(owner).label.lower()} now."
        return _done(request, pk, lambda: imports.choose(period=chosen, owner=owner, by=request.user), told)


def _done(request: SignedInRequest, pk: int, act: Callable[[], object], said: str) -> HttpResponse:
    try:
        act()
    except CloudconsoleError as error:
        messages.error(request, error.detail)
    else:
        messages.success(request, said)
    return redirect(FILE, pk)


class RejectedCsv(Page):
    permission = Perm.COSTS_VIEW

    def get(self, request: SignedInRequest, pk: int) -> HttpResponseBase:
        row = selectors.get_for(request.user, pk)
        return rejected_csv(request, selectors.rejections_of(request.user, row))


class AddBucket(Page):
    permission = Perm.COSTS_REFRESH

    def get(self, request: SignedInRequest) -> HttpResponse:
        return render(request, "costs/add_billing_bucket.html", {"form": BillingBucketForm(user=request.user)})

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = BillingBucketForm(request.POST, user=request.user)
        if form.is_valid():
            try:
                bucket = buckets.add(new=form.wish(), by=request.user)
            except CloudconsoleError as error:
                form.add_error("bucket", error.detail)
            else:
                messages.success(request, f"{bucket} is looked into every hour from now on.")
                return redirect(FILES)
        return render(request, "costs/add_billing_bucket.html", {"form": form}, status=400)


class RemoveBucket(Page):
    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, pk, Perm.COSTS_REFRESH)
        try:
            buckets.remove(bucket=bucket, confirm=request.POST.get("confirm", ""), by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        else:
            messages.success(request, f"{bucket} is looked into no more. What was stored from it stays.")
        return redirect(FILES)


class LookIntoBucket(Page):
    permission = Perm.COSTS_REFRESH

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, pk, Perm.COSTS_REFRESH)
        buckets.soon(bucket=bucket, by=request.user)
        messages.success(request, "A worker looks into it now.")
        return redirect(FILES)
