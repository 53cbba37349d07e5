"""Filling in what an expense does not say: conditions on its texts and amount, and what to set when they hold."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, Final


class Operator(StrEnum):
    IS = "is"
    IS_NOT = "is_not"
    CONTAINS = "contains"
    STARTS_WITH = "starts_with"
    ENDS_WITH = "ends_with"
    IS_EMPTY = "is_empty"
    MORE_THAN = "more_than"
    LESS_THAN = "less_than"


TEXTS: Final = (
    "payee",
    "description",
    "location",
    "notes",
    "project",
    "payment_method",
    "category",
    "subcategory",
    "source",
    "currency",
)
NUMBERS: Final = ("cost",)
LISTS: Final = ("tags",)
SETTABLE: Final = ("category", "payee", "description", "payment_method", "location", "project", "tags")
MAX_PARTS: Final = 20
MAX_VALUE: Final = 200


class RuleRefused(ValueError):
    """One plain sentence says why."""


@dataclass(frozen=True)
class Condition:
    field: str
    operator: Operator
    value: str


@dataclass(frozen=True)
class Action:
    """`value`: for "category" it is "Travel" or "Travel › Taxi"; for "tags" a name that is added."""

    field: str
    value: str


@dataclass(frozen=True)
class Rule:
    id: int
    conditions: tuple[Condition, ...]
    actions: tuple[Action, ...]
    match_any: bool = False


@dataclass(frozen=True)
class Facts:
    """An expense as conditions see it. `texts` has every one of TEXTS."""

    texts: Mapping[str, str]
    cost: Decimal
    tags: tuple[str, ...]
    locked: frozenset[str]


@dataclass
class Decision:
    """What to set, and the rules that say so. Tags are added to those that are there."""

    values: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    rules: list[int] = field(default_factory=list)


def levels(value: str) -> tuple[str, str]:
    """ "Travel › Taxi" → ("Travel", "Taxi"); people also type "Travel > Taxi"."""
    top, _, below = value.replace(">", "›").partition("›")
    return top.strip(), below.strip()


def rule_of(id: int, conditions: Iterable[Mapping[str, Any]], actions: Iterable[Mapping[str, Any]], *, match_any: bool) -> Rule:  # noqa: A002
    """What was written down, checked. Raises RuleRefused."""
    read = tuple(_condition(one) for one in conditions)
    done = tuple(_action(one) for one in actions)
    if not read or not done or len(read) > MAX_PARTS or len(done) > MAX_PARTS:
        raise RuleRefused(f"A rule has between 1 and {MAX_PARTS} conditions, and as many actions.")
    return Rule(id, read, done, match_any)


def decide(rules: Sequence[Rule], facts: Facts) -> Decision:
    """In order: the first rule that sets a field wins, and later ones see what it set. Locked fields are left alone."""
    decision, texts, tags = Decision(), dict(facts.texts), list(facts.tags)
    for rule in rules:
        if _holds(rule, texts, facts.cost, tags) and _do(rule, decision, facts.locked, texts, tags):
            decision.rules.append(rule.id)
    return decision


def holds(rule: Rule, facts: Facts) -> bool:
    return _holds(rule, facts.texts, facts.cost, facts.tags)


def _do(rule: Rule, decision: Decision, locked: Collection[str], texts: dict[str, str], tags: list[str]) -> bool:
    did = False
    for action in rule.actions:
        if action.field in locked:
            continue
        if action.field == "tags":
            did |= _tag(action.value, decision, tags)
        elif action.field not in decision.values:
            did |= _set(action, decision, texts)
    return did


def _tag(name: str, decision: Decision, tags: list[str]) -> bool:
    if any(name.casefold() == tag.casefold() for tag in tags):
        return False
    decision.tags.append(name)
    tags.append(name)
    return True


def _set(action: Action, decision: Decision, texts: dict[str, str]) -> bool:
    before = dict(texts)
    if action.field == "category":
        texts["category"], texts["subcategory"] = levels(action.value)
    else:
        texts[action.field] = action.value
    decision.values[action.field] = action.value
    return texts != before


def _holds(rule: Rule, texts: Mapping[str, str], cost: Decimal, tags: Sequence[str]) -> bool:
    results = (_is_met(one, texts, cost, tags) for one in rule.conditions)
    return any(results) if rule.match_any else all(results)


def _is_met(condition: Condition, texts: Mapping[str, str], cost: Decimal, tags: Sequence[str]) -> bool:
    if condition.field in NUMBERS:
        return _NUMERIC[condition.operator](cost, Decimal(condition.value))
    wanted = condition.value.casefold()
    if condition.field in LISTS:
        has = any(wanted == tag.casefold() for tag in tags)
        return not tags if condition.operator is Operator.IS_EMPTY else has != (condition.operator is Operator.IS_NOT)
    return _TEXTUAL[condition.operator](texts[condition.field].casefold(), wanted)


_TEXTUAL: Final[Mapping[Operator, Callable[[str, str], bool]]] = {
    Operator.IS: lambda text, wanted: text == wanted,
    Operator.IS_NOT: lambda text, wanted: text != wanted,
    Operator.CONTAINS: lambda text, wanted: wanted in text,
    Operator.STARTS_WITH: lambda text, wanted: text.startswith(wanted),
    Operator.ENDS_WITH: lambda text, wanted: text.endswith(wanted),
    Operator.IS_EMPTY: lambda text, wanted: not text,
}
_NUMERIC: Final[Mapping[Operator, Callable[[Decimal, Decimal], bool]]] = {
    Operator.IS: lambda cost, wanted: cost == wanted,
    Operator.IS_NOT: lambda cost, wanted: cost != wanted,
    Operator.MORE_THAN: lambda cost, wanted: cost > wanted,
    Operator.LESS_THAN: lambda cost, wanted: cost < wanted,
}
_LISTED: Final = (Operator.IS, Operator.IS_NOT, Operator.IS_EMPTY)


def operators_of(name: str) -> Collection[Operator]:
    """What can be asked of a field."""
    if name in NUMBERS:
        return tuple(_NUMERIC)
    return _LISTED if name in LISTS else tuple(_TEXTUAL)


def _condition(given: Mapping[str, Any]) -> Condition:
    name, value = str(given.get("field", "")), str(given.get("value", "")).strip()
    if name not in (*TEXTS, *NUMBERS, *LISTS):
        raise RuleRefused(f"There is no field “{name[:40]}” to look at.")
    try:
        operator = Operator(str(given.get("operator", "")))
    except ValueError:
        raise RuleRefused(f"“{given.get('operator', '')!s:.40}” is nothing that can be asked.") from None
    if operator not in operators_of(name):
        raise RuleRefused(f"“{operator.value}” cannot be asked of {name}.")
    if not value and operator is not Operator.IS_EMPTY:
        raise RuleRefused("A condition needs a value.")
    return Condition(name, operator, _number(value) if name in NUMBERS else value[:MAX_VALUE])


def _number(value: str) -> str:
    try:
        if Decimal(value).is_finite():
            return value
    except InvalidOperation:
        pass
    raise RuleRefused(f"“{value[:40]}” is not a number.")


def _action(given: Mapping[str, Any]) -> Action:
    name, value = str(given.get("field", "")), " ".join(str(given.get("value", "")).split())
    if name not in SETTABLE:
        raise RuleRefused(f"A rule cannot set “{name[:40]}”.")
    limit = 50 if name == "tags" else 163 if name == "category" else 80
    if not value or len(value) > limit:
        raise RuleRefused(f"What a rule sets has between 1 and {limit} characters.")
    if name == "category" and any(len(part) > 80 for part in levels(value)):
        raise RuleRefused("A category has at most 80 characters.")
    return Action(name, value)
