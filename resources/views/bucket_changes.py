"""The pages that make a bucket, and that empty or delete one after saying what goes."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from resources.forms.buckets import NewBucketForm, RemovalForm
from resources.models import Bucket
from resources.selectors import objects as selectors
from resources.services import buckets as services
from resources.services import capabilities
from resources.views.messages import asked_for, told_at_field


class CreateBucket(Page):
    permission = Perm.RESOURCES_OPERATE

    def get(self, request: SignedInRequest) -> HttpResponse:
        form = NewBucketForm(
            accounts=capabilities.operable(request.user, "s3.operate"), initial={"region": request.GET.get("region", "")}
        )
        return self._show(request, form)

    def post(self, request: SignedInRequest) -> HttpResponse:
        form = NewBucketForm(request.POST, accounts=capabilities.operable(request.user, "s3.operate"))
        if not form.is_valid():
            return self._show(request, form, status=HTTPStatus.BAD_REQUEST)
        given = form.cleaned_data
        try:
            made = services.create(
                account=form.chosen_account,
                name=given["name"],
                region=given["region"],
                versioning=given["versioning"],
                by=request.user,
            )
        except CloudconsoleError as error:
            return self._show(request, form, told_at_field(form, error), status=STATUS_OF[error.kind])
        if made.bucket is None:
            return asked_for(request, made.operation)
        messages.success(request, f"{made.bucket.name} is there: private and encrypted.")
        return redirect(reverse("resources:bucket", args=[made.bucket.account_id, made.bucket.name]))

    def _show(
        self,
        request: SignedInRequest,
        form: NewBucketForm,
        trouble: CloudconsoleError | None = None,
        *,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        return render(request, "resources/create_bucket.html", {"form": form, "trouble": trouble}, status=status)


class RemoveBucket(Page):
    permission = Perm.RESOURCES_OPERATE

    def get(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, name, self.permission, account=str(account_id))
        return self._show(request, bucket, RemovalForm(initial={"what": "empty"}))

    def post(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, name, self.permission, account=str(account_id))
        form = RemovalForm(request.POST)
        if not form.is_valid():
            return self._show(request, bucket, form, status=HTTPStatus.BAD_REQUEST)
        what = form.cleaned_data["what"]
        words = {"confirm": form.cleaned_data["confirm"], "reason": form.cleaned_data["reason"]}
        try:
            if what == "empty":
                operation = services.empty(bucket=bucket, by=request.user, **words)
            else:
                operation = services.delete(bucket=bucket, by=request.user, and_empty=what == "both", **words)
        except CloudconsoleError as error:
            return self._show(request, bucket, form, told_at_field(form, error), status=STATUS_OF[error.kind])
        return asked_for(request, operation)

    def _show(
        self,
        request: SignedInRequest,
        bucket: Bucket,
        form: RemovalForm,
        trouble: CloudconsoleError | None = None,
        *,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        context = {
            "trouble": trouble,
            "bucket": bucket,
            "form": form,
            "is_on": capabilities.is_on(bucket.account, "s3.operate"),
            "waits": services.waits_for_approval(bucket, "s3.delete"),
        }
        return render(request, "resources/remove_bucket.html", context, status=status)
