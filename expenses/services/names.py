"""Categories and payment methods by the names that people and files give, made where there is none yet."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeVar

from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet

from cloudconsole.core.errors import CloudconsoleError
from expenses.models import Category, PaymentMethod, Workspace
from expenses.rules import categorising

MAX_NAME = 80

Row = TypeVar("Row", bound=models.Model)


class NameRefused(CloudconsoleError):
    code = "name_refused"
    title = "This cannot be a name"


@dataclass
class Names:
    """Looks names of one workspace up in any case, each once: give the same one to all rows of a file."""

    workspace: Workspace
    _categories: dict[tuple[int | None, str], Category] = field(default_factory=dict)
    _methods: dict[str, PaymentMethod] = field(default_factory=dict)

    def category(self, name: str, subcategory: str = "") -> Category | None:
        """The category, or the subcategory below it. None for no name. Raises NameRefused.

        A name with the sign between the levels in it is two of them, as it is where both are written in one text.
        """
        top, below = categorising.levels(f"{name} › {subcategory}" if subcategory else name)
        name, subcategory = _clean(top, "category"), _clean(below, "subcategory")
        if not name and subcategory:
            raise NameRefused("A subcategory needs a category.", attr="category")
        if not name:
            return None
        parent = self._category(None, name)
        return self._category(parent, subcategory) if subcategory else parent

    def path(self, text: str) -> Category | None:
        """The same by one text: “Travel”, or “Travel › Taxi”."""
        return self.category(*categorising.levels(text))

    def _category(self, parent: Category | None, name: str) -> Category:
        key = (parent.pk if parent else None, name.casefold())
        if key not in self._categories:
            self._categories[key] = _found_or_made(
                Category.objects.filter(workspace=self.workspace, parent=parent, name__iexact=name),
                Category(workspace=self.workspace, parent=parent, name=name),
            )
        return self._categories[key]

    def method(self, name: str) -> PaymentMethod | None:
        """The payment method. None for no name. Raises NameRefused."""
        name = _clean(name, "payment_method")
        if not name:
            return None
        key = name.casefold()
        if key not in self._methods:
            self._methods[key] = _found_or_made(
                PaymentMethod.objects.filter(workspace=self.workspace, name__iexact=name),
                PaymentMethod(workspace=self.workspace, name=name),
            )
        return self._methods[key]


def _found_or_made(named: QuerySet[Row], wanted: Row) -> Row:
    found = named.first()
    if found is not None:
        return found
    try:
        with transaction.atomic():
            wanted.save(force_insert=True)
    except IntegrityError:
        return named.get()  # somebody else was quicker
    return wanted


def _clean(name: str, attr: str) -> str:
    name = " ".join(name.split())
    if len(name) > MAX_NAME:
        raise NameRefused(f"A name has at most {MAX_NAME} characters.", attr=attr)
    return name
