"""How things are paid: adding, changing and letting go."""

from __future__ import annotations

from django.db import IntegrityError, transaction

import audit.services
from accounts.models import User
from audit.verbs import Verb
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import Expense, PaymentMethod, RecurringExpense, Workspace
from expenses.rules.statuses import MemberRole, MethodKind
from expenses.selectors import workspaces
from expenses.services.names import MAX_NAME
from expenses.services.workspaces import NameTaken


class MethodRefused(CloudconsoleError):
    code = "payment_method_refused"
    title = "The payment method cannot be like that"


class MethodUsed(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "payment_method_used"
    title = "The payment method is used"


def add(*, workspace: Workspace, name: str, kind: MethodKind, last_four: str = "", by: User) -> PaymentMethod:
    """Raises NotAllowed, MethodRefused, NameTaken."""
    workspaces.require(by, workspace, MemberRole.CONTRIBUTOR)
    made = PaymentMethod(workspace=workspace)
    with transaction.atomic():
        _write(made, name, kind, last_four)
        _record(verbs.METHOD_ADDED, made, by)
    return made


def change(*, method: PaymentMethod, name: str, kind: MethodKind, last_four: str, archived: bool, by: User) -> PaymentMethod:
    """An archived one is not offered any more; what was paid with it stays. Raises NotAllowed, MethodRefused, NameTaken."""
    workspaces.require(by, method.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        if archived != (method.archived_at is not None):
            method.archived_at = clock.now() if archived else None
        _write(method, name, kind, last_four)
        _record(verbs.METHOD_CHANGED, method, by)
    return method


def delete(*, method: PaymentMethod, by: User) -> None:
    """Raises MethodUsed for one that anything was paid with: archive it instead; NotAllowed."""
    workspaces.require(by, method.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        if (
            Expense.objects.filter(payment_method=method).exists()
            or RecurringExpense.objects.filter(payment_method=method).exists()
        ):
            raise MethodUsed("Archive it instead: what was paid with it keeps its name.")
        _record(verbs.METHOD_DELETED, method, by)
        method.delete()


def _write(method: PaymentMethod, name: str, kind: MethodKind, last_four: str) -> None:
    method.name, method.kind, method.last_four = " ".join(name.split()), kind, last_four.strip()
    if not method.name or len(method.name) > MAX_NAME:
        raise MethodRefused(f"A name has between 1 and {MAX_NAME} characters.", attr="name")
    if method.last_four and not (len(method.last_four) == 4 and method.last_four.isascii() and method.last_four.isdecimal()):
        raise MethodRefused("The last four digits, and never more of the number.", attr="last_four")
    try:
        with transaction.atomic():
            method.save()
    except IntegrityError as error:
        raise NameTaken("There is a payment method of this name.", attr="name") from error


def _record(verb: Verb, method: PaymentMethod, by: User) -> None:
    audit.services.record(verb, actor=by, subject=str(method.pk), detail={"name": method.name})
