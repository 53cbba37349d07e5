"""What people probably mean, from what they entered before."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from accounts.models import User
from cloudconsole.core.permissions import Perm
from expenses.models import Category, Expense, PaymentMethod, Workspace
from expenses.rules import wording

# The latest rows tell what somebody enters these days; more of them would only be slower.
LATEST: Final = 3_000
OFFERED: Final = 12
TAGS_OF: Final = 1_000


@dataclass(frozen=True)
class Last:
    """What was said of a payee last."""

    payee: str
    category: str
    payment_method: str
    currency: str
    location: str


@dataclass(frozen=True)
class Choices:
    """What is offered in the fields of the entry row."""

    categories: list[str]
    methods: list[str]
    tags: list[str]


def payees(user: User, workspace: Workspace, typed: str) -> list[str]:
    """Names that some word of begins with what was typed, the most frequent of late first."""
    key = wording.key_of(typed)
    found = Expense.objects.visible_to(user, Perm.SELF).filter(workspace=workspace).newest_first()
    latest = list(found.exclude(payee="").values_list("payee", "payee_key")[:LATEST])
    counts: Counter[str] = Counter()
    spelled: dict[str, str] = {}
    for payee, payee_key in latest:
        if payee_key.startswith(key) or f" {key}" in payee_key:
            counts[payee_key] += 1
            spelled.setdefault(payee_key, payee)
    return [spelled[one] for one, _ in counts.most_common(OFFERED)]


def last_of(user: User, workspace: Workspace, payee: str) -> Last | None:
    """The newest expense of the payee. None for one that is new."""
    found = Expense.objects.visible_to(user, Perm.SELF).filter(workspace=workspace, payee_key=wording.key_of(payee))
    one = found.newest_first().select_related("category__parent", "payment_method").first() if payee.strip() else None
    if one is None:
        return None
    method = one.payment_method.name if one.payment_method else ""
    return Last(one.payee, str(one.category or ""), method, one.currency, one.location)


def choices(workspace: Workspace) -> Choices:
    """The names that the workspace uses; of tags, those of its latest expenses."""
    categories = Category.objects.filter(workspace=workspace).select_related("parent")
    methods = PaymentMethod.objects.filter(workspace=workspace, archived_at=None).values_list("name", flat=True)
    latest = Expense.objects.kept().filter(workspace=workspace).newest_first().values_list("tags", flat=True)[:TAGS_OF]
    tags = {tag for given in latest for tag in given}
    return Choices(sorted(str(one) for one in categories), list(methods), sorted(tags, key=str.casefold))
