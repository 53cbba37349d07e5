"""Stored costs in the columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification, Cost and Usage dataset).

Only what is stored is told. Columns that Cost Explorer knows nothing of are null where FOCUS lets them be. Where it does not, the
value is the nearest that is known, and `x_Approximated` names the column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal

from cloudconsole.core.money import ZERO
from costs.rules import charge_types
from costs.rules.amounts import plain
from costs.rules.charge_types import ChargeType
from costs.rules.windows import first_of_month

COLUMNS = (
    "ProviderName", "PublisherName", "InvoiceIssuerName", "InvoiceId", "BillingAccountId", "BillingAccountName",
    "BillingAccountType", "SubAccountId", "SubAccountName", "SubAccountType", "BillingPeriodStart", "BillingPeriodEnd",
    "ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ChargeClass", "ChargeDescription", "ChargeFrequency", "BilledCost",
    "EffectiveCost", "ListCost", "ContractedCost", "ListUnitPrice", "ContractedUnitPrice", "PricingCategory", "PricingQuantity",
    "PricingUnit", "PricingCurrency", "PricingCurrencyContractedUnitPrice", "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice", "BillingCurrency", "ConsumedQuantity", "ConsumedUnit", "ServiceName", "ServiceCategory",
    "ServiceSubcategory", "SkuId", "SkuMeter", "SkuPriceId", "SkuPriceDetails", "ResourceId", "ResourceName", "ResourceType",
    "RegionId", "RegionName", "AvailabilityZone", "CommitmentDiscountId", "CommitmentDiscountName", "CommitmentDiscountCategory",
    "CommitmentDiscountType", "CommitmentDiscountStatus", "CommitmentDiscountQuantity", "CommitmentDiscountUnit",
    "CapacityReservationId", "CapacityReservationStatus", "Tags",
)  # fmt: skip
OWN_COLUMNS = (
    "x_RecordType", "x_BlendedCost", "x_NetUnblendedCost", "x_NetAmortizedCost", "x_Estimated", "x_Complete", "x_Approximated",
)  # fmt: skip
MONEY_COLUMNS = frozenset(
    (
        "BilledCost",
        "EffectiveCost",
        "ListCost",
        "ContractedCost",
        "PricingCurrencyEffectiveCost",
        "x_BlendedCost",
        "x_NetUnblendedCost",
        "x_NetAmortizedCost",
    )
)
TIME_COLUMNS = frozenset(("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd"))

RESIDUAL = "Residual"
NOT_TOLD = "AWS services (not told apart)"
WHY_RESIDUAL = "The difference between AWS's total of the day and its groups"
_DAY = timedelta(days=1)
_APPROXIMATED = "ListCost,ContractedCost"

_CATEGORIES: dict[ChargeType, str] = {
    ChargeType.USAGE: "Usage",
    ChargeType.TAX: "Tax",
    ChargeType.CREDIT: "Credit",
    ChargeType.SUPPORT: "Purchase",
    ChargeType.FEE: "Purchase",
    ChargeType.COMMITMENT: "Purchase",
    ChargeType.REFUND: "Adjustment",
    ChargeType.OTHER: "Adjustment",
}
_FREQUENCIES: dict[ChargeType, str] = {
    ChargeType.USAGE: "Usage-Based",
    ChargeType.TAX: "Recurring",
    ChargeType.SUPPORT: "Recurring",
    ChargeType.COMMITMENT: "Recurring",
}
_UNUSED = {"ChargeCategory": "Usage", "ChargeFrequency": "Usage-Based"}
_UPFRONT = frozenset({"upfront", "savingsplanupfrontfee"})

# Cost Explorer's names of services → category and subcategory of FOCUS. What is not here is "Other".
_SERVICES: dict[str, tuple[str, str]] = {
    "Amazon Elastic Compute Cloud - Compute": ("Compute", "Virtual Machines"),
    "EC2 - Other": ("Compute", "Other (Compute)"),
    "AWS Lambda": ("Compute", "Serverless Compute"),
    "Amazon Elastic Container Service": ("Compute", "Containers"),
    "Amazon Elastic Container Service for Kubernetes": ("Compute", "Containers"),
    "Amazon Simple Storage Service": ("Storage", "Object Storage"),
    "Amazon Elastic File System": ("Storage", "File Storage"),
    "Amazon Relational Database Service": ("Databases", "Relational Databases"),
    "Amazon DynamoDB": ("Databases", "NoSQL Databases"),
    "Amazon ElastiCache": ("Databases", "Caching"),
    "Amazon CloudFront": ("Networking", "Content Delivery"),
    "Amazon Virtual Private Cloud": ("Networking", "Network Infrastructure"),
    "Amazon Elastic Load Balancing": ("Networking", "Application Networking"),
    "Amazon Route 53": ("Networking", "Other (Networking)"),
    "Amazon Bedrock": ("AI and Machine Learning", "Generative AI"),
    "Amazon SageMaker": ("AI and Machine Learning", "Machine Learning"),
    "AmazonCloudWatch": ("Management and Governance", "Observability"),
    "AWS CloudTrail": ("Management and Governance", "Compliance"),
    "AWS Key Management Service": ("Security", "Secret Management"),
    "Amazon Simple Queue Service": ("Integration", "Messaging"),
    "Amazon Simple Notification Service": ("Integration", "Messaging"),
    "Amazon API Gateway": ("Integration", "API Management"),
    "Amazon Athena": ("Analytics", "Analytics Platforms"),
    "AWS Glue": ("Analytics", "Data Processing"),
    "Amazon Redshift": ("Analytics", "Data Warehouses"),
}
_OTHER = ("Other", "Other (Other)")


@dataclass(frozen=True, slots=True)
class Charge:
    """One stored cost of one day. `account`: the linked account where it is known, with its name; `service` empty: not told."""

    day: date
    billing_account: str
    billing_name: str
    account: str
    account_name: str
    service: str
    record_type: str
    currency: str
    unblended: Decimal
    blended: Decimal
    amortized: Decimal
    net_unblended: Decimal
    net_amortized: Decimal
    estimated: bool
    complete: bool
    region: str  # empty: not told

    @property
    def is_residual(self) -> bool:
        return self.record_type == RESIDUAL


def header() -> list[str]:
    return [*COLUMNS, *OWN_COLUMNS]


def rows(charge: Charge) -> Iterator[list[str | Decimal]]:
    """The charge's values in the order of `header`; null is an empty cell.

    What a commitment costs is one row, which is effective for nothing: FOCUS spreads it over what it covers. What Cost Explorer
    still counts as its amortized cost was covered by nothing; that is a row of its own.
    """
    if charge_types.classify(charge.record_type) is ChargeType.COMMITMENT and (charge.amortized or charge.net_amortized):
        yield _row(_told(replace(charge, amortized=ZERO, net_amortized=ZERO)))
        unused = replace(charge, unblended=ZERO, blended=ZERO, net_unblended=ZERO)
        yield _row({**_told(unused), **_UNUSED, "ChargeDescription": f"Unused part of {charge.record_type}"})
    else:
        yield _row(_told(charge))


def _row(told: Mapping[str, str | Decimal]) -> list[str | Decimal]:
    return [told.get(name, "") for name in (*COLUMNS, *OWN_COLUMNS)]


def line(charge: Charge, told: Mapping[str, str | Decimal | None]) -> list[str | Decimal]:
    """The same of one line of a billing file, with the columns that the file tells itself."""
    given = {name: value for name, value in told.items() if value not in (None, "")}
    for name in ("ChargeCategory", "ChargeClass"):
        if name in given:
            given[name] = str(given[name]).capitalize()
    approximated = [name for name in _APPROXIMATED.split(",") if name not in given]
    return _row({**_told(charge), **given, "x_Approximated": ",".join(approximated)})


def _told(charge: Charge) -> Mapping[str, str | Decimal]:
    kind = ChargeType.OTHER if charge.is_residual else charge_types.classify(charge.record_type)
    category, subcategory = _SERVICES.get(charge.service, _OTHER)
    month = first_of_month(charge.day)
    return {
        "ProviderName": "AWS",
        "PublisherName": "AWS",
        "InvoiceIssuerName": "AWS",  # Cost Explorer does not tell which of its companies
        "BillingAccountId": charge.billing_account,
        "BillingAccountName": charge.billing_name,
        "BillingAccountType": "Account",
        "SubAccountId": charge.account,
        "SubAccountName": charge.account_name if charge.account else "",
        "SubAccountType": "Account" if charge.account else "",
        "BillingPeriodStart": _time(month),
        "BillingPeriodEnd": _time(first_of_month(month, months=1)),
        "ChargePeriodStart": _time(charge.day),
        "ChargePeriodEnd": _time(charge.day + _DAY),
        "ChargeCategory": _CATEGORIES[kind],
        "ChargeClass": "Correction" if kind is ChargeType.REFUND else "",
        "ChargeDescription": WHY_RESIDUAL if charge.is_residual else charge.record_type,
        "ChargeFrequency": _frequency(charge.record_type, kind),
        "BilledCost": plain_number(charge.unblended),
        "EffectiveCost": plain_number(charge.amortized),
        "ListCost": plain_number(charge.unblended),
        "ContractedCost": plain_number(charge.unblended),
        "PricingCurrency": charge.currency,
        "PricingCurrencyEffectiveCost": plain_number(charge.amortized),
        "BillingCurrency": charge.currency,
        "ServiceName": charge.service or NOT_TOLD,
        "ServiceCategory": category,
        "ServiceSubcategory": subcategory,
        "RegionId": charge.region,
        "x_RecordType": charge.record_type,
        "x_BlendedCost": plain_number(charge.blended),
        "x_NetUnblendedCost": plain_number(charge.net_unblended),
        "x_NetAmortizedCost": plain_number(charge.net_amortized),
        "x_Estimated": _flag(charge.estimated),
        "x_Complete": _flag(charge.complete),
        "x_Approximated": _APPROXIMATED if charge.service else f"{_APPROXIMATED},ServiceName,ServiceCategory",
    }


def _frequency(record_type: str, kind: ChargeType) -> str:
    if record_type.replace(" ", "").lower() in _UPFRONT:
        return "One-Time"
    return _FREQUENCIES.get(kind, "One-Time")


def plain_number(amount: Decimal) -> Decimal:
    """A number in the file: a minus in front of it is no formula."""
    return Decimal(plain(amount))


def _time(day: date) -> str:
    return f"{day.isoformat()}T00:00:00Z"


def _flag(value: bool) -> str:
    return "true" if value else "false"
