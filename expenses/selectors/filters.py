"""The parameters of an address that narrow expenses, read strictly: a value that means nothing is refused by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final, TypeVar

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q
from django.http import QueryDict
from django.utils.dateparse import parse_date

from accounts.models import User
from cloudconsole.core.errors import CloudconsoleError
from cloudconsole.core.permissions import Perm
from expenses.models import Category, PaymentMethod, Workspace
from expenses.rules import categorising, currencies
from expenses.rules.statuses import Status
from expenses.selectors.expenses import EMPTY, ExpenseFilter

WEEKDAYS: Final = frozenset("1234567")
MAX_VALUES: Final = 50
MAX_LENGTH: Final = 256
NAMES: Final = (
    "workspace", "start", "end", "until", "category", "payee", "payment_method", "tag", "status", "currency", "owner",
    "account", "location", "min", "max", "search", "only_tag", "only_category", "without", "weekday",
)  # fmt: skip

Value = TypeVar("Value")


class FilterRefused(CloudconsoleError):
    code = "filter_refused"
    title = "The filter cannot be read"


def read(query: QueryDict, user: User | AnonymousUser, *, workspaces: tuple[int, ...] = ()) -> ExpenseFilter:
    """`workspaces` where the address names none. `until` is the last day, `end` the day after it. Raises FilterRefused."""
    end, until = _day(query, "end"), _day(query, "until")
    return ExpenseFilter(
        workspaces=_each(query, "workspace", _number) or workspaces,
        start=_day(query, "start"),
        end=until + timedelta(days=1) if until and until < date.max else end,
        categories=tuple(pk for one in _texts(query, "category") for pk in _categories(one, user)),
        payees=_texts(query, "payee"),
        methods=tuple(pk for one in _texts(query, "payment_method") for pk in _methods(one, user)),
        tags=_texts(query, "tag"),
        statuses=_each(query, "status", _status),
        currencies=_each(query, "currency", _currency),
        owners=_each(query, "owner", _number),
        accounts=_each(query, "account", _number),
        locations=_texts(query, "location"),
        minimum=_amount(query, "min"),
        maximum=_amount(query, "max"),
        search=_text(query, "search"),
        only_tags=_texts(query, "only_tag"),
        only_categories=_each(query, "only_category", _number),
        without=_each(query, "without", _emptied),
        weekdays=_each(query, "weekday", _weekday),
    )


def _text(query: QueryDict, name: str) -> str:
    found: str = query.get(name, "").strip()
    if len(found) > MAX_LENGTH:
        raise FilterRefused(f"At most {MAX_LENGTH} characters.", attr=name)
    return found


def _texts(query: QueryDict, name: str) -> tuple[str, ...]:
    found = tuple(one.strip() for one in query.getlist(name) if one.strip())
    if len(found) > MAX_VALUES or any(len(one) > MAX_LENGTH for one in found):
        raise FilterRefused(f"At most {MAX_VALUES} values of {MAX_LENGTH} characters.", attr=name)
    return found


def _each(query: QueryDict, name: str, read_one: Callable[[str], Value]) -> tuple[Value, ...]:
    try:
        return tuple(read_one(one) for one in _texts(query, name))
    except ValueError as error:
        raise FilterRefused(str(error), attr=name) from error


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise ValueError(f"“{text[:40]}” is not a number.")
    return int(text)


def _status(text: str) -> str:
    if text not in list(Status):
        raise ValueError(f"One of: {', '.join(Status)}.")
    return text


def _currency(text: str) -> str:
    if text.upper() not in currencies.EXPONENTS:
        raise ValueError(f"“{text[:10]}” is no currency of ISO 4217.")
    return text.upper()


def _emptied(text: str) -> str:
    if text not in EMPTY:
        raise ValueError(f"One of: {', '.join(EMPTY)}.")
    return text


def _weekday(text: str) -> int:
    if text not in WEEKDAYS:
        raise ValueError("A number from 1 (Monday) to 7.")
    return int(text)


def _day(query: QueryDict, name: str) -> date | None:
    text = _text(query, name)
    try:
        found = parse_date(text) if text else None
    except ValueError:
        found = None
    if text and found is None:
        raise FilterRefused("A day such as 2026-11-22.", attr=name)
    return found


def _amount(query: QueryDict, name: str) -> Decimal | None:
    text = _text(query, name)
    if not text:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite() or not -currencies.MAX_COST <= found <= currencies.MAX_COST or found != round(found, 4):
        raise FilterRefused("An amount such as 12.50.", attr=name)
    return found


def _categories(text: str, user: User | AnonymousUser) -> Iterable[int]:
    """By number or by name: “Travel” or “Travel › Taxi”. A name that nobody uses matches nothing."""
    if text.isascii() and text.isdecimal():
        return [_number(text)] if len(text) < 16 else [-1]
    top, below = categorising.levels(text)
    named = Q(name__iexact=below, parent__name__iexact=top) if below else Q(name__iexact=top, parent=None)
    return list(Category.objects.visible_to(user, Perm.SELF).filter(named).values_list("pk", flat=True)[:MAX_VALUES]) or [-1]


def _methods(text: str, user: User | AnonymousUser) -> Iterable[int]:
    if text.isascii() and text.isdecimal() and len(text) < 16:
        return [int(text)]
    named = PaymentMethod.objects.visible_to(user, Perm.SELF).filter(name__iexact=text)
    return list(named.values_list("pk", flat=True)[:MAX_VALUES]) or [-1]


def own_workspaces(user: User) -> tuple[int, ...]:
    """What a list without a workspace in its address is about: those that `user` is in, for an admin too."""
    return tuple(Workspace.objects.of(user).ids())
