"""The dimensions of a line item, and Cost Explorer's filter expressions over them (Cost Explorer API, `Expression`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cloudconsole.simulator import cost_tags
from cloudconsole.simulator.line_items import Line
from cloudconsole.simulator.organization import ACCOUNTS, MANAGEMENT
from cloudconsole.simulator.wire import AwsError

Field = Callable[[Line], str]
Predicate = Callable[[Line], bool]

_PURCHASES = {
    "Usage": "On Demand Instances",
    "DiscountedUsage": "Standard Reserved Instances",
    "SavingsPlanCoveredUsage": "Savings Plans",
}


def _constantly(value: str) -> Field:
    return lambda line: value


def _instance_type(line: Line) -> str:
    kind, _, size = line.usage_type.partition(":")
    return size if kind.endswith("Usage") and "." in size else "NoInstanceType"


# In the order in which Cost Explorer lists them (aws-sdk-java-v2#6144).
GROUP_DIMENSIONS: dict[str, Field] = {
    "AZ": _constantly("NoAZ"),
    "INSTANCE_TYPE": _instance_type,
    "LINKED_ACCOUNT": lambda line: line.account,
    "OPERATION": _constantly("NoOperation"),
    "PURCHASE_TYPE": lambda line: _PURCHASES.get(line.record_type, "NoPurchaseType"),
    "SERVICE": lambda line: line.service,
    "USAGE_TYPE": lambda line: line.usage_type,
    "PLATFORM": _constantly("NoOperatingSystem"),
    "TENANCY": _constantly("NoTenancy"),
    "RECORD_TYPE": lambda line: line.record_type,
    "LEGAL_ENTITY_NAME": _constantly("Amazon Web Services, Inc."),
    "INVOICING_ENTITY": _constantly("Amazon Web Services, Inc."),
    "DEPLOYMENT_OPTION": _constantly("NoDeploymentOption"),
    "DATABASE_ENGINE": _constantly("NoDatabaseEngine"),
    "CACHE_ENGINE": _constantly("NoCacheEngine"),
    "INSTANCE_TYPE_FAMILY": lambda line: _instance_type(line).partition(".")[0],
    "REGION": lambda line: line.region,
}
FILTER_DIMENSIONS: dict[str, Field] = GROUP_DIMENSIONS | {
    "PAYER_ACCOUNT": _constantly(MANAGEMENT),
    "LINKED_ACCOUNT_NAME": lambda line: ACCOUNTS[line.account].name,
    "BILLING_ENTITY": _constantly("AWS"),
}
_LEAVES = ("Dimensions", "Tags", "CostCategories")
_ROOTS = ("And", "Or", "Not", *_LEAVES)


def read_filter(expression: Any) -> tuple[Predicate, frozenset[str]]:
    """The expression as a predicate over line items, and the dimensions it names. No expression lets all through."""
    if expression is None:
        return (lambda line: True), frozenset()
    return _node(expression)


def _node(expression: dict[str, Any]) -> tuple[Predicate, frozenset[str]]:
    roots = [root for root in _ROOTS if root in expression]
    if len(roots) != 1 or len(expression) != 1:
        raise _invalid("Filter expression must have exactly one root.")
    root, value = roots[0], expression[roots[0]]
    if root in ("And", "Or"):
        return _several(value, all if root == "And" else any)
    if root == "Not":
        inner, names = _node(value)
        return (lambda line: not inner(line)), names
    return _leaf(root, value)


def _several(parts: list[dict[str, Any]], combine: Callable[[Any], bool]) -> tuple[Predicate, frozenset[str]]:
    if len(parts) < 2:
        raise _invalid("And and Or expressions need at least two operands.")
    read = [_node(part) for part in parts]
    predicates = [predicate for predicate, _ in read]
    names = frozenset().union(*(found for _, found in read))
    return (lambda line: combine(predicate(line) for predicate in predicates)), names


def _leaf(root: str, value: dict[str, Any]) -> tuple[Predicate, frozenset[str]]:
    key, values = value.get("Key", ""), frozenset(value.get("Values") or ())
    options = set(value.get("MatchOptions") or ())
    absent_allowed = {"ABSENT"} if root != "Dimensions" else set()
    if options - {"EQUALS", "CASE_SENSITIVE"} - absent_allowed:
        raise _invalid(f"MatchOptions {sorted(options)} are not supported for {root}.")
    field = _field(root, key)
    if "ABSENT" in options or (root == "Tags" and not values):
        return _absent(root, key), frozenset()
    if not values:
        raise _invalid(f"Values for {key} must not be empty.")
    return (lambda line: field(line) in values), frozenset({key} if root == "Dimensions" else ())


def _absent(root: str, key: str) -> Predicate:
    """Without the tag at all, which an empty value is not. No cost category exists here."""
    return (lambda line: cost_tags.value_of(line, key) is None) if root == "Tags" else (lambda line: True)


def _field(root: str, key: str) -> Field:
    if root == "Tags":
        return lambda line: cost_tags.value_of(line, key) or ""
    if root == "CostCategories":
        return _constantly("")
    if key not in FILTER_DIMENSIONS:
        raise _invalid(f"Dimension {key} is invalid. Valid values are {', '.join(FILTER_DIMENSIONS)}.")
    return FILTER_DIMENSIONS[key]


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
