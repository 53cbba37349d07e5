"""The pages that look into a bucket: folders and objects, downloads, uploads, deleting what was chosen."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlencode

from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from accounts.requests import SignedInRequest
from accounts.selectors import aws_accounts
from cloudconsole.core.errors import CloudconsoleError, Kind
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm
from resources.forms.buckets import BrowseForm, DeleteObjectsForm, DownloadForm, LinkForm, reference_of
from resources.models import Bucket
from resources.rules import object_keys
from resources.selectors import objects as selectors
from resources.services import buckets as bucket_services
from resources.services import capabilities, uploads
from resources.services import objects as services
from resources.services.objects import Entry, Listing
from resources.views.messages import asked_for, told_at_field

PAGE_SIZE = 100
_ICONS = {"image": "image", "text": "description", "video": "movie", "audio": "audio_file"}


@dataclass(frozen=True, slots=True)
class Row:
    """An object as the list shows it."""

    entry: Entry
    reference: str
    download: str
    share: str
    icon: str

    @property
    def storage_class(self) -> str:
        return self.entry.storage_class.replace("_", " ").capitalize()


class ObjectList(Page):
    permission = Perm.OBJECTS_READ

    def get(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, name, self.permission, account=str(account_id))
        asked = BrowseForm(request.GET)
        asked.full_clean()
        given = {field: asked.cleaned_data.get(field, "") for field in ("prefix", "token", "versions")}
        try:
            listing, trouble = _listed(bucket, request, **given), None
        except CloudconsoleError as error:
            if error.kind is Kind.FORBIDDEN:
                raise
            listing, trouble = None, error
        context = {
            **given,
            "bucket": bucket,
            "listing": listing,
            "rows": [_row(bucket, entry) for entry in listing.entries] if listing else [],
            "trouble": trouble,
            "crumbs": object_keys.crumbs(given["prefix"]),
            "may_change": _may_change(request, bucket),
        }
        return render(request, "resources/objects.html", context, status=STATUS_OF[trouble.kind] if trouble else HTTPStatus.OK)


class Download(Page):
    """Leads to S3 by a link that lasts for minutes; the file does not pass through here."""

    permission = Perm.OBJECTS_READ

    def get(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, name, self.permission, account=str(account_id))
        asked = DownloadForm(request.GET)
        if not asked.is_valid():
            raise uploads.InvalidKey("The address names no object.")
        link = services.link(
            bucket=bucket, key=asked.cleaned_data["key"], version_id=asked.cleaned_data["version_id"], by=request.user
        )
        return redirect(link.url)


class ShareObject(Page):
    """Shows a link once, for somebody who does not sign in here."""

    permission = Perm.OBJECTS_READ

    def get(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, name, self.permission, account=str(account_id))
        given = {"key": request.GET.get("key", ""), "version_id": request.GET.get("version_id", "")}
        return self._show(request, bucket, LinkForm(initial={**given, "seconds": 3_600}))

    def post(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, name, self.permission, account=str(account_id))
        form = LinkForm(request.POST)
        if not form.is_valid():
            return self._show(request, bucket, form, status=400)
        return self._show(request, bucket, form, services.link(bucket=bucket, by=request.user, **form.cleaned_data))

    def _show(
        self, request: SignedInRequest, bucket: Bucket, form: LinkForm, link: services.Link | None = None, *, status: int = 200
    ) -> HttpResponse:
        key = form["key"].value() or ""
        context = {"bucket": bucket, "form": form, "link": link, "key": key, "folder": key[: key.rfind("/") + 1]}
        return render(request, "resources/share.html", context, status=status)


class UploadFiles(Page):
    """Without a script the files come in one form, and the page answers when the last one is stored."""

    permission = Perm.RESOURCES_OPERATE

    def post(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, name, self.permission, account=str(account_id))
        prefix, replace = request.POST.get("prefix", ""), request.POST.get("replace") == "yes"
        for file in request.FILES.getlist("file"):
            _store(request, bucket, prefix, file, if_absent=not replace)
        query = f"?{urlencode({'prefix': prefix})}" if prefix else ""
        return redirect(reverse("resources:objects", args=[account_id, name]) + query)


class DeleteObjects(Page):
    """Says what would be deleted, and asks for it once the person is sure."""

    permission = Perm.RESOURCES_OPERATE

    def post(self, request: SignedInRequest, account_id: int, name: str) -> HttpResponse:
        bucket = selectors.bucket_for(request.user, name, self.permission, account=str(account_id))
        form = DeleteObjectsForm(request.POST)
        if not form.is_valid():
            messages.warning(request, "Choose first what is to be deleted.")
            return redirect(reverse("resources:objects", args=[account_id, name]))
        given = form.cleaned_data
        if not given["sure"]:
            return self._show(request, bucket, form)
        try:
            operation = bucket_services.delete_objects(
                bucket=bucket, objects=given["object"], by=request.user, confirm=given["confirm"], reason=given["reason"]
            )
        except CloudconsoleError as error:
            return self._show(request, bucket, form, told_at_field(form, error), status=STATUS_OF[error.kind])
        return asked_for(request, operation)

    def _show(
        self,
        request: SignedInRequest,
        bucket: Bucket,
        form: DeleteObjectsForm,
        trouble: CloudconsoleError | None = None,
        *,
        status: int = HTTPStatus.OK,
    ) -> HttpResponse:
        chosen = form.cleaned_data["object"]
        context = {
            "trouble": trouble,
            "bucket": bucket,
            "form": form,
            "chosen": [(reference_of(one.key, one.version_id), one) for one in chosen],
            "prefix": form.cleaned_data["prefix"],
            "needs_name": len(chosen) > 1,
            "keeps_versions": bucket.versioning == "enabled" and not any(one.version_id for one in chosen),
            "waits": bucket_services.waits_for_approval(bucket, "s3.delete_objects"),
        }
        return render(request, "resources/delete_objects.html", context, status=status)


def _may_change(request: SignedInRequest, bucket: Bucket) -> bool:
    """Whether to offer it; the services decide again."""
    is_on = capabilities.is_on(bucket.account, "s3.operate")
    return is_on and aws_accounts.may(request.user, bucket.account, Perm.RESOURCES_OPERATE)


def _listed(bucket: Bucket, request: SignedInRequest, *, prefix: str, token: str, versions: bool) -> Listing:
    browse = services.browse_versions if versions else services.browse
    return browse(bucket=bucket, by=request.user, prefix=prefix, token=token, size=PAGE_SIZE)


def _row(bucket: Bucket, entry: Entry) -> Row:
    named = {"key": entry.key, **({"version_id": entry.version_id} if entry.version_id else {})}
    query, place = urlencode(named), [bucket.account_id, bucket.name]
    download, share = (f"{reverse(f'resources:{page}', args=place)}?{query}" for page in ("download", "share-object"))
    kind = object_keys.content_type(entry.key).partition("/")[0]
    icon = "cancel" if entry.is_delete_marker else _ICONS.get(kind, "draft")
    return Row(entry, reference_of(entry.key, entry.version_id), download, share, icon)


def _store(request: SignedInRequest, bucket: Bucket, prefix: str, file: UploadedFile[bytes], *, if_absent: bool) -> None:
    key = f"{prefix}{file.name}"
    try:
        uploads.upload(
            bucket=bucket,
            key=key,
            stream=file.file,  # type: ignore[arg-type]  # a binary file, whatever the stubs say
            size=file.size or 0,
            content_type=file.content_type or "",
            if_absent=if_absent,
            by=request.user,
        )
    except CloudconsoleError as error:
        messages.error(request, f"{key}: {error.detail} {getattr(error, 'remedy', '')}")
    else:
        messages.success(request, f"{key} is stored.")
