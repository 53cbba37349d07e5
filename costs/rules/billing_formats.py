"""Which billing file a header belongs to: FOCUS 1.0 to 1.3, or AWS's Cost and Usage Report (legacy or 2.0).

Names are compared without case and punctuation, so `lineItem/UnblendedCost` of a CSV file and `line_item_unblended_cost` of a
Parquet file are one. Sources: FOCUS specification 1.2; AWS Data Exports user guide, "Cost and Usage Report (CUR) 2.0".
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

# More than any export has, by far; a header beyond it is an attack or a mistake.
MAX_COLUMNS = 2_000
_PUNCTUATION = re.compile(r"[^a-z0-9]")


class Format(StrEnum):
    FOCUS_1_0 = "focus-1.0"
    FOCUS_1_2 = "focus-1.2"
    FOCUS_1_3 = "focus-1.3"
    CUR_LEGACY = "cur"
    CUR_2_0 = "cur-2.0"

    @property
    def is_focus(self) -> bool:
        return self in {Format.FOCUS_1_0, Format.FOCUS_1_2, Format.FOCUS_1_3}


TITLES: dict[Format, str] = {
    Format.FOCUS_1_0: "FOCUS 1.0",
    Format.FOCUS_1_2: "FOCUS 1.2",
    Format.FOCUS_1_3: "FOCUS 1.3",
    Format.CUR_LEGACY: "Cost and Usage Report (legacy)",
    Format.CUR_2_0: "Cost and Usage Report 2.0",
}

FOCUS_NEEDS = (
    "BillingAccountId", "BillingPeriodStart", "ChargePeriodStart", "BillingCurrency", "BilledCost", "EffectiveCost",
    "ChargeCategory",
)  # fmt: skip
CUR_NEEDS = (
    "bill_payer_account_id", "bill_billing_period_start_date", "line_item_usage_account_id", "line_item_line_item_type",
    "line_item_usage_start_date", "line_item_currency_code", "line_item_unblended_cost",
)  # fmt: skip
_SINCE_1_3 = ("ServiceProviderName", "HostProviderName", "AllocatedMethodId")
_SINCE_1_2 = ("InvoiceId", "BillingAccountType", "SubAccountType", "PricingCurrency")
_SINCE_CUR_2 = ("product", "resource_tags", "bill_payer_account_name", "line_item_usage_account_name")


class UnknownFormat(ValueError):
    """The header is of no billing file that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a file as they are called there, by what they are."""

    format: Format
    columns: Mapping[str, str]

    def name_of(self, column: str) -> str | None:
        """What the file calls `column`; None where it has none."""
        return self.columns.get(key(column))


def key(name: str) -> str:
    return _PUNCTUATION.sub("", name.lower())


def read(names: Sequence[str]) -> Header:
    """What kind of file has these columns. Raises UnknownFormat."""
    if len(names) > MAX_COLUMNS:
        raise UnknownFormat(f"The file has {len(names):,} columns; no export has more than {MAX_COLUMNS:,}.")
    columns: dict[str, str] = {}
    for name in names:
        if key(name) in columns and key(name) in _MATTERS:
            raise UnknownFormat(f"The column {name[:64]} comes twice.")
        columns.setdefault(key(name), name)
    return Header(_format(columns), columns)


def _format(columns: Mapping[str, str]) -> Format:
    focus, cur = _missing(columns, FOCUS_NEEDS), _missing(columns, CUR_NEEDS)
    if not focus:
        return _focus_version(columns)
    if not cur:
        return Format.CUR_2_0 if _any(columns, _SINCE_CUR_2) else Format.CUR_LEGACY
    nearest, name = min((focus, "FOCUS"), (cur, "Cost and Usage Report"), key=lambda pair: len(pair[0]))
    if len(nearest) == len(FOCUS_NEEDS) == len(CUR_NEEDS):
        raise UnknownFormat("The first line names no column of a FOCUS file or of a Cost and Usage Report.")
    raise UnknownFormat(f"It reads like a {name} file, but these columns are missing: {', '.join(nearest)}.")


def _focus_version(columns: Mapping[str, str]) -> Format:
    if _any(columns, _SINCE_1_3):
        return Format.FOCUS_1_3
    return Format.FOCUS_1_2 if _any(columns, _SINCE_1_2) else Format.FOCUS_1_0


def _missing(columns: Mapping[str, str], needed: Sequence[str]) -> list[str]:
    return [name for name in needed if key(name) not in columns]


def _any(columns: Mapping[str, str], names: Sequence[str]) -> bool:
    return any(key(name) in columns for name in names)


_MATTERS = frozenset(key(name) for name in (*FOCUS_NEEDS, *CUR_NEEDS))
