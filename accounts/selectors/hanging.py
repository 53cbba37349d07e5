"""What hangs on an AWS account: counted over every model that refers to it, whichever app it is from."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Model

from accounts.models import AwsAccount, User
from accounts.models.aws_account import AwsAccountQuerySet
from cloudconsole.core.permissions import Perm

_DEEPEST = 3  # account → source → snapshot → window


@dataclass(frozen=True)
class Hanging:
    """Rows of one kind, by the name that people read."""

    name: str
    count: int


def hanging_on(account: AwsAccount) -> list[Hanging]:
    """What would go with the account if it were purged, most first. Rows that nobody would miss by name are counted too."""
    counts: dict[str, int] = {}
    for model, path in _paths(AwsAccount, "", 0, frozenset()):
        name = str(model._meta.verbose_name_plural).replace("aws ", "AWS ")
        counts[name] = counts.get(name, 0) + model._base_manager.filter(**{path: account}).count()
    found = [Hanging(name, count) for name, count in counts.items() if count]
    return sorted(found, key=lambda one: -one.count)


def disconnected(user: User) -> AwsAccountQuerySet:
    """Accounts that were disconnected and not purged, the latest first: for those who manage accounts, and nobody else."""
    gone = AwsAccount.objects.exclude(deleted_at=None).select_related("hub").order_by("-deleted_at")
    return gone if user.is_active and user.may(Perm.ACCOUNTS_MANAGE) else gone.none()


def _paths(model: type[Model], path: str, depth: int, seen: frozenset[type[Model]]) -> list[tuple[type[Model], str]]:
    """Models that point to an account, directly or through one another, with the look-up that leads there."""
    if depth == _DEEPEST:
        return []
    found: list[tuple[type[Model], str]] = []
    for relation in model._meta.related_objects:
        # A reference that is merely emptied keeps its row; only what would be deleted along hangs on the account.
        if relation.on_delete is None or relation.on_delete.__name__ != "CASCADE":
            continue
        below, field = relation.related_model, relation.field.name
        if not isinstance(below, type) or below in seen:
            continue
        down = f"{field}__{path}" if path else field
        found += [(below, down), *_paths(below, down, depth + 1, seen | {below})]
    return found
