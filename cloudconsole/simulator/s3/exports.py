"""The bucket into which the management account's billing exports are written, as AWS Data Exports does it.

Two exports of the simulated ledger, by billing period: CUR 2.0 and FOCUS 1.2, both equal to the ledger's consolidated bill to the
last digit. The open month is overwritten every day; the month before it until its last charges have arrived.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from cloudconsole.simulator.ledger import Ledger, usd, visible_to
from cloudconsole.simulator.line_items import Line, View
from cloudconsole.simulator.organization import ACCOUNTS, MANAGEMENT
from cloudconsole.simulator.s3.bodies import Shelf, whole
from cloudconsole.simulator.s3.buckets import Bucket, Version

BUCKET = "example-org-data-exports"
REGION = "us-east-1"
PREFIX = "exports"
MONTHS = 3  # with the open one
CUR, FOCUS = "cur2", "focus12"
_DAY = timedelta(days=1)

_CUR_COLUMNS = (
    "bill_bill_type", "bill_billing_entity", "bill_billing_period_end_date", "bill_billing_period_start_date", "bill_invoice_id",
    "bill_payer_account_id", "bill_payer_account_name", "line_item_blended_cost", "line_item_currency_code",
    "line_item_line_item_description", "line_item_line_item_type", "line_item_net_unblended_cost", "line_item_product_code",
    "line_item_unblended_cost", "line_item_usage_account_id", "line_item_usage_account_name", "line_item_usage_end_date",
    "line_item_usage_start_date", "line_item_usage_type", "product", "product_region_code", "reservation_effective_cost",
    "reservation_net_effective_cost", "reservation_reservation_a_r_n",
    "reservation_unused_amortized_upfront_fee_for_billing_period", "reservation_unused_recurring_fee", "resource_tags",
    "savings_plan_net_savings_plan_effective_cost",
    "savings_plan_savings_plan_effective_cost", "savings_plan_total_commitment_to_date", "savings_plan_used_commitment",
)  # fmt: skip
_FOCUS_COLUMNS = (
    "BilledCost", "BillingAccountId", "BillingAccountName", "BillingAccountType", "BillingCurrency", "BillingPeriodEnd",
    "BillingPeriodStart", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "ChargePeriodEnd",
    "ChargePeriodStart", "CommitmentDiscountId", "CommitmentDiscountStatus", "CommitmentDiscountType", "ContractedCost",
    "EffectiveCost", "InvoiceId", "InvoiceIssuerName", "ListCost", "PricingCurrency", "ProviderName", "PublisherName", "RegionId",
    "ServiceCategory", "ServiceName", "SkuMeter", "SubAccountId", "SubAccountName", "SubAccountType", "Tags", "x_Discounts",
    "x_Operation", "x_ServiceCode",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Period:
    """One billing period as it is known at a moment."""

    month: date
    as_of: datetime

    @property
    def end(self) -> date:
        return (self.month + timedelta(days=32)).replace(day=1)

    def days(self) -> Iterator[date]:
        last = min(self.end, self.as_of.date() + _DAY)
        return (self.month + _DAY * number for number in range((last - self.month).days))

    def lines(self, ledger: Ledger) -> Iterator[tuple[date, Line]]:
        """Every charge of the consolidated bill: support once, as the payer is billed."""
        for day in self.days():
            for line in visible_to(ledger.shown(day, self.as_of), MANAGEMENT, View.CONSOLIDATED):
                yield day, line


def bucket() -> Bucket:
    """Empty until somebody looks into it: writing three months takes a moment."""
    made = Bucket(BUCKET, MANAGEMENT, REGION, datetime(2025, 1, 7, 10, tzinfo=UTC))
    made.tags = {"team": "finance"}
    return made


def unpacked(content: bytes) -> bytes:
    return gzip.decompress(content)


def data_files(of: Bucket, name: str) -> list[tuple[str, bytes]]:
    """Billing period and content of the export's data files."""
    folder = f"{PREFIX}/{name}/data/BILLING_PERIOD="
    keys = [key for key in sorted(of.objects) if key.startswith(folder)]
    bodies = [(key, of.current(key)) for key in keys]
    return [(key[len(folder) :][:7], b"".join(found.body.pieces())) for key, found in bodies if found and found.body]


def refresh(into: Bucket, ledger: Ledger, now: datetime, shelf: Shelf) -> None:
    """Write the periods as they are today: one execution a day, at midnight, over what it wrote before."""
    as_of = datetime.combine(now.date(), datetime.min.time(), UTC)
    month = now.date().replace(day=1)
    for _ in range(MONTHS):
        period = Period(month, as_of)
        for name, written in ((CUR, _cur), (FOCUS, _focus)):
            _write(into, name, period, written(ledger, period), shelf)
        month = (month - _DAY).replace(day=1)


def _write(into: Bucket, name: str, period: Period, content: bytes, shelf: Shelf) -> None:
    partition = f"BILLING_PERIOD={period.month:%Y-%m}"
    data = f"{PREFIX}/{name}/data/{partition}/{name}-00001.csv.gz"
    manifest = {
        "exportArn": f"arn:aws:bcm-data-exports:us-east-1:{MANAGEMENT}:export/{name}-1f0e9d0c",
        "executionId": f"{period.as_of:%Y%m%d}-{name}",
        "dataFiles": [f"s3://{BUCKET}/{data}"],
    }
    _put(into, data, content, period.as_of, shelf)
    _put(into, f"{PREFIX}/{name}/metadata/{partition}/{name}-Manifest.json", json.dumps(manifest).encode(), period.as_of, shelf)


def _put(into: Bucket, key: str, content: bytes, at: datetime, shelf: Shelf) -> None:
    current = into.current(key)
    body = whole(shelf.blob(content))
    if current is None or current.body is None or current.body.etag != body.etag:
        shelf.discard(into.put(Version(key, into.next_version_id(), at, body, "application/octet-stream")))


def _packed(columns: Sequence[str], rows: Iterator[dict[str, object]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return gzip.compress(text.getvalue().encode(), mtime=0)


def _cur(ledger: Ledger, period: Period) -> bytes:
    return _packed(_CUR_COLUMNS, (_cur_row(period, day, line) for day, line in period.lines(ledger)))


def _focus(ledger: Ledger, period: Period) -> bytes:
    return _packed(_FOCUS_COLUMNS, (_focus_row(period, day, line) for day, line in period.lines(ledger)))


def _time(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


# Cost Explorer's record types as the report's line item types.
_TYPES = {"Recurring": "RIFee", "Upfront": "Fee", "Enterprise Discount Program Discount": "EdpDiscount", "Support": "Fee"}


def _cur_row(period: Period, day: date, line: Line) -> dict[str, object]:
    region = "" if line.region == "NoRegion" else line.region
    return {
        "bill_bill_type": "Anniversary",
        "bill_billing_entity": "AWS",
        "bill_billing_period_start_date": _time(period.month),
        "bill_billing_period_end_date": _time(period.end),
        "bill_payer_account_id": MANAGEMENT,
        "bill_payer_account_name": ACCOUNTS[MANAGEMENT].name,
        "line_item_usage_account_id": line.account,
        "line_item_usage_account_name": ACCOUNTS[line.account].name,
        "line_item_line_item_type": _TYPES.get(line.record_type, line.record_type),
        "line_item_line_item_description": line.usage_type,
        "line_item_usage_start_date": _time(day),
        "line_item_usage_end_date": _time(day + _DAY),
        "line_item_usage_type": line.usage_type,
        "line_item_product_code": "AWSSupportBusiness" if line.record_type == "Support" else line.service.replace(" ", ""),
        "line_item_currency_code": "USD",
        "line_item_unblended_cost": usd(line.costs.unblended),
        "line_item_blended_cost": usd(line.costs.blended),
        "line_item_net_unblended_cost": usd(line.costs.net_unblended),
        "product": json.dumps({"product_name": line.service}),
        "product_region_code": region,
        "resource_tags": json.dumps({f"user_{_snake(key)}": value for key, value in line.tags}),
        **_amortized(line),
    }


def _amortized(line: Line) -> dict[str, object]:
    """The columns from which a report's amortized cost follows, each by its own rule."""
    amortized, net = usd(line.costs.amortized), usd(line.costs.net_amortized)
    of_type: dict[str, dict[str, object]] = {
        "SavingsPlanCoveredUsage": {
            "savings_plan_savings_plan_effective_cost": amortized,
            "savings_plan_net_savings_plan_effective_cost": net,
        },
        "SavingsPlanRecurringFee": {
            "savings_plan_total_commitment_to_date": usd(line.costs.unblended) + amortized,
            "savings_plan_used_commitment": usd(line.costs.unblended),
        },
        "DiscountedUsage": {"reservation_effective_cost": amortized, "reservation_net_effective_cost": net},
        "Recurring": {"reservation_unused_recurring_fee": amortized, "reservation_reservation_a_r_n": "arn:aws:rds:reserved"},
    }
    return of_type.get(line.record_type, {})


_FOCUS_KINDS: dict[str, tuple[str, str, str]] = {
    "Tax": ("Tax", "", "Recurring"),
    "Credit": ("Credit", "", "One-Time"),
    "Refund": ("Adjustment", "Correction", "One-Time"),
    "SavingsPlanRecurringFee": ("Purchase", "", "Recurring"),
    "SavingsPlanUpfrontFee": ("Purchase", "", "One-Time"),
    "Recurring": ("Purchase", "", "Recurring"),
    "SavingsPlanNegation": ("Adjustment", "", "Usage-Based"),
    "Enterprise Discount Program Discount": ("Adjustment", "", "Usage-Based"),
    "Support": ("Usage", "", "Recurring"),
}
_PLAN = {"SavingsPlanCoveredUsage": "Used", "SavingsPlanRecurringFee": "", "SavingsPlanUpfrontFee": ""}
_RESERVED = {"DiscountedUsage": "Used", "Recurring": ""}


def _snake(key: str) -> str:
    """As the report writes a tag's key: letters, digits and underscores."""
    return re.sub(r"[^a-z0-9]+", "_", key.lower())


def _focus_row(period: Period, day: date, line: Line) -> dict[str, object]:
    category, correction, frequency = _FOCUS_KINDS.get(line.record_type, ("Usage", "", "Usage-Based"))
    billed = usd(line.costs.unblended)
    return {
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "InvoiceIssuerName": "Amazon Web Services, Inc.",
        "BillingAccountId": MANAGEMENT,
        "BillingAccountName": ACCOUNTS[MANAGEMENT].name,
        "BillingAccountType": "BILLING",
        "SubAccountId": line.account,
        "SubAccountName": ACCOUNTS[line.account].name,
        "SubAccountType": "LINKED",
        "BillingPeriodStart": _time(period.month),
        "BillingPeriodEnd": _time(period.end),
        "ChargePeriodStart": _time(day),
        "ChargePeriodEnd": _time(day + _DAY),
        "ChargeCategory": category,
        "ChargeClass": correction,
        "ChargeFrequency": frequency,
        "ChargeDescription": line.usage_type,
        "BilledCost": billed,
        "ListCost": billed,
        "ContractedCost": billed,
        "EffectiveCost": usd(line.costs.amortized),
        "BillingCurrency": "USD",
        "PricingCurrency": "USD",
        "ServiceName": "AWS Support (Business)" if line.record_type == "Support" else line.service,
        "ServiceCategory": "Other",
        "SkuMeter": line.usage_type,
        "RegionId": "" if line.region == "NoRegion" else line.region,
        "Tags": json.dumps({f"user:{key}": value for key, value in line.tags}),
        **_commitment(line),
    }


def _commitment(line: Line) -> dict[str, object]:
    if line.record_type in _PLAN:
        identity, kind, status = "arn:aws:savingsplans::plan", "Savings Plan", _PLAN[line.record_type]
    elif line.record_type in _RESERVED:
        identity, kind, status = "arn:aws:rds:reserved", "Reserved", _RESERVED[line.record_type]
    else:
        return {}
    return {"CommitmentDiscountId": identity, "CommitmentDiscountType": kind, "CommitmentDiscountStatus": status}
