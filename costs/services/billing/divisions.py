"""How a billing file is divided among accounts: by bill, each with the periods of one account."""

from __future__ import annotations

from typing import Any

from costs.models import CostImport, ImportedPeriod
from costs.services.billing import contents, homes
from costs.services.billing.content import UnreadableFile
from costs.services.billing.contents import Bill
from costs.services.billing.engine import Engine


def periods(row: CostImport, duck: Engine) -> list[ImportedPeriod]:
    """Raises UnreadableFile where a month's bill is in several currencies or comes from several payers."""
    found: dict[tuple[str, object], ImportedPeriod] = {}
    for bill in bills(duck):
        key = (bill.home, bill.month)
        if key in found:
            first = found[key]
            told = (
                f"in {first.currency} and {bill.currency}"
                if first.currency != bill.currency
                else f"by {first.payer} and {bill.payer}"
            )
            raise UnreadableFile(
                f"The account {bill.home} is billed {told} in {bill.month:%Y-%m}. A month's bill is in one currency."
            )
        found[key] = ImportedPeriod(cost_import=row, number=bill.home, month=bill.month, **told_of(bill))
    return list(found.values())


def told_of(bill: Bill) -> dict[str, Any]:
    return {
        "payer": bill.payer,
        "currency": bill.currency,
        "lines": bill.lines,
        "unblended": bill.amounts.unblended,
        "amortized": bill.amounts.amortized,
        "accounts": list(bill.accounts),
    }


def bills(duck: Engine) -> list[Bill]:
    return list(contents.bills(duck, homes.counted_by_themselves(contents.accounts(duck))))
