"""What is said of an expense, checked and turned into columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from accounts.models import AwsAccount
from cloudconsole.core.errors import CloudconsoleError
from expenses.models import Category, Expense, PaymentMethod, RecurringExpense
from expenses.rules import currencies, wording
from expenses.rules.currencies import NotAnAmount
from expenses.rules.entries import Entry
from expenses.services.names import Names

EARLIEST: Final = date(1970, 1, 1)
LATEST: Final = date(2199, 12, 31)
LENGTHS: Final = {"description": 500, "payee": 200, "location": 200, "project": 80, "notes": 10_000, "external_id": 200}


class ExpenseRefused(CloudconsoleError):
    code = "expense_refused"
    title = "The expense cannot be like that"


@dataclass(frozen=True, slots=True)
class ExpenseInput(Entry):
    """An expense as it is entered. Categories and payment methods are made where there is none of the name yet."""

    account: AwsAccount | None = None
    project: str = ""


@dataclass(frozen=True)
class Fields:
    """The columns of an expense that people set; what follows from them is in `derived`."""

    date: date
    category: Category | None
    description: str
    payee: str
    cost: Decimal
    currency: str
    payment_method: PaymentMethod | None
    location: str
    tags: tuple[str, ...]
    notes: str
    account: AwsAccount | None
    project: str


# By these names fields are locked, changed in bulk and told in the trail.
EDITABLE: Final = tuple(Fields.__dataclass_fields__)
# What an input and its columns say in the same words.
_AS_THEY_ARE: Final = ("currency", "payee", "description", "location", "notes", "account", "project")


def check(given: ExpenseInput, names: Names) -> Fields:
    """Raises ExpenseRefused, NameRefused."""
    tags = tuple(wording.tags_of(given.tags))
    check_tags(tags)
    line(given.external_id, "external_id")
    line(given.notes, "notes")
    return Fields(
        date=_day(given.date),
        category=names.category(given.category, given.subcategory),
        description=line(given.description, "description"),
        payee=line(given.payee, "payee"),
        cost=_cost(given.cost, given.currency),
        currency=given.currency,
        payment_method=names.method(given.payment_method),
        location=line(given.location, "location"),
        tags=tags,
        notes=given.notes.strip(),
        account=given.account,
        project=line(given.project, "project"),
    )


def write(expense: Expense, fields: Fields) -> None:
    """Set the columns, and what follows from them; nothing is saved."""
    for name in EDITABLE:
        setattr(expense, name, getattr(fields, name))
    expense.tags = list(fields.tags)
    derive(expense)


def derive(expense: Expense) -> None:
    """What the search and the completion read."""
    expense.payee_key = wording.key_of(expense.payee)
    texts = (expense.payee, expense.description, expense.location, expense.project, *expense.tags, expense.notes)
    expense.searched = wording.searched(texts)


def fields_of(expense: Expense) -> Fields:
    values = {name: getattr(expense, name) for name in EDITABLE}
    return Fields(**{**values, "tags": tuple(expense.tags)})


def input_of(said: Expense | RecurringExpense) -> ExpenseInput:
    """What was said of it; of a series: what each of its expenses says, on its first day. Reads the category, its parent and
    the payment method.
    """
    top, below = levels(said.category)
    of_one = {"date": said.date, "external_id": said.external_id} if isinstance(said, Expense) else {"date": said.start}
    return ExpenseInput(
        cost=currencies.amount_of(said.cost, said.currency),
        category=top,
        subcategory=below,
        payment_method=said.payment_method.name if said.payment_method else "",
        tags=tuple(said.tags),
        **{name: getattr(said, name) for name in _AS_THEY_ARE},
        **of_one,
    )


def levels(category: Category | None) -> tuple[str, str]:
    """The names of a category and of its subcategory; empty for none."""
    if category is None:
        return "", ""
    return (category.parent.name, category.name) if category.parent else (category.name, "")


def _cost(cost: Decimal, currency: str) -> Decimal:
    try:
        return currencies.amount_of(cost, currency)
    except NotAnAmount as error:
        raise ExpenseRefused(str(error), attr="cost" if currency in currencies.EXPONENTS else "currency") from error


def _day(day: date) -> date:
    if not EARLIEST <= day <= LATEST:
        raise ExpenseRefused(f"A day lies between {EARLIEST} and {LATEST}.", attr="date")
    return day


def line(text: str, name: str) -> str:
    """The text in one line. Raises ExpenseRefused for one that is too long for the field of that `name`."""
    if len(text) > LENGTHS[name]:
        raise ExpenseRefused(f"At most {LENGTHS[name]:,} characters.", attr=name)
    return " ".join(text.split())


def check_tags(tags: Sequence[str]) -> None:
    """Raises ExpenseRefused."""
    if len(tags) > wording.MAX_TAGS or any(len(tag) > wording.MAX_TAG for tag in tags):
        raise ExpenseRefused(f"At most {wording.MAX_TAGS} tags of at most {wording.MAX_TAG} characters each.", attr="tags")
