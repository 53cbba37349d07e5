"""Receipts: adding one, looking at it, taking it away."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from accounts.requests import SignedInRequest
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.pages import Page
from cloudconsole.core.permissions import Perm
from expenses.forms.downloads import receipt_file
from expenses.rules.receipts import MAX_BYTES
from expenses.selectors import expenses, plans
from expenses.services import receipts


class AddReceipt(Page):
    permission = Perm.SELF

    def post(self, request: SignedInRequest, pk: uuid.UUID) -> HttpResponse:
        expense, file = expenses.get_for(request.user, pk), request.FILES.get("file")
        if file is None:
            messages.error(request, "Choose a file first.")
            return redirect("expenses:detail", pk)
        try:
            receipts.add(expense=expense, name=file.name or "", sent=file.read(MAX_BYTES + 1), by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return redirect("expenses:detail", pk)


class ReceiptFilePage(Page):
    """The file itself, to be saved and never run. Posting here takes it away."""

    permission = Perm.SELF

    def get(self, request: SignedInRequest, pk: int) -> HttpResponse:
        return receipt_file(plans.receipt_for(request.user, pk))

    def post(self, request: SignedInRequest, pk: int) -> HttpResponse:
        receipt = plans.receipt_for(request.user, pk)
        try:
            receipts.remove(receipt=receipt, by=request.user)
        except CloudconsoleError as error:
            messages.error(request, error.detail)
        return redirect("expenses:detail", receipt.expense_id)
