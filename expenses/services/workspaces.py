"""Making workspaces, and saying who is in them as what."""

from __future__ import annotations

from typing import Final

from django.db import IntegrityError, transaction

import audit.services
from accounts.models import User
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import Expense, Workspace, WorkspaceMember
from expenses.rules.currencies import EXPONENTS
from expenses.rules.statuses import MemberRole, Status
from expenses.selectors import workspaces as selectors
from expenses.services import edits

AT_ONCE: Final = 500
ENDED: Final = "Nothing is approved in this workspace any more."


class WorkspaceRefused(CloudconsoleError):
    code = "workspace_refused"
    title = "The workspace cannot be like that"


class NameTaken(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "name_taken"
    title = "There is one of that name"


def personal(user: User) -> Workspace:
    """The workspace of `user` alone, made when it is first needed."""
    found = Workspace.objects.filter(personal_of=user).first()
    return found or _make_personal(user)


def _make_personal(user: User) -> Workspace:
    try:
        with transaction.atomic():
            made = Workspace.objects.create(name=f"Personal ({user.get_username()})"[:80], personal_of=user)
            WorkspaceMember.objects.create(workspace=made, user=user, role=MemberRole.MANAGER)
    except IntegrityError:
        return Workspace.objects.get(personal_of=user)  # two tabs at once
    return made


def create(*, name: str, currency: str, needs_approval: bool, by: User) -> Workspace:
    """Make a shared workspace whose manager is `by`. Raises WorkspaceRefused, NameTaken."""
    _check(name, currency)
    try:
        with transaction.atomic():
            made = Workspace.objects.create(name=name.strip(), currency=currency, needs_approval=needs_approval)
            WorkspaceMember.objects.create(workspace=made, user=by, role=MemberRole.MANAGER)
            audit.services.record(verbs.WORKSPACE_MADE, actor=by, subject=str(made.pk), detail={"name": made.name})
    except IntegrityError as error:
        raise NameTaken("Another workspace has this name.", attr="name") from error
    return made


def change(*, workspace: Workspace, name: str, currency: str, needs_approval: bool, by: User) -> Workspace:
    """Rename it, choose the currency that is offered first, and whether expenses are approved.

    Expenses that wait for approval when it ends are approved. Raises NotAllowed, WorkspaceRefused, NameTaken.
    """
    selectors.require(by, workspace, MemberRole.MANAGER)
    _check(name, currency)
    if needs_approval and workspace.personal_of_id is not None:
        raise WorkspaceRefused("In a personal workspace there is nobody else who could approve.", attr="needs_approval")
    try:
        with transaction.atomic():
            workspace.name, workspace.currency, workspace.needs_approval = name.strip(), currency, needs_approval
            workspace.save(update_fields=["name", "currency", "needs_approval"])
            if not needs_approval:
                _end_approval(workspace, by)
            audit.services.record(verbs.WORKSPACE_CHANGED, actor=by, subject=str(workspace.pk), detail={"name": workspace.name})
    except IntegrityError as error:
        raise NameTaken("Another workspace has this name.", attr="name") from error
    return workspace


def _end_approval(workspace: Workspace, by: User) -> None:
    """Every expense that waits is approved as if by hand: with its next revision, and an event of its own."""
    waiting = Expense.objects.filter(workspace=workspace, status__in=[Status.DRAFT, Status.SUBMITTED, Status.REJECTED])
    while rows := list(waiting.select_for_update().order_by("pk")[:AT_ONCE]):
        now = clock.now()
        for one in rows:
            one.status, one.decision, one.decided_by, one.decided_at = Status.APPROVED, ENDED, by, now
        edits.save_all(rows, ["status", "decision", "decided_by", "decided_at"])
        for one in rows:
            detail: dict[str, str | int | None] = {"workspace": workspace.name, "owner": one.owner_name, "reason": ENDED}
            audit.services.record(verbs.EXPENSE_APPROVED, actor=by, subject=str(one.pk), detail=detail)


def _check(name: str, currency: str) -> None:
    if not name.strip() or len(name.strip()) > 80:
        raise WorkspaceRefused("A name has between 1 and 80 characters.", attr="name")
    if currency not in EXPONENTS:
        raise WorkspaceRefused(f"“{currency[:10]}” is no currency of ISO 4217.", attr="currency")


def put_member(*, workspace: Workspace, user: User, role: MemberRole, by: User) -> WorkspaceMember:
    """Let somebody in, or change as what they are in. Raises NotAllowed, WorkspaceRefused."""
    selectors.require(by, workspace, MemberRole.MANAGER)
    with transaction.atomic():
        _lock_shared(workspace)
        member, _ = WorkspaceMember.objects.update_or_create(workspace=workspace, user=user, defaults={"role": role})
        _require_a_manager(workspace)
        audit.services.record(verbs.MEMBER_CHANGED, actor=by, subject=str(workspace.pk), detail=_told(workspace, user, role))
    return member


def remove_member(*, workspace: Workspace, user: User, by: User) -> None:
    """Take somebody out; what they entered stays. Raises NotAllowed, WorkspaceRefused."""
    if user != by:
        selectors.require(by, workspace, MemberRole.MANAGER)
    with transaction.atomic():
        _lock_shared(workspace)
        WorkspaceMember.objects.filter(workspace=workspace, user=user).delete()
        _require_a_manager(workspace)
        audit.services.record(verbs.MEMBER_REMOVED, actor=by, subject=str(workspace.pk), detail=_told(workspace, user, ""))


def _lock_shared(workspace: Workspace) -> None:
    if Workspace.objects.select_for_update().get(pk=workspace.pk).personal_of_id is not None:
        raise WorkspaceRefused("A personal workspace has one member. Make a shared one.")


def _require_a_manager(workspace: Workspace) -> None:
    if not WorkspaceMember.objects.filter(workspace=workspace, role=MemberRole.MANAGER).exists():
        raise WorkspaceRefused("A workspace needs a manager: name another one first.", attr="role")


def _told(workspace: Workspace, user: User, role: str) -> dict[str, str]:
    return {"name": workspace.name, "member": user.get_username(), "role": role}
