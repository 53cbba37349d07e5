"""What kind of charge a RECORD_TYPE of Cost Explorer is.

The set is open: AWS adds values without notice. An unknown one counts as OTHER, never as usage. Values as met in Cost
Explorer and in the line item types of the Cost and Usage Report (AWS Data Exports user guide, lineItem/LineItemType).
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class ChargeType(StrEnum):
    USAGE = "usage"
    TAX = "tax"
    CREDIT = "credit"
    REFUND = "refund"
    SUPPORT = "support"
    FEE = "fee"
    COMMITMENT = "commitment"
    OTHER = "other"


_CHARGE_TYPES: dict[str, ChargeType] = {
    "usage": ChargeType.USAGE,
    "discountedusage": ChargeType.USAGE,
    "savingsplancoveredusage": ChargeType.USAGE,
    "tax": ChargeType.TAX,
    "credit": ChargeType.CREDIT,
    "refund": ChargeType.REFUND,
    "support": ChargeType.SUPPORT,
    "fee": ChargeType.FEE,
    "flatratesubscription": ChargeType.FEE,
    "savingsplannegation": ChargeType.COMMITMENT,
    "savingsplanrecurringfee": ChargeType.COMMITMENT,
    "savingsplanupfrontfee": ChargeType.COMMITMENT,
    "recurring": ChargeType.COMMITMENT,
    "upfront": ChargeType.COMMITMENT,
    "rifee": ChargeType.COMMITMENT,
    "bundleddiscount": ChargeType.OTHER,
    "discount": ChargeType.OTHER,
    "enterprisediscountprogramdiscount": ChargeType.OTHER,
    "privateratecarddiscount": ChargeType.OTHER,
    "solutionproviderprogramdiscount": ChargeType.OTHER,
    "distributordiscount": ChargeType.OTHER,
    "other": ChargeType.OTHER,
}

# What a gross figure leaves out: money given back.
GIVEN_BACK = frozenset({ChargeType.CREDIT, ChargeType.REFUND})


def classify(record_type: str) -> ChargeType:
    """The kind of charge; AWS writes some values with and without spaces, so those do not count."""
    return _CHARGE_TYPES.get(_spelling(record_type), ChargeType.OTHER)


def is_known(record_type: str) -> bool:
    return _spelling(record_type) in _CHARGE_TYPES


def of_types(record_types: Iterable[str], wanted: Iterable[ChargeType]) -> list[str]:
    """Those of `record_types` that are charges of a wanted type."""
    types = frozenset(wanted)
    return [record_type for record_type in record_types if classify(record_type) in types]


def _spelling(record_type: str) -> str:
    return record_type.replace(" ", "").lower()
