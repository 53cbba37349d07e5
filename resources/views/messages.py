"""What a page says after something was asked for."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from resources.forms.buckets import RefusableForm
from resources.models import Operation


def asked_for(request: SignedInRequest, operation: Operation) -> HttpResponse:
    """On to the operation's page, where it is seen moving, or waiting for a second person."""
    if operation.status == "awaiting_approval":
        messages.info(request, f"{operation.title} {operation.label}: it waits for a second person's approval.")
    else:
        messages.success(request, f"{operation.title} {operation.label}: it is on its way.")
    return redirect(reverse("operations:detail", args=[operation.pk]))


def told_at_field(form: RefusableForm, error: CloudconsoleError) -> CloudconsoleError | None:
    """Show a refusal at the field that it is about. What is about no field comes back, to stand above the form."""
    if error.attr not in form.fields:
        return error
    form.refuse(error)
    return None
