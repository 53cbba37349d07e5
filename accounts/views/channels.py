"""Settings → Notifications: channels, what is sent to each and when, and what became of every message. For admins."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.forms.channels import ChannelForm, DeliveryFilterForm
from accounts.models import ChannelKind, DeliveryStatus, NotificationChannel
from accounts.requests import SignedInRequest
from accounts.selectors import channels as selectors
from accounts.services import channels, deliveries
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import STATUS_OF, Page
from cloudconsole.core.permissions import Perm

PAGE_SIZE = 50


class ChannelList(Page):
    permission = Perm.NOTIFICATIONS_MANAGE

    def get(self, request: SignedInRequest) -> HttpResponse:
        context = {"channels": selectors.visible(request.user), "kinds": ChannelKind.choices, "current": "notifications"}
        return render(request, "settings/channels.html", context)


@method_decorator(never_cache, name="dispatch")
class AddChannel(Page):
    permission = Perm.NOTIFICATIONS_MANAGE

    def get(self, request: SignedInRequest, kind: str) -> HttpResponse:
        return _form(request, ChannelForm(_kind(kind)))

    def post(self, request: SignedInRequest, kind: str) -> HttpResponse:
        form = ChannelForm(_kind(kind), data=request.POST)
        if not form.is_valid():
            return _form(request, form, status=400)
        try:
            made = channels.create(kind=kind, given=form.given(), by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return _form(request, form, status=STATUS_OF[error.kind])
        messages.success(request, f"“{made.name}” is saved. Send a test message to see that it works.")
        return redirect("settings:channel", made.pk)


class EditChannel(Page):
    permission = Perm.NOTIFICATIONS_MANAGE

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        channel = selectors.get_for(request.user, pk)
        return _form(request, ChannelForm(ChannelKind(channel.kind), channel))

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        channel = selectors.get_for(request.user, pk)
        form = ChannelForm(ChannelKind(channel.kind), channel, request.POST)
        if not form.is_valid():
            return _form(request, form, status=400)
        try:
            channels.change(channel=channel, given=form.given(), by=request.user)
        except CloudconsoleError as error:
            form.refuse(error)
            return _form(request, form, status=STATUS_OF[error.kind])
        messages.success(request, "Saved.")
        return redirect("settings:channel", pk)


class TestChannel(Page):
    permission = Perm.NOTIFICATIONS_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        channel = selectors.get_for(request.user, pk)
        tested = deliveries.test(channel=channel, by=request.user)
        if tested.status == DeliveryStatus.SENT:
            answer = f" Its answer: {tested.http_status} {tested.answer}".rstrip() if tested.http_status else ""
            messages.success(request, f"The test message was sent.{answer}")
        else:
            messages.error(request, f"The test message did not arrive: {tested.error_detail} {tested.answer}".rstrip())
        return redirect("settings:channel", pk)


class DeleteChannel(Page):
    permission = Perm.NOTIFICATIONS_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        channel = selectors.get_for(request.user, pk)
        channels.delete(channel=channel, by=request.user)
        messages.success(request, f"“{channel.name}” is deleted. What was sent to it stays in the log.")
        return redirect("settings:notifications")


class DeliveryLog(Page):
    permission = Perm.NOTIFICATIONS_MANAGE

    def get(self, request: SignedInRequest) -> HttpResponse:
        filters = DeliveryFilterForm(request.GET)
        filters.full_clean()
        page = Paginator(filters.narrowed(selectors.deliveries(request.user)), PAGE_SIZE).get_page(request.GET.get("page"))
        count = page.paginator.count
        context = {
            "page": page,
            "filters": filters,
            "filtered": any(filters.cleaned_data.values()),
            "summary": f"{count} message{'' if count == 1 else 's'}",
            "current": "notifications",
        }
        return render(request, "settings/deliveries.html", context)


class RetryDelivery(Page):
    permission = Perm.NOTIFICATIONS_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        try:
            deliveries.retry(delivery=selectors.delivery_for(request.user, pk), by=request.user)
        except deliveries.NotRetryable as refusal:
            messages.warning(request, refusal.detail)
        else:
            messages.success(request, "The message is sent again.")
        return redirect("settings:deliveries")


class DismissDelivery(Page):
    permission = Perm.NOTIFICATIONS_MANAGE

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        try:
            deliveries.dismiss(delivery=selectors.delivery_for(request.user, pk), by=request.user)
        except deliveries.NotRetryable as refusal:
            messages.warning(request, refusal.detail)
        else:
            messages.success(request, "The message is put aside.")
        return redirect("settings:deliveries")


def _kind(text: str) -> ChannelKind:
    if text not in ChannelKind.values:
        raise selectors.ChannelNotFound("There is no such kind of channel.")
    return ChannelKind(text)


def _form(request: SignedInRequest, form: ChannelForm, *, status: int = 200) -> HttpResponse:
    channel: NotificationChannel | None = form.channel
    context = {"form": form, "channel": channel, "kind": form.kind, "mail": settings.EMAIL_CONFIGURED, "current": "notifications"}
    return render(request, "settings/channel.html", context, status=status)
