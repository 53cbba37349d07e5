"""Billing files to import: small ones written here, and the simulated ledger's as FOCUS or Cost and Usage Report."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping, Sequence
from decimal import Decimal

from accounts.models import User
from costs.models import CostImport
from costs.services.billing import imports, runs

PAYER, MEMBER = "511111111111", "522222222222"
FOCUS = (
    "BillingAccountId", "BillingAccountName", "SubAccountId", "SubAccountName", "BillingPeriodStart", "BillingPeriodEnd",
    "ChargePeriodStart", "ChargePeriodEnd", "BillingCurrency", "BilledCost", "EffectiveCost", "ListCost", "ContractedCost",
    "ChargeCategory", "ChargeClass", "ChargeFrequency", "ServiceName", "RegionId", "SkuMeter", "InvoiceId", "Tags",
    "CommitmentDiscountId", "CommitmentDiscountType", "CommitmentDiscountStatus",
)  # fmt: skip
CUR = (
    "bill/PayerAccountId", "bill/BillingPeriodStartDate", "lineItem/UsageAccountId", "lineItem/LineItemType",
    "lineItem/UsageStartDate", "lineItem/CurrencyCode", "lineItem/UnblendedCost", "lineItem/BlendedCost", "lineItem/ProductCode",
    "lineItem/UsageType", "product/ProductName", "product/region", "savingsPlan/SavingsPlanEffectiveCost",
    "savingsPlan/TotalCommitmentToDate", "savingsPlan/UsedCommitment", "reservation/EffectiveCost",
    "reservation/UnusedAmortizedUpfrontFeeForBillingPeriod", "reservation/UnusedRecurringFee", "reservation/ReservationARN",
)  # fmt: skip


def focus_row(**given: str) -> dict[str, str]:
    """An hour of usage in October 2026; whatever is given differs."""
    usual = {
        "BillingAccountId": PAYER, "SubAccountId": MEMBER, "SubAccountName": "shop", "BillingPeriodStart": "2026-10-01T00:00:00Z",
        "BillingPeriodEnd": "2026-11-01T00:00:00Z", "ChargePeriodStart": "2026-10-05T00:00:00Z",
        "ChargePeriodEnd": "2026-10-06T00:00:00Z", "BillingCurrency": "USD", "BilledCost": "1.5", "EffectiveCost": "1.25",
        "ChargeCategory": "Usage", "ServiceName": "Amazon Simple Storage Service", "RegionId": "eu-central-1",
        "SkuMeter": "TimedStorage-ByteHrs", "InvoiceId": "INV-1",
    }  # fmt: skip
    return usual | given


def cur_row(**given: str) -> dict[str, str]:
    """The same in a legacy report; names without the part before the slash."""
    usual = {
        "bill/PayerAccountId": PAYER, "bill/BillingPeriodStartDate": "2026-10-01T00:00:00Z", "lineItem/UsageAccountId": MEMBER,
        "lineItem/LineItemType": "Usage", "lineItem/UsageStartDate": "2026-10-05T00:00:00Z", "lineItem/CurrencyCode": "USD",
        "lineItem/UnblendedCost": "1.5", "lineItem/ProductCode": "AmazonS3", "lineItem/UsageType": "TimedStorage-ByteHrs",
        "product/ProductName": "Amazon Simple Storage Service", "product/region": "eu-central-1",
    }  # fmt: skip
    return usual | {next(name for name in CUR if name.endswith(f"/{short}")): value for short, value in given.items()}


def text(rows: Sequence[Mapping[str, str]], columns: Sequence[str] = FOCUS) -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def packed(plain: bytes) -> bytes:
    return gzip.compress(plain)


def send(content: bytes, by: User, name: str = "bill.csv") -> CostImport:
    """Received and read."""
    received = imports.receive(name=name, file=io.BytesIO(content), by=by)
    runs.run(import_id=received.cost_import.pk)
    received.cost_import.refresh_from_db()
    return received.cost_import


def store(content: bytes, by: User, name: str = "bill.csv") -> CostImport:
    """Received, read, accepted and stored."""
    row = send(content, by, name)
    imports.accept(cost_import=row, by=by)
    runs.run(import_id=row.pk)
    row.refresh_from_db()
    return row


def total(rows: Sequence[Mapping[str, str]], column: str = "BilledCost") -> Decimal:
    return sum((Decimal(row[column]) for row in rows), Decimal(0))
