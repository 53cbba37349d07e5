"""Receipts of expenses: adding and removing."""

from __future__ import annotations

from django.db import IntegrityError, transaction

import audit.services
from accounts.models import User
from audit.verbs import Verb
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import Expense, Receipt, ReceiptFile
from expenses.rules import receipts
from expenses.rules.receipts import ReceiptRefused
from expenses.rules.statuses import MemberRole
from expenses.selectors import workspaces
from expenses.services.expenses import require_changeable


class ReceiptInvalid(CloudconsoleError):
    code = "receipt_refused"
    title = "This cannot be a receipt"


class ReceiptTooLarge(CloudconsoleError):
    kind = Kind.TOO_LARGE
    code = "receipt_too_large"
    title = "The receipt is too large"


def add(*, expense: Expense, name: str, sent: bytes, by: User) -> Receipt:
    """Keep a file with an expense; the same file twice is there once. Raises NotAllowed, ReceiptInvalid, ReceiptTooLarge."""
    _require(expense, by)
    if len(sent) > receipts.MAX_BYTES:
        raise ReceiptTooLarge(f"A receipt has at most {receipts.MAX_BYTES // 1024 // 1024} MB.", attr="file")
    try:
        read = receipts.read(sent)
    except ReceiptRefused as error:
        raise ReceiptInvalid(str(error), attr="file") from error
    with transaction.atomic():
        file, _ = ReceiptFile.objects.get_or_create(
            workspace=expense.workspace,
            sha256=read.sha256,
            defaults={"content_type": read.content_type, "size": len(read.content), "content": read.content},
        )
        receipt, is_new = Receipt.objects.get_or_create(
            expense=expense,
            file=file,
            defaults={"name": receipts.file_name(name, read.content_type), "added_by": by},
        )
        if is_new:
            _record(verbs.RECEIPT_ADDED, expense, by)
    return receipt


def remove(*, receipt: Receipt, by: User) -> None:
    """Take it away; the file goes with the last expense that has it. Raises NotAllowed, NotChangeable."""
    expense = receipt.expense
    _require(expense, by)
    require_changeable(expense)  # others decide by what is on the receipt
    with transaction.atomic():
        Receipt.objects.filter(pk=receipt.pk).delete()
        try:
            with transaction.atomic():
                if not Receipt.objects.filter(file=receipt.file_id).exists():
                    ReceiptFile.objects.filter(pk=receipt.file_id).delete()
        except IntegrityError:
            pass  # it was added to another expense at this moment, and stays
        _record(verbs.RECEIPT_REMOVED, expense, by)


def _require(expense: Expense, by: User) -> None:
    needed = MemberRole.CONTRIBUTOR if expense.owner_id == by.pk else MemberRole.APPROVER
    workspaces.require(by, expense.workspace, needed)


def _record(verb: Verb, expense: Expense, by: User) -> None:
    detail: dict[str, str | int | None] = {"workspace": expense.workspace.name}
    audit.services.record(verb, actor=by, subject=str(expense.pk), detail=detail)
