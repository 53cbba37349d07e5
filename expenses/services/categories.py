"""The tree of categories: adding, renaming, moving, merging. Expenses, rules and series follow."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import F

import audit.services
from accounts.models import User
from audit.verbs import Verb
from cloudconsole.core import clock
from cloudconsole.core.errors import CloudconsoleError, Kind
from expenses import verbs
from expenses.models import Category, Expense, ExpenseBudget, RecurringExpense, Rule, Workspace
from expenses.rules import categorising
from expenses.rules.statuses import MemberRole
from expenses.selectors import workspaces
from expenses.services.names import MAX_NAME
from expenses.services.workspaces import NameTaken


class CategoryRefused(CloudconsoleError):
    code = "category_refused"
    title = "The tree of categories cannot be like that"


class CategoryUsed(CloudconsoleError):
    kind = Kind.CONFLICT
    code = "category_used"
    title = "The category is used"


def add(*, workspace: Workspace, name: str, parent: Category | None, by: User) -> Category:
    """Raises NotAllowed, CategoryRefused, NameTaken."""
    workspaces.require(by, workspace, MemberRole.CONTRIBUTOR)
    with transaction.atomic():
        _lock(workspace)
        _check_parent(parent, workspace)
        made = Category(workspace=workspace, parent=parent, name=_clean(name))
        _save(made)
        _record(verbs.CATEGORY_ADDED, made, by)
    return made


def rename(*, category: Category, name: str, by: User) -> Category:
    """Rules that name it follow. Raises NotAllowed, CategoryRefused, NameTaken."""
    workspaces.require(by, category.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        kept = _locked(category)
        before, path = kept.name, str(kept)
        kept.name = _clean(name)
        _save(kept)
        _follow(kept.workspace, path, str(kept))
        _record(verbs.CATEGORY_RENAMED, kept, by, before=before)
    return kept


def move(*, category: Category, parent: Category | None, by: User) -> Category:
    """Under another category, or to the top. Raises NotAllowed, CategoryRefused, NameTaken."""
    workspaces.require(by, category.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        kept = _locked(category)
        _check_parent(parent, kept.workspace)
        if parent is not None and (parent.pk == kept.pk or kept.children.exists()):
            raise CategoryRefused("There are two levels: what has subcategories stays at the top.", attr="parent")
        path = str(kept)
        kept.parent = parent
        _save(kept)
        _follow(kept.workspace, path, str(kept))
        _record(verbs.CATEGORY_MOVED, kept, by, parent=f"“{parent.name}”" if parent else "no other")
    return kept


@transaction.atomic
def change(*, category: Category, name: str, parent: Category | None, by: User) -> Category:
    """Rename and move it; neither where one of them is refused. Raises as both do."""
    if name != category.name:
        category = rename(category=category, name=name, by=by)
    if parent != category.parent:
        category = move(category=category, parent=parent, by=by)
    return category


def merge(*, category: Category, into: Category, by: User) -> int:
    """Let `into` take over the expenses, subcategories, series and rules of `category`, which is gone then.

    Returns how many expenses changed. Budgets of `category` go with it. Raises NotAllowed, CategoryRefused.
    """
    workspaces.require(by, category.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        kept, target = _locked(category), _locked(into)
        if target.pk == kept.pk or target.workspace_id != kept.workspace_id or target.parent_id == kept.pk:
            raise CategoryRefused("Choose another category, which is not below this one.", attr="into")
        if target.parent_id is not None and kept.children.exists():
            raise CategoryRefused("There are two levels: what has subcategories is merged into one at the top.", attr="into")
        count = _merge(kept, target)
        _record(verbs.CATEGORY_MERGED, kept, by, into=str(target), count=count)
    return count


def _merge(kept: Category, target: Category) -> int:
    count = 0
    for child in list(kept.children.all()):
        twin = target.children.filter(name__iexact=child.name).first()
        if twin is None:
            path = str(child)
            Category.objects.filter(pk=child.pk).update(parent=target)
            _follow(kept.workspace, path, f"{target.name} › {child.name}")
        else:
            count += _merge(child, twin)
    now = clock.now()
    count += Expense.objects.filter(category=kept).update(category=target, revision=F("revision") + 1, updated_at=now)
    RecurringExpense.objects.filter(category=kept).update(category=target, updated_at=now)
    _follow(kept.workspace, str(kept), str(target))
    ExpenseBudget.objects.filter(category=kept).delete()
    Category.objects.filter(pk=kept.pk).delete()
    return count


def delete(*, category: Category, by: User) -> None:
    """Raises CategoryUsed for one that anything uses: merge it instead; NotAllowed."""
    workspaces.require(by, category.workspace, MemberRole.APPROVER)
    with transaction.atomic():
        kept = _locked(category)
        series = RecurringExpense.objects.filter(category=kept)
        if kept.children.exists() or Expense.objects.filter(category=kept).exists() or series.exists():
            raise CategoryUsed("Merge it into another one instead, so that its expenses keep a category.")
        _record(verbs.CATEGORY_DELETED, kept, by)
        kept.delete()


def _lock(workspace: Workspace) -> None:
    """The tree of a workspace changes one step at a time, so that it never gets a third level."""
    Workspace.objects.select_for_update().get(pk=workspace.pk)


def _locked(category: Category) -> Category:
    _lock(category.workspace)
    found = Category.objects.select_related("workspace", "parent").filter(pk=category.pk).first()
    if found is None:
        raise CategoryRefused("It was merged or deleted meanwhile.")
    return found


def _check_parent(parent: Category | None, workspace: Workspace) -> None:
    if parent is not None and (parent.workspace_id != workspace.pk or parent.parent_id is not None):
        raise CategoryRefused("There are two levels: choose a category at the top.", attr="parent")


def _clean(name: str) -> str:
    name = " ".join(name.split())
    if not name or len(name) > MAX_NAME or "›" in name or ">" in name:
        raise CategoryRefused(f"A name has between 1 and {MAX_NAME} characters, and no “›” or “>” among them.", attr="name")
    return name


def _save(category: Category) -> None:
    try:
        with transaction.atomic():
            category.save()
    except IntegrityError as error:
        raise NameTaken("There is a category of this name at this place: merge the two instead.", attr="name") from error


def _follow(workspace: Workspace, before: str, after: str) -> None:
    """Rules write categories by name: let them, and those that name something below, say the new one."""
    for rule in Rule.objects.select_for_update().filter(workspace=workspace):
        actions = [_renamed(one, before, after) for one in rule.actions]
        if actions != rule.actions:
            Rule.objects.filter(pk=rule.pk).update(actions=actions, updated_at=clock.now())


def _renamed(action: dict[str, str], before: str, after: str) -> dict[str, str]:
    if action["field"] != "category":
        return action
    top, below = categorising.levels(action["value"])
    path = f"{top} › {below}" if below else top
    if path.casefold() == before.casefold():
        return {**action, "value": after}
    if below and top.casefold() == before.casefold() and "›" not in after:
        return {**action, "value": f"{after} › {below}"}
    return action


def _record(verb: Verb, category: Category, by: User, **more: str | int) -> None:
    detail: dict[str, str | int | None] = {"name": category.name, **more}
    audit.services.record(verb, actor=by, subject=str(category.pk), detail=detail)
